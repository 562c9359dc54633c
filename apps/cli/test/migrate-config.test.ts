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

  test("keeps the old file beside the new one", () => {
    const program = repositoryPath("apps/cli/dist/main.js");
    if (!existsSync(program)) return;
    const folder = mkdtempSync(join(tmpdir(), "longwave-migrate-"));
    try {
      writeFileSync(join(folder, "longwave.toml"), 'source = "-"\n');
      const longwave = (...args: string[]) =>
        spawnSync(process.execPath, [program, ...args], { cwd: folder, encoding: "utf8", timeout: 150_000 });
      expect(longwave("config", "check").status).toBe(2);
      expect(longwave("config", "migrate").status).toBe(0);
      expect(longwave("config", "check").status).toBe(0);
      expect(readFileSync(join(folder, "longwave.toml.old"), "utf8")).toBe('source = "-"\n');
      writeFileSync(join(folder, "longwave.toml"), "version = 9\n");
      expect(longwave("config", "check").status).toBe(3);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
