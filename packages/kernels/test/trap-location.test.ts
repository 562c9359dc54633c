import { readFileSync } from "node:fs";
import { describeTrap, locateTrap } from "@longwave/kernels";
import { repositoryPath } from "@longwave/testkit";
import { beforeAll, describe, expect, test } from "vitest";
import { compileCore } from "../build/build-core.mjs";

const packageDirectory = repositoryPath("packages/kernels/test/fixtures/trap-core");

describe("a trap of a debug core", () => {
  let sourceMap = "";
  let squareOfPositive: (value: number) => number;

  beforeAll(async () => {
    const core = await compileCore(packageDirectory, "debug");
    sourceMap = core.sourceMap!;
    const module = new WebAssembly.Module(core.binary);
    squareOfPositive = new WebAssembly.Instance(module).exports[
      "squareOfPositive"
    ] as typeof squareOfPositive;
  });

  function trapOf(value: number): unknown {
    try {
      squareOfPositive(value);
    } catch (error) {
      return error;
    }
    return undefined;
  }

  test("gives the AssemblyScript file and line", () => {
    const source = readFileSync(`${packageDirectory}/assembly/index.ts`, "utf8").split("\n");
    const expectedLine = source.findIndex((line) => line.includes("assert(value > 0)")) + 1;
    const [frame] = locateTrap(trapOf(-1), sourceMap);
    expect(frame?.file).toMatch(/trap-core\/assembly\/index\.ts$/);
    expect(frame?.line).toBe(expectedLine);
    expect(describeTrap(trapOf(-1), sourceMap)).toMatch(
      new RegExp(`unreachable at .*index\\.ts:${expectedLine}:`),
    );
  });

  test("is not seen where nothing trapped", () => {
    expect(squareOfPositive(3)).toBe(9);
    expect(locateTrap(new Error("something else"), sourceMap)).toEqual([]);
    expect(describeTrap(new Error("something else"), sourceMap)).toBe("something else");
  });
});
