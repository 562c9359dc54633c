import { SeededRandom } from "@longwave/base";
import { describe, expect, test } from "vitest";

/** sfc32 of PractRand 0.94 in exact integers: add, xor-shift, multiply by 9, rotate by 21. */
function* sfc32(a: bigint, b: bigint, c: bigint): Generator<number> {
  const mask = 0xffff_ffffn;
  let counter = 1n;
  for (let i = 0; ; i++) {
    const sum = (a + b + counter) & mask;
    counter = (counter + 1n) & mask;
    a = b ^ (b >> 9n);
    b = (c + (c << 3n)) & mask;
    c = (((c << 21n) | (c >> 11n)) + sum) & mask;
    if (i >= 15) yield Number(sum);
  }
}

describe("SeededRandom", () => {
  test.each([
    [0, 0],
    [7, 0],
    [2 ** 53 - 1, 3],
    [0x1234_5678_9abc, 0xffff_ffff],
  ])("seed %i, stream %i is sfc32", (seed, stream) => {
    const random = new SeededRandom(seed, stream);
    const reference = sfc32(BigInt(seed) & 0xffff_ffffn, BigInt(seed) >> 32n, BigInt(stream));
    for (let i = 0; i < 200; i++) expect(random.nextU32()).toBe(reference.next().value);
  });

  test("values fill their range evenly", () => {
    const random = new SeededRandom(1);
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) counts[random.below(10)]!++;
    // Six standard deviations of a binomial with p = 0.1.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(6 * Math.sqrt(9000));
    for (let i = 0; i < 1000; i++) {
      const value = random.next();
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThan(1);
    }
    expect(new SeededRandom(1).below(1)).toBe(0);
  });

  test("streams and seeds differ", () => {
    const first = new Set<number>();
    for (let seed = 0; seed < 30; seed++) {
      for (let stream = 0; stream < 30; stream++) first.add(new SeededRandom(seed, stream).nextU32());
    }
    expect(first.size).toBe(900);
  });
});
