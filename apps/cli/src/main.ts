#!/usr/bin/env node
import { runCommandLine } from "./run.ts";

// Ends quietly when the reader has gone away (`longwave ... | head`).
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  process.stderr.write(`longwave: Standard output cannot be written: ${error.message}.\n`);
  process.exit(1);
});

const exitCode = await runCommandLine(process.argv.slice(2));
// A command that has said how it ended (health, opus compare) is not overruled.
if (exitCode !== 0) process.exitCode = exitCode;
