import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { sharedPath } from "@longwave/testkit";
import { expect, test } from "vitest";

const generator = await import(new URL("../scripts/generate-tables.mjs", import.meta.url).href);
const data = sharedPath("data/opus-tables");
const absent = data === undefined ? " (skipped: shared data absent)" : "";

test.skipIf(data === undefined).each(generator.tableFiles as string[])(
  `table source %s is what the generator writes from the data${absent}`,
  (name) => {
    const committed = readFileSync(
      fileURLToPath(new URL(`../assembly/tables/${name}.ts`, import.meta.url)),
      "utf8",
    );
    const regenerated = generator.tableSource(name, generator.readTables(sharedPath(""), name));
    expect(regenerated).toBe(committed);
  },
);

test.skipIf(data === undefined)(
  `the ambisonics matrices are what the generator writes from the data${absent}`,
  () => {
    const committed = readFileSync(
      fileURLToPath(new URL("../src/multistream/projection-matrices.ts", import.meta.url)),
      "utf8",
    );
    expect(generator.projectionSource(generator.readTables(sharedPath(""), "multistream"))).toBe(committed);
  },
);
