import { expect, test } from "vitest";
// @ts-expect-error plain JavaScript without types
import { findMissingLockEntries } from "../lock-completeness.mjs";

test("a platform package that the lock names without an entry is reported", () => {
  const lock = {
    packages: {
      "": {},
      "node_modules/tool": { optionalDependencies: { "tool-linux": "1.0.0", "tool-mac": "1.0.0" } },
      "node_modules/tool-linux": {},
    },
  };
  expect(findMissingLockEntries(lock)).toEqual(["node_modules/tool wants tool-mac"]);
});

test("an entry nested below its parent counts", () => {
  const lock = {
    packages: {
      "node_modules/tool": { optionalDependencies: { "tool-linux": "1.0.0" } },
      "node_modules/tool/node_modules/tool-linux": {},
    },
  };
  expect(findMissingLockEntries(lock)).toEqual([]);
});
