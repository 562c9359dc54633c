#!/usr/bin/env node
import { exitCodeOf, isLongwaveError } from "@longwave/base";
import { Command, CommanderError } from "commander";
import { loadCommands } from "./commands/index.ts";
import { version } from "./version.ts";

const program = new Command("longwave")
  .description("Puts sound on air, carries it over bad links, keeps every sample, and knows what played.")
  .version(version)
  .option("--debug", "show the stack trace of an error")
  .showHelpAfterError("(add --help for the options)")
  .addHelpText(
    "after",
    `
Exit codes: 0 done, 2 wrong use, 3 malformed or unsupported input, 4 a limit was hit, 5 something is unavailable, 1 anything else.
Settings: flag, then LONGWAVE_* environment, then longwave.toml, then default (longwave config show --origin).`,
  )
  .exitOverride();

for (const register of await loadCommands(process.argv.slice(2))) register(program);

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
