import { SeededRandom } from "@longwave/base";
import { BoxPeakPicker } from "@longwave/dsp";
import { allocatedBytesPerCall } from "@longwave/testkit";
import { describe, expect, test } from "vitest";

const random = new SeededRandom(31);

/** Few levels, so that plateaus and ties are common. */
function spectrogram(frames: number, bins: number, levels: number): Float32Array[] {
  return Array.from({ length: frames }, () =>
    Float32Array.from({ length: bins }, () => random.below(levels)),
  );
}

/** The definition, value by value. */
function oracle(rows: Float32Array[], frameRadius: number, binRadius: number, threshold: number): string[] {
  const found: string[] = [];
  for (const [t, row] of rows.entries()) {
    for (const [f, value] of row.entries()) {
      let isPeak = value > threshold;
      for (let u = Math.max(0, t - frameRadius); u <= Math.min(rows.length - 1, t + frameRadius); u++)
        for (let g = Math.max(0, f - binRadius); g <= Math.min(row.length - 1, f + binRadius); g++)
          if (rows[u]![g]! > value) isPeak = false;
      if (isPeak) found.push(`${t}:${f}`);
    }
  }
  return found;
}

function pick(picker: BoxPeakPicker, rows: Float32Array[]): string[] {
  const found: string[] = [];
  const onRow = (row: { frame: number; count: number; bins: Int32Array; values: Float32Array }) => {
    expect(row.values).toEqual(rows[row.frame]);
    for (let i = 0; i < row.count; i++) found.push(`${row.frame}:${row.bins[i]}`);
  };
  for (const row of rows) picker.push(row, onRow);
  picker.flush(onRow);
  return found;
}

describe("BoxPeakPicker", () => {
  test.each([
    { frames: 80, bins: 129, frameRadius: 15, binRadius: 15 },
    { frames: 40, bins: 50, frameRadius: 3, binRadius: 8 },
    { frames: 40, bins: 50, frameRadius: 8, binRadius: 3 },
    { frames: 9, bins: 1, frameRadius: 2, binRadius: 5 },
    { frames: 5, bins: 7, frameRadius: 20, binRadius: 20 },
    { frames: 12, bins: 33, frameRadius: 0, binRadius: 0 },
    { frames: 12, bins: 18, frameRadius: 1, binRadius: 2 },
  ])("finds what the definition finds: %o", ({ frames, bins, frameRadius, binRadius }) => {
    const picker = new BoxPeakPicker({ bins, frameRadius, binRadius, threshold: 3 });
    for (const levels of [2, 5, 30, 1_000_000]) {
      const rows = spectrogram(frames, bins, levels);
      expect(pick(picker, rows)).toEqual(oracle(rows, frameRadius, binRadius, 3));
    }
  });

  test("a NaN is no peak and hides nothing; infinities are ordinary", () => {
    const picker = new BoxPeakPicker({ bins: 9, frameRadius: 1, binRadius: 1 });
    const rows = spectrogram(6, 9, 4);
    rows[2]![4] = Number.NaN;
    rows[3]![0] = Number.POSITIVE_INFINITY;
    rows[4]!.fill(Number.NEGATIVE_INFINITY);
    const asLowest = rows.map((row) => row.map((x) => (Number.isNaN(x) ? Number.NEGATIVE_INFINITY : x)));
    expect(pick(picker, rows)).toEqual(oracle(asLowest, 1, 1, Number.NEGATIVE_INFINITY));
  });

  test("refuses rows of another length and impossible boxes", () => {
    const picker = new BoxPeakPicker({ bins: 9, frameRadius: 1, binRadius: 1 });
    expect(() => picker.push(new Float32Array(8), () => {})).toThrow(
      expect.objectContaining({ code: "dsp/bad-length" }),
    );
    expect(() => new BoxPeakPicker({ bins: 0, frameRadius: 1, binRadius: 1 })).toThrow(
      expect.objectContaining({ code: "dsp/bad-option" }),
    );
    expect(() => new BoxPeakPicker({ bins: 65_536, frameRadius: 1024, binRadius: 1 })).toThrow(
      expect.objectContaining({ code: "dsp/out-of-memory", kind: "limit" }),
    );
  });

  test("allocates nothing a row", () => {
    const picker = new BoxPeakPicker({ bins: 513, frameRadius: 15, binRadius: 15, threshold: 2 });
    const row = spectrogram(1, 513, 1000)[0]!;
    const onRow = () => {};
    expect(allocatedBytesPerCall(() => picker.push(row, onRow)).heap).toBeLessThan(1);
  });
});
