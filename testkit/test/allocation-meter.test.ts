import { allocatedBytesPerCall } from "@longwave/testkit";
import { describe, expect, test } from "vitest";

describe("allocatedBytesPerCall", () => {
  const numbers = new Float64Array(64);

  test("sees nothing in a loop over typed arrays", () => {
    const used = allocatedBytesPerCall(() => {
      for (let i = 0; i < numbers.length; i++) numbers[i] = numbers[i]! + 1;
    });
    expect(used.heap).toBeLessThan(1);
  });

  test("sees one small object a call", () => {
    const kept: object[] = new Array(1);
    const used = allocatedBytesPerCall(
      () => {
        kept[0] = { at: numbers[0], next: numbers[1] };
      },
      { rounds: 5 },
    );
    expect(used.heap).toBeGreaterThan(8);
  });
});
