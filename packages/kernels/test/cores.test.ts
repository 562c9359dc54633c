import { readdirSync, readFileSync } from "node:fs";
import { decodeCore } from "@longwave/kernels";
import { parseWasmShape, repositoryPath } from "@longwave/testkit";
import { describe, expect, test } from "vitest";

/** Every `asconfig.json` and `asconfig.NAME.json`, with the module that the build makes of it. */
const cores = readdirSync(repositoryPath("packages")).flatMap((name) =>
  readdirSync(repositoryPath(`packages/${name}`)).flatMap((file) => {
    const part = /^asconfig\.(?:(.+)\.)?json$/.exec(file);
    if (part === null) return [];
    const module = part[1] === undefined ? "core-wasm.ts" : `${part[1]}-core-wasm.ts`;
    return [[part[1] === undefined ? name : `${name} ${part[1]}`, name, file, module] as const];
  }),
);

describe.each(cores)("the core of %s", (_, name, file, module) => {
  const text = readFileSync(repositoryPath(`packages/${name}/src/generated/${module}`), "utf8");
  const binary = decodeCore(/coreWasmBase64: string =\s*"([^"]+)"/.exec(text)![1]!);
  // Throws on relaxed SIMD.
  const shape = parseWasmShape(binary);

  // A core whose memory depends on a model is given it at the start; the importer fixes its size (see @longwave/tts).
  const importsMemory = /"importMemory": true/.test(
    readFileSync(repositoryPath(`packages/${name}/${file}`), "utf8"),
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
  expect(cores.map(([title]) => title)).toEqual(expect.arrayContaining(["dsp", "opus", "opus codec"]));
});
