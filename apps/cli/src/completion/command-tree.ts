import type { Command, Option } from "commander";

/** A word that may be completed, with what it means. */
export interface Word {
  readonly text: string;
  readonly description: string;
}

export interface Flag extends Word {
  /** Whether the next word is its value. */
  readonly takesValue: boolean;
  /** The values that it knows; empty: anything, so files are offered. */
  readonly choices: readonly string[];
}

/** What may follow one command. */
export interface CommandWords {
  /** "" for the program itself, then "id", "id match" and so on. */
  readonly path: string;
  readonly commands: readonly Word[];
  readonly flags: readonly Flag[];
  /** The values that its arguments know; empty: anything. */
  readonly choices: readonly string[];
}

/** Every command of a program with its flags; flags of the commands above are offered below them too. */
export function commandWords(command: Command, path = "", above: readonly Flag[] = []): CommandWords[] {
  const own = command.options.flatMap(flag);
  const help = { text: "--help", description: "show help", takesValue: false, choices: [] };
  const flags = [...own, ...above.filter(({ text }) => !own.some((each) => each.text === text))];
  return [
    {
      path,
      commands: command.commands.map((each) => ({ text: each.name(), description: each.description() })),
      flags: [...flags, help],
      choices: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    },
    ...command.commands.flatMap((each) => commandWords(each, `${path} ${each.name()}`.trim(), flags)),
  ];
}

function flag(option: Option): Flag[] {
  const { long, hidden, description, required, optional, argChoices } = option;
  if (hidden || long === undefined || long === null || long === "--version") return [];
  return [{ text: long, description, takesValue: required || optional, choices: argChoices ?? [] }];
}
