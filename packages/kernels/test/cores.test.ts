import { existsSync, readdirSync, readFileSync } from "node:fs";
import { decodeCore } from "@longwave/kernels";
import { parseWasmShape, repositoryPath } from "@longwave/testkit";
import { describe, expect, test } from "vitest";

const names = readdirSync(repositoryPath("packages")).filter((name) =>
  existsSync(repositoryPath(`packages/${name}/asconfig.json`)),
);

describe.each(names)("the core of %s", (name) => {
  const text = readFileSync(repositoryPath(`packages/${name}/src/generated/core-wasm.ts`), "utf8");
  const binary = decodeCore(/coreWasmBase64: string =\s*"([^"]+)"/.exec(text)![1]!);
  // Throws on relaxed SIMD.
  const shape = parseWasmShape(binary);

  test("stands alone: it imports nothing", () => {
    expect(shape.imports).toBe(0);
  });

  test("keeps all state in its memory: no mutable globals", () => {
    expect(shape.mutableGlobals).toBe(0);
  });

  test("has one memory of fixed size, which never grows", () => {
    expect(shape.memoryGrowInstructions).toBe(0);
    expect(shape.memory.initial).toBeGreaterThan(0);
    expect(shape.memory.maximum).toBe(shape.memory.initial);
  });
});

test("there are cores to look at", () => {
  expect(names).toContain("dsp");
});
