import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runHere } from "./run-here.ts";

const has = (shell: string) => spawnSync(shell, ["-c", "exit 0"]).status === 0;
let folder = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "longwave-completion-"));
  for (const shell of ["bash", "zsh", "fish"]) {
    const { stdout } = await runHere(["completion", shell]);
    writeFileSync(join(folder, shell === "zsh" ? "_longwave" : shell), stdout);
  }
  writeFileSync(join(folder, "a clip.wav"), "");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const quoted = (words: readonly string[]) => words.map((word) => `'${word}'`).join(" ");

// zsh completes only where somebody types, so the functions that show words print them here.
const zshStubs = `compdef() { : }
compadd() { shift; print -rl -- "$@" }
_describe() { [[ $1 == -o ]] && shift; print -rl -- "\${(@)\${(P@)2}%%:*}" }
_files() { print -rl -- *(N) }
. ./_longwave
`;

/** A script for each shell that prints what it offers behind the words of every case; the last word is being written. */
const scripts: Readonly<Record<string, () => string>> = {
  bash: () =>
    `. ./bash\n${each((words) => `COMP_WORDS=(${quoted(words)}); COMP_CWORD=${words.length - 1}; _longwave; printf '%s\n' "\${COMPREPLY[@]}"`)}`,
  zsh: () => zshStubs + each((words) => `words=(${quoted(words)}) CURRENT=${words.length}; _longwave`),
  fish: () => `source fish\n${each((words) => `complete -C ${quoted([words.join(" ")])}`)}`,
};
const each = (line: (words: readonly string[]) => string) =>
  cases.map(([, words]) => `${line(words)}\necho END\n`).join("");

const cases: readonly [string, readonly string[], readonly string[]][] = [
  ["things", ["longwave", ""], ["station", "archive", "id"]],
  ["verbs", ["longwave", "id", ""], ["match", "enroll"]],
  ["verbs behind an option of the program", ["longwave", "--debug", "id", ""], ["match", "enroll"]],
  ["options behind an argument", ["longwave", "archive", "info", "./dir", "--"], ["--json"]],
  ["options that share a beginning", ["longwave", "id", "match", "clip.wav", "--ca"], ["--catalog"]],
  ["files where an option takes one", ["longwave", "station", "--input", ""], ["a clip.wav"]],
  ["files where a command takes one", ["longwave", "id", "match", ""], ["a clip.wav"]],
  ["values that an option knows", ["longwave", "opus", "encode", "--bandwidth", ""], ["nb", "swb"]],
  ["values that an argument knows", ["longwave", "completion", ""], ["bash", "zsh", "fish"]],
  ["verbs of the thing, not of its namesake", ["longwave", "model", ""], ["download"]],
];

describe.each(Object.keys(scripts))("completion for %s", (shell) => {
  test.skipIf(!has(shell))("offers what fits where the cursor stands", () => {
    const script = join(folder, `cases.${shell}`);
    writeFileSync(script, scripts[shell]!());
    const plain = { bash: "--norc", zsh: "-f", fish: "--no-config" }[shell]!;
    const { stdout } = spawnSync(shell, [plain, script], { cwd: folder, encoding: "utf8", timeout: 120_000 });
    const answers = stdout.split("END\n");
    expect(answers.length).toBe(cases.length + 1);
    for (const [i, [what, , expected]] of cases.entries()) {
      const offered = answers[i]!.split("\n")
        .map((line) =>
          line
            .split("\t")[0]!
            .replaceAll("\\ ", " ")
            .replace(/^'(.*)'$/, "$1"),
        )
        .filter((word) => word !== "");
      expect(offered, what).toEqual(expect.arrayContaining([...expected]));
      if (!expected.includes("a clip.wav")) expect(offered, what).not.toContain("a clip.wav");
      const isOption = expected[0]!.startsWith("--");
      expect(
        offered.filter((word) => word.startsWith("--") !== isOption),
        what,
      ).toEqual([]);
    }
  });
});

test("another shell is refused, naming those that there are", async () => {
  const { code, stderr } = await runHere(["completion", "tcsh"]);
  expect(code).toBe(2);
  expect(stderr).toContain("bash, zsh, fish");
});
