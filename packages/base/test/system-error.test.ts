import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isSystemError, systemErrorKind, systemReason } from "../src/node/system-error.ts";

test("what the system refuses is told without the names of its calls and errors", () => {
  const folder = mkdtempSync(join(tmpdir(), "longwave-system-error-"));
  try {
    const missing = join(folder, "missing");
    const absence = refusalOf(() => readFileSync(missing));
    expect(systemReason(absence)).toBe(`${missing} does not exist`);
    expect(systemErrorKind(absence)).toBe("usage");
    const directory = refusalOf(() => readFileSync(folder));
    expect(systemReason(directory)).toMatch(/directory/);
    expect(systemReason(directory)).not.toMatch(/EISDIR/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a lack of permission is something unavailable", () => {
  const error = Object.assign(new Error("EACCES: permission denied, open 'x'"), {
    code: "EACCES",
    syscall: "open",
    path: "x",
  });
  expect(isSystemError(error)).toBe(true);
  expect(systemReason(error)).toMatch(/^no permission; /);
  expect(systemErrorKind(error)).toBe("unavailable");
});

test("an error of another origin keeps its message", () => {
  const error = new SyntaxError("Unexpected token");
  expect(isSystemError(error)).toBe(false);
  expect(systemReason(error)).toBe("Unexpected token");
});

function refusalOf(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("The call was not refused.");
}
