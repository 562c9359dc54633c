import { exitCodeOf, isLongwaveError } from "@longwave/base";
import { CommanderError } from "commander";
import { loadCommands } from "./commands/index.ts";
import { createProgram } from "./program.ts";

/** Runs a command line, without the names of program and interpreter; returns the documented exit code. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const program = createProgram(await loadCommands(args));
  try {
    await program.parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    return reportError(error, program.opts()["debug"] === true);
  }
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
