import { TimeAxis } from "@longwave/archive";
import { expect, test } from "vitest";

const second = 1_000_000_000n;

test("gaps are jumps of wall-clock time between pieces; drift corrections and rounding are none", () => {
  const anchors = [
    { sample: 0, unixNs: 100n * second },
    // The clock of the first ten seconds ran 1 ms fast.
    { sample: 480_000, unixNs: 110n * second + 1_000_000n, continuous: true },
    { sample: 960_000, unixNs: 180n * second + 1_000_000n },
    { sample: 1_440_000, unixNs: 190n * second + 1_000_100n },
    { sample: 1_920_000, unixNs: 195n * second },
  ];
  // The last one would go back in time against the piece before it: the clock was set.
  const gaps = new TimeAxis(anchors, 2_400_000).gaps();
  expect(gaps).toEqual([
    { sample: 960_000, ns: 60n * second },
    { sample: 1_920_000, ns: -5n * second - 1_000_100n },
  ]);
  expect(new TimeAxis([], 48_000).gaps()).toEqual([]);
});
