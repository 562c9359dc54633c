import { expect, test } from "vitest";

const { engineDependent } = (await import(new URL("../same-bits.mjs", import.meta.url).href)) as {
  engineDependent(path: string, source: string): string[];
};
const library = "packages/dsp/src/window.ts";

test.each([
  "Math.sin(x)",
  "Math . pow(2, x)",
  "Math.random()",
  "Date.now()",
  "new Date()",
  "performance.now()",
])("a library that calls %s is named with its line", (call) => {
  expect(engineDependent(library, `let x = 1;\nx = ${call};`)).toEqual([`${library}:2: x = ${call};`]);
});

test("what every engine rounds alike, comments and dates from arguments are allowed", () => {
  const source =
    "/* Math.sin\n * Date.now() */\nconst y = Math.sqrt(Math.floor(x)); // Math.cos\nnew Date(atMs);";
  expect(engineDependent(library, source)).toEqual([]);
});

test("the clock may be read in src/node, chance may not", () => {
  const path = "packages/base/src/node/system-clock.ts";
  expect(engineDependent(path, "return Date.now();")).toEqual([]);
  expect(engineDependent(path, "return Math.random();")).toHaveLength(1);
});
