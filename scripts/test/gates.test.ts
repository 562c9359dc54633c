import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeEach, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { gates } = JSON.parse(readFileSync(`${root}scripts/gates.json`, "utf8")) as {
  gates: { name: string; command: string; levels: string[]; minutes: number; figure?: string }[];
};

describe("the gates of scripts/gates.json", () => {
  test("have names of their own, a level and a limit", () => {
    expect(new Set(gates.map(({ name }) => name)).size).toBe(gates.length);
    for (const { name, levels, minutes, figure } of gates) {
      expect(levels.length, name).toBeGreaterThan(0);
      expect(minutes, name).toBeGreaterThan(0);
      expect(() => new RegExp(figure ?? ""), name).not.toThrow();
    }
  });

  test("call commands that exist", () => {
    const { scripts } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
    for (const { command } of gates) {
      const [, script, tool] = /^npm (?:run )?(\S+)(?: -- (\S+))?/.exec(command) ?? [];
      if (script !== undefined) expect(Object.keys(scripts), command).toContain(script);
      if (tool !== undefined) expect(existsSync(`${root}bench/src/${script}/${tool}.ts`), command).toBe(true);
      const file = /\b(\S+\.(?:sh|test\.ts))\b/.exec(command)?.[1];
      if (file !== undefined) expect(existsSync(root + file), command).toBe(true);
    }
  });
});

describe("verify.mjs", () => {
  let folder = "";
  const verify = (list: object[], ...more: string[]) => {
    writeFileSync(join(folder, "gates.json"), JSON.stringify({ gates: list }));
    const args = ["verify.mjs", "production", "--gates", join(folder, "gates.json"), "--evidence", folder];
    return spawnSync(process.execPath, [...args, ...more], { cwd: `${root}scripts`, encoding: "utf8" });
  };
  const gate = (name: string, command: string, minutes = 1) => ({
    name,
    command,
    minutes,
    levels: ["production"],
    figure: "^count",
  });
  const folders: string[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "longwave-gates-"));
    folders.push(folder);
  });
  afterAll(() => {
    for (const each of folders) rmSync(each, { recursive: true });
  });

  test("runs all, goes on after a failure, and says so in table and exit code", () => {
    const { status, stdout } = verify([
      gate("a bad one", "echo count 3; exit 4"),
      gate("a good one", "echo count 5"),
    ]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/\| a bad one \| FAILED \| 0 \| count 3 \|/);
    expect(stdout).toMatch(/\| a good one \| passed \| 0 \| count 5 \|/);
    expect(stdout).toContain("1 passed, 1 failed");
  });

  test("--only repeats one and keeps what is known of the others", () => {
    verify([gate("first", "exit 1"), gate("another", "true")]);
    const { status, stdout } = verify([gate("first", "true"), gate("another", "false")], "--only", "first");
    expect(status).toBe(0);
    expect(stdout).not.toContain("another");
    const file = JSON.parse(readFileSync(join(folder, evidenceName()), "utf8"));
    expect(file.results.map((each: { passed: boolean }) => each.passed)).toEqual([true, true]);
    expect(verify([gate("first", "true")], "--only", "third").status).toBe(2);
  });

  test("--resume skips what has passed", () => {
    const counted = gate("counted", `echo x >> ${join(folder, "runs")}`);
    verify([counted, gate("bad", "false")]);
    const { stdout } = verify([counted, gate("bad", "true")], "--resume");
    expect(readFileSync(join(folder, "runs"), "utf8")).toBe("x\n");
    expect(stdout).toContain("2 passed, 0 failed");
  });

  test("ends a gate that takes too long, with the processes that it has started", () => {
    const { status, stdout } = verify([gate("endless", "sleep 60 & sleep 60", 0.01)]);
    expect(status).toBe(1);
    expect(stdout).toContain("ended after 0.01 min");
  });

  const evidenceName = () =>
    `${JSON.parse(readFileSync(`${root}package.json`, "utf8")).version}-production.json`;
});
