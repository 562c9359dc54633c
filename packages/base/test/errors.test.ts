import { exitCodeOf, httpStatusOf, isLongwaveError, LongwaveError } from "@longwave/base";
import { describe, expect, test } from "vitest";

class SampleError extends LongwaveError {
  override readonly name = "SampleError";
}

describe("LongwaveError", () => {
  const cause = new Error("inner");
  const error = new SampleError("sample/bad", "malformed", "It was bad.", { cause });

  test("keeps code, kind, message and cause", () => {
    expect(error).toMatchObject({ code: "sample/bad", kind: "malformed", message: "It was bad.", cause });
  });

  test("is recognised by its code, and not by another", () => {
    expect(isLongwaveError(error)).toBe(true);
    expect(isLongwaveError(error, "sample/bad")).toBe(true);
    expect(isLongwaveError(error, "sample/worse")).toBe(false);
  });

  test("other errors are not Longwave's, even with a code", () => {
    expect(isLongwaveError(Object.assign(new Error("x"), { code: "ENOENT" }))).toBe(false);
    expect(isLongwaveError("sample/bad")).toBe(false);
  });

  test.each([
    ["usage", 2, 400],
    ["malformed", 3, 422],
    ["unsupported", 3, 415],
    ["limit", 4, 413],
    ["unavailable", 5, 503],
  ] as const)("kind %s exits with %i and answers %i", (kind, exitCode, status) => {
    const each = new SampleError("sample/bad", kind, "It was bad.");
    expect(exitCodeOf(each)).toBe(exitCode);
    expect(httpStatusOf(each)).toBe(status);
  });

  test("anything else exits with 1 and answers 500", () => {
    expect(exitCodeOf(new Error("x"))).toBe(1);
    expect(httpStatusOf(undefined)).toBe(500);
  });
});
