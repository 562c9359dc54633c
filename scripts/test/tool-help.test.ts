import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const scripts = fileURLToPath(new URL("..", import.meta.url));

function run(...command: string[]) {
  return spawnSync(process.execPath, command, { cwd: scripts, encoding: "utf8", timeout: 20_000 });
}

test.each(["production", "exhaustive"])("verify %s --help lists its gates and runs none", (level) => {
  const { status, stdout } = run("verify.mjs", level, "--help");
  expect(status).toBe(0);
  expect(stdout).toContain("npm test");
  expect(stdout).not.toContain("== ");
});

test("an unknown argument of verify is refused before any gate", () => {
  expect(run("verify.mjs", "production", "--nonsense").status).toBe(2);
});

test.each(["bench", "conformance", "fuzz"])(
  "%s --help names what there is; an unknown name is refused",
  (kind) => {
    const help = run("run-tool.mjs", kind, "--help");
    expect(help.status).toBe(0);
    expect(help.stdout).toContain(`npm run ${kind} -- <`);
    expect(run("run-tool.mjs", kind, "nonsense").status).toBe(2);
  },
);
