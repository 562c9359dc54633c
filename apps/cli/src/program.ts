import { Command } from "commander";
import type { RegisterCommand } from "./commands/index.ts";
import { addExamples } from "./examples.ts";
import { version } from "./version.ts";

/** The `longwave` program with these commands; parsing throws CommanderError instead of ending the process. */
export function createProgram(commands: readonly RegisterCommand[]): Command {
  const program = new Command("longwave")
    .description("Puts sound on air, carries it over bad links, keeps every sample, and knows what played.")
    .version(version)
    .option("--debug", "show the stack trace of an error")
    .showHelpAfterError("(add --help for the options)")
    .addHelpText(
      "after",
      `
Exit codes: 0 done, 2 wrong use, 3 malformed or unsupported input, 4 a limit was hit, 5 something is unavailable
or does not pass a check, 6 nothing was found where --require asks for it, 1 anything else.
Settings: flag, then LONGWAVE_* environment, then longwave.toml, then default (longwave config show --origin).`,
    )
    .exitOverride();
  for (const register of commands) register(program);
  addExamples(program);
  return program;
}
