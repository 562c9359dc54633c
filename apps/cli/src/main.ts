#!/usr/bin/env node
import { runCommandLine } from "./run.ts";

const exitCode = await runCommandLine(process.argv.slice(2));
// A command that has said how it ended (health, opus compare) is not overruled.
if (exitCode !== 0) process.exitCode = exitCode;
