import type { Command } from "commander";
import { expect, test } from "vitest";
import { loadCommands } from "../src/commands/index.ts";
import { createProgram } from "../src/program.ts";

const program = createProgram(await loadCommands([]));

function helpOf(command: Command): string {
  let text = "";
  const output = { writeOut: (piece: string) => void (text += piece) };
  for (let each: Command | null = command; each !== null; each = each.parent) each.configureOutput(output);
  command.outputHelp();
  return text;
}

function pathOf(command: Command): string {
  const parent = command.parent;
  return parent === null || parent === program ? command.name() : `${pathOf(parent)} ${command.name()}`;
}

/** What a shell makes of a line, as far as our examples go: words, quotes, the part of a pipe that is ours. */
function wordsOf(line: string): string[] {
  const ours = line.split("|").find((part) => /\blongwave\b/.test(part))!;
  const words = ours
    .split(" > ")[0]!
    .trim()
    .match(/"[^"]*"|\S+/g)!;
  return words.slice(words.indexOf("longwave") + 1).map((word) => word.replaceAll('"', ""));
}

const exampleLines = program.commands.flatMap((command) =>
  [command, ...command.commands].flatMap((each) =>
    helpOf(each)
      .split("\n")
      .filter((line) => /^ {2}(?:\S.*\| *|[A-Z_]+=\S+ )?longwave /.test(line))
      // A remark stands behind two spaces.
      .map((line) => line.trim().split(/ {2,}/)[0]!),
  ),
);

test("the help of every command and of every verb has an example of its own", () => {
  const without = program.commands
    .flatMap((command) => [command, ...command.commands])
    .filter((command) => {
      const examples = helpOf(command).split(/^Examples?:$/m)[1] ?? "";
      return !examples.includes(`longwave ${pathOf(command)}`);
    });
  expect(without.map(pathOf)).toEqual([]);
});

test("every example is a command line that is understood", () => {
  expect(exampleLines.length).toBeGreaterThan(25);
  for (const line of exampleLines) {
    const words = wordsOf(line);
    let command: Command = program;
    for (;;) {
      const next = command.commands.find((each) => each.name() === words[0]);
      if (next === undefined) break;
      command = next;
      words.shift();
    }
    expect(command.commands, `${line}: needs a verb`).toEqual([]);
    const { operands, unknown } = command.parseOptions(words);
    expect(unknown, line).toEqual([]);
    const wanted = command.registeredArguments.filter(({ required }) => required).length;
    expect(operands.length, line).toBeGreaterThanOrEqual(wanted);
    const most = command.registeredArguments.some(({ variadic }) => variadic)
      ? Number.POSITIVE_INFINITY
      : command.registeredArguments.length;
    expect(operands.length, line).toBeLessThanOrEqual(most);
  }
});
