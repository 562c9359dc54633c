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

  // A core whose memory depends on a model is given it at the start; the importer fixes its size (see @longwave/tts).
  const importsMemory = /"importMemory": true/.test(
    readFileSync(repositoryPath(`packages/${name}/asconfig.json`), "utf8"),
  );

  test("stands alone: it imports nothing, but for its memory where its configuration says so", () => {
    expect(shape.imports).toBe(importsMemory ? 1 : 0);
  });

  test("keeps all state in its memory: no mutable globals", () => {
    expect(shape.mutableGlobals).toBe(0);
  });

  test("never grows its memory", () => {
    expect(shape.memoryGrowInstructions).toBe(0);
  });

  test.skipIf(importsMemory)("has one memory of fixed size", () => {
    expect(shape.memory.initial).toBeGreaterThan(0);
    expect(shape.memory.maximum).toBe(shape.memory.initial);
  });
});

test("there are cores to look at", () => {
  expect(names).toContain("dsp");
});
