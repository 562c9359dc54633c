import { exitCodeOf, isLongwaveError } from "@longwave/base";
import { isSystemError, systemErrorKind, systemReason } from "@longwave/base/node";
import { CommanderError } from "commander";
import { loadCommands } from "./commands/index.ts";
import { CliError } from "./errors.ts";
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
function reportError(thrown: unknown, debug: boolean): number {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
  const error = isSystemError(thrown) ? inWords(thrown) : thrown;
  const message = error instanceof Error ? error.message : String(error);
  const code = isLongwaveError(error) ? ` (${error.code})` : "";
  process.stderr.write(`longwave: ${message}${code}\n`);
  if (debug && thrown instanceof Error) process.stderr.write(`${thrown.stack}\n`);
  return exitCodeOf(error);
}

/** A refusal of the operating system that no command has put into words of its own. */
function inWords(error: NodeJS.ErrnoException): CliError {
  const reason = systemReason(error);
  const isNamed = error.path === undefined || reason.includes(error.path);
  return new CliError(
    "cli/system-error",
    systemErrorKind(error),
    `${isNamed ? "" : `${error.path}: `}${reason}.`,
    { cause: error },
  );
}
