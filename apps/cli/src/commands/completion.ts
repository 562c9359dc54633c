import type { Command } from "commander";
import { CliError } from "../errors.ts";
import { printLine } from "../output.ts";

type Shell = "bash" | "zsh" | "fish";

/** `longwave completion`: a script for the user's shell, made from the commands themselves. */
export function registerCompletion(program: Command): void {
  program
    .command("completion")
    .description("Print a completion script for bash, zsh or fish")
    .argument("<shell>", "bash, zsh or fish")
    .addHelpText(
      "after",
      `
Examples:
  longwave completion bash > /etc/bash_completion.d/longwave
  longwave completion fish > ~/.config/fish/completions/longwave.fish`,
    )
    .action((shell: string) => {
      const scripts: Readonly<Record<Shell, (program: Command) => string>> = { bash, zsh, fish };
      if (!Object.hasOwn(scripts, shell)) {
        throw new CliError(
          "cli/bad-argument",
          "usage",
          `There is no completion for ${shell}; use bash, zsh or fish.`,
        );
      }
      printLine(scripts[shell as Shell](program));
    });
}

interface Entry {
  /** "" for the program itself, then "id", "id match" and so on. */
  readonly path: string;
  readonly words: readonly string[];
  readonly description: string;
}

function entries(command: Command, path = ""): Entry[] {
  const words = [
    ...command.commands.map((each) => each.name()),
    ...command.options.flatMap((option) =>
      option.long === undefined || option.long === null ? [] : [option.long],
    ),
    "--help",
  ];
  return [
    { path, words, description: command.description() },
    ...command.commands.flatMap((each) => entries(each, `${path} ${each.name()}`.trim())),
  ];
}

function bash(program: Command): string {
  const cases = entries(program).map(({ path, words }) => `    "${path}") words="${words.join(" ")}" ;;`);
  return `_longwave() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ \${COMP_WORDS[i]} == -* ]] && break
    path="\${path:+$path }\${COMP_WORDS[i]}"
  done
  case "$path" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ \${#COMPREPLY[@]} -eq 0 ]] && COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _longwave longwave`;
}

function zsh(program: Command): string {
  return `#compdef longwave
autoload -U +X bashcompinit && bashcompinit
${bash(program)}`;
}

function fish(program: Command): string {
  const lines = ["complete -c longwave -f"];
  for (const { path, words } of entries(program)) {
    const condition =
      path === "" ? "__fish_use_subcommand" : `__fish_seen_subcommand_from ${path.split(" ").at(-1)}`;
    for (const word of words) {
      const value = word.startsWith("--") ? `-l ${word.slice(2)}` : `-a ${word}`;
      lines.push(`complete -c longwave -n "${condition}" ${value}`);
    }
  }
  return lines.join("\n");
}
