import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repositoryPath } from "@longwave/testkit";
import { describe, expect, test } from "vitest";
import { migrateConfig } from "../src/migrate-config.ts";

describe("config migrate", () => {
  test("names the version, renames old keys, keeps comments and order", () => {
    const old = '# my station\nsource = "-"   # live\nport = 1\nhost = "::1"\n';
    expect(migrateConfig(old, "x.toml")).toBe(
      'version = 1\n# my station\ninput = "-"   # live\nport = 1\naddress = "::1"\n',
    );
  });

  test("leaves a current file alone and refuses one of a newer program", () => {
    const current = 'version = 1\ninput = "-"\n';
    expect(migrateConfig(current, "x.toml")).toBe(current);
    expect(() => migrateConfig("version = 2\n", "x.toml")).toThrow(/x.toml has version 2/);
  });

  test("does the same to YAML, without what is indented", () => {
    const old = '# my station\nsource: "-"   # live\ntts:\n  host: kept\n';
    const migrated = '# my station\ninput: "-"   # live\ntts:\n  host: kept\n';
    expect(migrateConfig(old, "x.yaml")).toBe(`version: 1\n${migrated}`);
    expect(migrateConfig(`---\n${old}`, "x.yml")).toBe(`---\nversion: 1\n${migrated}`);
    expect(migrateConfig(`version: 0\n${old}`, "x.yaml")).toBe(`version: 1\n${migrated}`);
    expect(migrateConfig(`version: 1\n${old}`, "x.yaml")).toBe(`version: 1\n${old}`);
    expect(() => migrateConfig("version: 2\n", "x.yaml")).toThrow(/x.yaml has version 2/);
  });

  test("does the same to JSON, and refuses what is none", () => {
    const migrated = JSON.parse(
      migrateConfig('{"port": 1, "source": "-", "tts": {"host": "kept"}}', "x.json"),
    );
    expect(Object.entries(migrated)).toEqual([
      ["version", 1],
      ["port", 1],
      ["input", "-"],
      ["tts", { host: "kept" }],
    ]);
    const current = '{"version": 1, "input": "-"}';
    expect(migrateConfig(current, "x.json")).toBe(current);
    expect(() => migrateConfig('{"version": 2}', "x.json")).toThrow(/x.json has version 2/);
    for (const broken of ["{", "[]", "null"])
      expect(() => migrateConfig(broken, "x.json")).toThrow(
        expect.objectContaining({ code: "config/malformed" }),
      );
  });

  test.each([
    ["longwave.toml", 'source = "-"\n'],
    ["longwave.yaml", 'source: "-"\n'],
    ["longwave.json", '{"source": "-"}\n'],
  ])("keeps the old %s beside the new one", (name, old) => {
    const program = repositoryPath("apps/cli/dist/main.js");
    if (!existsSync(program)) return;
    const folder = mkdtempSync(join(tmpdir(), "longwave-migrate-"));
    try {
      const file = join(folder, name);
      writeFileSync(file, old);
      const longwave = (...args: string[]) =>
        spawnSync(process.execPath, [program, ...args], { cwd: folder, encoding: "utf8", timeout: 150_000 });
      expect(longwave("config", "check", "--config", file).status).toBe(2);
      expect(longwave("config", "migrate", file).status).toBe(0);
      expect(longwave("config", "check", "--config", file).status).toBe(0);
      expect(readFileSync(`${file}.old`, "utf8")).toBe(old);
      writeFileSync(file, readFileSync(file, "utf8").replace(/(version\W+)1/, "$19"));
      expect(longwave("config", "check", "--config", file).status).toBe(3);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
