import { SampleRing, SeededRandom } from "@longwave/base";
import { allocatedBytesPerCall } from "@longwave/testkit";
import { describe, expect, test } from "vitest";

describe("SampleRing", () => {
  test("behaves as a bounded queue, whatever is done to it", () => {
    for (let seed = 0; seed < 50; seed++) {
      const random = new SeededRandom(seed);
      const ring = new SampleRing(1 + random.below(20));
      const queue: number[] = [];
      let next = 0;
      for (let step = 0; step < 200; step++) {
        const samples = Float32Array.from({ length: random.below(12) }, () => ++next);
        const start = random.below(samples.length + 1);
        const end = start + random.below(samples.length - start + 1);
        const into = new Float32Array(samples.length).fill(-1);
        const action = random.below(4);
        if (action === 0) {
          const fits = Math.min(end - start, ring.capacity - queue.length);
          expect(ring.write(samples, start, end)).toBe(fits);
          queue.push(...samples.subarray(start, start + fits));
        } else if (action === 3) {
          const dropped = Math.min(end, queue.length);
          expect(ring.skip(end)).toBe(dropped);
          queue.splice(0, dropped);
        } else {
          const count = Math.min(end - start, queue.length);
          expect(action === 1 ? ring.read(into, start, end) : ring.peek(into, start, end)).toBe(count);
          expect([...into.subarray(start, start + count)]).toEqual(queue.slice(0, count));
          expect([...into.subarray(start + count)].every((sample) => sample === -1)).toBe(true);
          if (action === 1) queue.splice(0, count);
        }
        expect(ring.length).toBe(queue.length);
      }
      ring.clear();
      expect(ring.length).toBe(0);
    }
  });

  test("reversed and overlong ranges move nothing that is not there", () => {
    const ring = new SampleRing(8);
    const samples = Float32Array.of(1, 2, 3);
    expect(ring.write(samples, 2, 1)).toBe(0);
    expect(ring.write(samples, 0, 99)).toBe(3);
    expect(ring.skip(-5)).toBe(0);
    expect(ring.read(samples, 3, 1)).toBe(0);
    expect(ring.length).toBe(3);
  });

  test.each([0, -1, 1.5, Number.NaN, 2 ** 31])("a capacity of %d is refused", (capacity) => {
    expect(() => new SampleRing(capacity)).toThrow(expect.objectContaining({ code: "base/bad-capacity" }));
  });

  test("costs nothing on the heap", () => {
    const ring = new SampleRing(1000);
    const samples = new Float32Array(300);
    const call = () => {
      ring.write(samples);
      ring.read(samples);
    };
    expect(allocatedBytesPerCall(call, { warmupCalls: 5000, calls: 5000 }).heap).toBeLessThan(1);
  });
});
