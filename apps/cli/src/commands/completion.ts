import { Argument, type Command } from "commander";
import { bashScript } from "../completion/bash.ts";
import { commandWords } from "../completion/command-tree.ts";
import { fishScript } from "../completion/fish.ts";
import { zshScript } from "../completion/zsh.ts";
import { printLine } from "../output.ts";

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

/** `longwave completion`: a script for the user's shell, made from the commands themselves. */
export function registerCompletion(program: Command): void {
  program
    .command("completion")
    .description("Print a completion script for bash, zsh or fish")
    .addArgument(new Argument("<shell>", "the shell that reads it").choices(Object.keys(scripts)))
    .addHelpText(
      "after",
      `
Examples:
  longwave completion bash > /etc/bash_completion.d/longwave
  longwave completion zsh > ~/.zsh/completions/_longwave
  longwave completion fish > ~/.config/fish/completions/longwave.fish`,
    )
    .action((shell: keyof typeof scripts) => printLine(scripts[shell](commandWords(program))));
}
