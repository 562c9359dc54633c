import { expect, test } from "vitest";

const { loosened } = (await import(new URL("../quality-ratchet.mjs", import.meta.url).href)) as {
  loosened(before: object, after: object): string[];
};

test("floors may rise and join", () => {
  expect(loosened({ a: { x: 99 } }, { a: { x: 100, y: 1 }, b: { z: 0 } })).toEqual([]);
});

test("a floor that falls, vanishes or is no number is refused", () => {
  expect(loosened({ a: { x: 99 } }, { a: { x: 98.9 } })).toEqual(["a: x fell from 99 to 98.9"]);
  expect(loosened({ a: { x: 99 } }, { a: {} })).toEqual(["a: x had the floor 99 and is gone"]);
  expect(loosened({ a: { x: 99 } }, {})).toEqual(["a: x had the floor 99 and is gone"]);
  expect(loosened({ a: { x: 99 } }, { a: { x: "100?" } })).toEqual(["a: x fell from 99 to 100?"]);
});
