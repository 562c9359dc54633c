import { SeededRandom } from "@longwave/base";
import { describe, expect, test } from "vitest";
import { Arena } from "../src/model/arena.ts";
import { Core } from "../src/model/core.ts";

const random = new SeededRandom(11);
const noise = (count: number, scale = 1) =>
  Float32Array.from({ length: count }, () => (random.next() * 2 - 1) * scale);
const toBfloat = (x: number) => {
  const bits = new Uint32Array(Float32Array.of(x).buffer)[0]!;
  return new Float32Array(Uint32Array.of((bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000).buffer)[0]!;
};

/** The scalar twin: single precision, sums in order of k from the bias, then added to what is there. */
function scalarGemm(
  a: Float32Array,
  lda: number,
  w: Float32Array,
  bias: Float32Array | undefined,
  c: Float32Array,
  [m, n, k]: readonly [number, number, number],
  add: boolean,
): void {
  for (let row = 0; row < m; row++) {
    for (let column = 0; column < n; column++) {
      let sum = bias?.[column] ?? 0;
      for (let i = 0; i < k; i++)
        sum = Math.fround(sum + Math.fround(a[row * lda + i]! * w[column * k + i]!));
      c[row * n + column] = add ? Math.fround(c[row * n + column]! + sum) : sum;
    }
  }
}

// Rows, outputs, depth, distance of rows: tiles, remainders, partial panels, one row, overlapping windows, more than a row block.
const shapes = [
  [1, 64, 16, 16],
  [1, 40, 7, 7],
  [1, 3, 5, 5],
  [4, 8, 9, 9],
  [5, 13, 12, 12],
  [7, 24, 33, 40],
  [10, 6, 21, 3],
  [300, 9, 4, 2],
] as const;

describe.each(shapes)("a product of %i rows, %i outputs, depth %i, row distance %i", (m, n, k, lda) => {
  const panels = Math.ceil(n / 8) * 8;
  const setUp = (weights: Float32Array) => {
    const arena = new Arena();
    const addresses = {
      a: arena.floats((m - 1) * lda + k),
      w: arena.floats(n * k),
      packed: arena.floats(panels * k),
      bias: arena.floats(panels),
      c: arena.floats(m * n),
    };
    const core = new Core(arena.size);
    const a = noise((m - 1) * lda + k);
    const bias = noise(n);
    const c = noise(m * n);
    core.floats(addresses.a, a.length).set(a);
    core.floats(addresses.w, n * k).set(weights);
    core.floats(addresses.bias, n).set(bias);
    core.floats(addresses.c, m * n).set(c);
    return { core, ...addresses, values: { a, bias, c } };
  };

  test.each([
    ["f32", false],
    ["f32", true],
    ["bf16", false],
    ["bf16", true],
  ] as const)("in %s has the bits of the scalar loop (adding: %s)", (format, add) => {
    const weights = noise(n * k).map(format === "bf16" ? toBfloat : (x) => x);
    const { core, a, w, packed, bias, c, values } = setUp(weights);
    const { kernels } = core;
    if (format === "f32") kernels.packPanelsF32(w, packed, n, k);
    else kernels.packPanelsBf16(w, packed, n, k);
    const gemm = format === "f32" ? kernels.gemmF32 : kernels.gemmBf16;
    gemm(a, lda, packed, add ? 0 : bias, c, n, m, n, k, add ? 1 : 0);
    scalarGemm(values.a, lda, weights, add ? undefined : values.bias, values.c, [m, n, k], add);
    expect(core.floats(c, m * n)).toEqual(values.c);
  });
});

/** Where the 8-bit weight of output `n` and depth `k` is: W[n/4][k/8][n%4][k%8]. */
const packedAt = (n: number, k: number, depth: number) =>
  (n >> 2) * 4 * depth + (k >> 3) * 32 + (n & 3) * 8 + (k & 7);

describe.each([
  [1, 8, 16],
  [3, 7, 32],
  [2, 5, 20],
  [5, 9, 27],
  [1, 4, 4096],
])("an 8-bit product of %i rows, %i outputs, depth %i", (m, n, k) => {
  test("is the integer sum, exactly, times the scales, and near the exact product", () => {
    const wide = Math.ceil(k / 16) * 16;
    const rows = Math.ceil(n / 4) * 4;
    const arena = new Arena();
    const x = arena.floats(m * k);
    const w = arena.floats(n * k);
    const packed = arena.allocate(rows * wide);
    const rowScales = arena.floats(rows);
    const activations = arena.allocate(m * wide * 2);
    const scales = arena.floats(m);
    const c = arena.floats(m * n);
    const core = new Core(arena.size);
    const values = noise(m * k, 3);
    const weights = noise(n * k, 0.2);
    core.floats(x, m * k).set(values);
    core.floats(w, n * k).set(weights);
    const { kernels } = core;
    kernels.packRowsInt8(w, packed, rowScales, n, k, wide);
    for (let row = 0; row < m; row++) {
      core.floats(scales, m)[row] = kernels.quantizeActivations(
        x + row * k * 4,
        activations + row * wide * 2,
        k,
        wide,
      );
    }
    kernels.gemmInt8(activations, scales, packed, rowScales, c, n, m, n, wide, 0);
    const bytes = new Int8Array(core.memory.buffer, packed, rows * wide);
    const shorts = new Int16Array(core.memory.buffer, activations, m * wide);
    for (let row = 0; row < m; row++) {
      for (let column = 0; column < n; column++) {
        let sum = 0;
        let exact = 0;
        let size = 0;
        for (let i = 0; i < wide; i++) sum += shorts[row * wide + i]! * bytes[packedAt(column, i, wide)]!;
        for (let i = 0; i < k; i++) {
          exact += values[row * k + i]! * weights[column * k + i]!;
          size += (values[row * k + i]! * weights[column * k + i]!) ** 2;
        }
        expect(Math.abs(sum)).toBeLessThan(2 ** 31);
        const factor = Math.fround(core.floats(rowScales, rows)[column]! * core.floats(scales, m)[row]!);
        const result = core.floats(c, m * n)[row * n + column]!;
        expect(result).toBe(Math.fround(Math.fround(sum) * factor));
        // Half a step of the weights, at random signs.
        expect(Math.abs(result - exact)).toBeLessThan(0.02 * Math.sqrt(size) + 0.02);
      }
    }
  });
});

test("the largest activations and weights cannot overflow 32 bits", () => {
  const k = 4096;
  const arena = new Arena();
  const x = arena.floats(k);
  const w = arena.floats(4 * k);
  const packed = arena.allocate(4 * k);
  const rowScales = arena.floats(4);
  const activations = arena.allocate(2 * k);
  const scale = arena.floats(1);
  const c = arena.floats(4);
  const core = new Core(arena.size);
  core.floats(x, k).fill(1);
  core.floats(w, 4 * k).fill(-1);
  core.kernels.packRowsInt8(w, packed, rowScales, 4, k, k);
  core.floats(scale, 1)[0] = core.kernels.quantizeActivations(x, activations, k, k);
  core.kernels.gemmInt8(activations, scale, packed, rowScales, c, 4, 1, 4, k, 0);
  for (const value of core.floats(c, 4)) expect(value / -k).toBeCloseTo(1, 5);
});

describe("element-wise functions follow their definitions", () => {
  const arena = new Arena();
  const x = arena.floats(4096);
  const y = arena.floats(4096);
  const core = new Core(arena.size);
  const inputs = Float32Array.from({ length: 4096 }, (_, i) => (i - 2048) / 128);
  /** erf by its series, in double precision. */
  const erf = (z: number) => {
    if (Math.abs(z) > 4) return Math.sign(z);
    let term = z;
    let sum = z;
    for (let n = 1; n < 200; n++) {
      term *= (-z * z) / n;
      sum += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
  };

  test.each([
    ["gelu", (v: number) => 0.5 * v * (1 + erf(v * Math.SQRT1_2)), () => core.kernels.gelu(y, 4096)],
    ["silu", (v: number) => v / (1 + Math.exp(-v)), () => core.kernels.silu(x, y, 4096)],
    ["elu", (v: number) => (v > 0 ? v : Math.expm1(v)), () => core.kernels.elu(x, y, 4096)],
  ])("%s", (_, definition, run) => {
    core.floats(x, 4096).set(inputs);
    core.floats(y, 4096).set(inputs);
    run();
    const result = core.floats(y, 4096);
    for (let i = 0; i < 4096; i++) {
      const wanted = definition(inputs[i]!);
      expect(Math.abs(result[i]! - wanted)).toBeLessThan(3e-7 * Math.max(1, Math.abs(inputs[i]!)));
    }
  });
});
