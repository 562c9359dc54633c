#!/usr/bin/env node
import { exitCodeOf, isLongwaveError } from "@longwave/base";
import { Command, CommanderError } from "commander";
import { commands } from "./commands/index.ts";

const program = new Command("longwave")
  .description("Puts sound on air, carries it over bad links, keeps every sample, and knows what played.")
  .version("0.1.0")
  .option("--debug", "show the stack trace of an error")
  .showHelpAfterError("(add --help for the options)")
  .exitOverride();

for (const register of commands) register(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportError(error, program.opts()["debug"] === true);
}

/** Prints one message with what to do (a stack trace only on request) and returns the documented exit code. */
function reportError(error: unknown, debug: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const message = error instanceof Error ? error.message : String(error);
  const code = isLongwaveError(error) ? ` (${error.code})` : "";
  process.stderr.write(`longwave: ${message}${code}\n`);
  if (debug && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return exitCodeOf(error);
}
