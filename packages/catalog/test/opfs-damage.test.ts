import { expect, test } from "vitest";
import { FakeOpfsDirectory, fakeLocks } from "../../base/test/fake-opfs.ts";
import { expectedOfDamage, opfsDamage } from "./opfs-damage.ts";

test("a catalog in a browser's file system: damage is told, and two may write", async () => {
  const root = new FakeOpfsDirectory("root");
  expect(await opfsDamage({ root, options: { root, locks: fakeLocks() } })).toEqual(expectedOfDamage);
});
