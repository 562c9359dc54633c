// npm run bench -- tts-kernels [--json]: the matrix kernels on the sizes of the real model, beside plain TypeScript and beside the speed at
// which this machine reads memory, all in one run. CPU time of one thread, median of seven rounds.
import { Arena, Core } from "@longwave/tts/bench";

interface Row {
  readonly kernel: string;
  readonly ms: number;
  readonly note: string;
  /** Whether the target was met; undefined where there is none. */
  readonly target?: string;
  readonly ok?: boolean;
}

const rounds = 7;

function medianMs(call: () => void, repeats = 1): number {
  call();
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < repeats; i++) call();
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1000 / repeats);
  }
  return times.sort((a, b) => a - b)[rounds >> 1]!;
}

/**
 * The same sums in plain TypeScript, written as well as one can: four rows by two outputs in registers, single precision by `Math.fround`,
 * so that the engine uses 32-bit arithmetic.
 */
function plainGemm(a: Float32Array, w: Float32Array, c: Float32Array, m: number, n: number, k: number): void {
  const f = Math.fround;
  for (let row = 0; row < m; row += 4) {
    for (let column = 0; column < n; column += 2) {
      let s00 = f(0);
      let s01 = f(0);
      let s10 = f(0);
      let s11 = f(0);
      let s20 = f(0);
      let s21 = f(0);
      let s30 = f(0);
      let s31 = f(0);
      const a0 = row * k;
      const w0 = column * k;
      for (let i = 0; i < k; i++) {
        const x = w[w0 + i]!;
        const y = w[w0 + k + i]!;
        const p = a[a0 + i]!;
        const q = a[a0 + k + i]!;
        const r = a[a0 + 2 * k + i]!;
        const t = a[a0 + 3 * k + i]!;
        s00 = f(s00 + f(p * x));
        s01 = f(s01 + f(p * y));
        s10 = f(s10 + f(q * x));
        s11 = f(s11 + f(q * y));
        s20 = f(s20 + f(r * x));
        s21 = f(s21 + f(r * y));
        s30 = f(s30 + f(t * x));
        s31 = f(s31 + f(t * y));
      }
      const at = row * n + column;
      c[at] = s00;
      c[at + 1] = s01;
      c[at + n] = s10;
      c[at + n + 1] = s11;
      c[at + 2 * n] = s20;
      c[at + 2 * n + 1] = s21;
      c[at + 3 * n] = s30;
      c[at + 3 * n + 1] = s31;
    }
  }
}

const rows: Row[] = [];

// --- GEMM 512^3 and the largest convolution of Mimi.
{
  const size = 512;
  const arena = new Arena();
  const a = arena.floats(size * size);
  const w = arena.floats(size * size);
  const packed = arena.floats(size * size);
  const packedHalf = arena.floats(size * size);
  const c = arena.floats(size * size);
  const core = new Core(arena.size);
  const values = (address: number) => core.floats(address, size * size);
  for (let i = 0; i < size * size; i++) {
    values(a)[i] = ((i * 7919) % 1000) / 1000 - 0.5;
    values(w)[i] = ((i * 104729) % 1000) / 1000 - 0.5;
  }
  core.kernels.packPanelsF32(w, packed, size, size);
  core.kernels.packPanelsBf16(w, packedHalf, size, size);
  const macs = size ** 3;
  const ours = medianMs(() => core.kernels.gemmF32(a, size, packed, 0, c, size, size, size, size, 0), 5);
  const half = medianMs(() => core.kernels.gemmBf16(a, size, packedHalf, 0, c, size, size, size, size, 0), 5);
  const plainA = values(a).slice();
  const plainW = values(w).slice();
  const plain = medianMs(() => plainGemm(plainA, plainW, new Float32Array(size * size), size, size, size));
  const rate = (ms: number) => `${(macs / ms / 1e6).toFixed(1)} GMAC/s`;
  rows.push({ kernel: "GEMM f32 512x512x512, plain TypeScript", ms: plain, note: rate(plain) });
  rows.push({
    kernel: "GEMM f32 512x512x512",
    ms: ours,
    note: `${rate(ours)}, ${(plain / ours).toFixed(1)} x plain`,
    target: ">= 20 GMAC/s where plain does 2.4, so 8.3 x plain",
    ok: macs / ours / 1e6 >= 20 || plain / ours >= 20 / 2.4,
  });
  rows.push({ kernel: "GEMM bf16 512x512x512", ms: half, note: rate(half) });
}

// --- One step of the language model: 6 layers of four matrices, one row of activations.
{
  const layers = 6;
  const matrices = [
    [3072, 1024],
    [1024, 1024],
    [4096, 1024],
    [1024, 4096],
  ] as const;
  const weights = layers * matrices.reduce((sum, [n, k]) => sum + n * k, 0);
  const arena = new Arena();
  const x = arena.floats(4096);
  const y = arena.floats(4096);
  const quantized = arena.allocate(4096 * 2);
  const scale = arena.floats(1);
  const rowScales = arena.floats(4096);
  const data = arena.allocate(weights * 4);
  const core = new Core(arena.size);
  for (let i = 0; i < 4096; i++) {
    core.f32[(x >> 2) + i] = (i % 17) / 17 - 0.5;
    core.f32[(rowScales >> 2) + i] = 1e-3;
  }
  // Any bit pattern of moderate size does: the cost does not depend on the values.
  core.i32.fill(0x3c003c00, data >> 2, (data >> 2) + weights);
  const step = (bytes: number, call: (w: number, n: number, k: number) => void) => () => {
    let at = data;
    for (let layer = 0; layer < layers; layer++) {
      for (const [n, k] of matrices) {
        call(at, n, k);
        at += n * k * bytes;
      }
    }
  };
  const { kernels } = core;
  const f32 = medianMs(
    step(4, (w, n, k) => kernels.gemmF32(x, k, w, 0, y, n, 1, n, k, 0)),
    5,
  );
  const bf16 = medianMs(
    step(2, (w, n, k) => kernels.gemmBf16(x, k, w, 0, y, n, 1, n, k, 0)),
    5,
  );
  const int8 = medianMs(
    step(1, (w, n, k) => {
      core.f32[scale >> 2] = kernels.quantizeActivations(x, quantized, k, k);
      kernels.gemmInt8(quantized, scale, w, rowScales, y, n, 1, n, k, 0);
    }),
    5,
  );
  // The floor: reading as many bytes with the cheapest kernel that must look at all of them.
  const floorOf = (bytes: number) => medianMs(() => kernels.readThrough(data, bytes), 5);
  const floors = { f32: floorOf(weights * 4), bf16: floorOf(weights * 2), int8: floorOf(weights) };
  const note = (ms: number, floor: number) =>
    `${(ms / floor).toFixed(2)} x the floor of ${floor.toFixed(1)} ms`;
  rows.push({ kernel: "FlowLM step GEMV f32 (302 MB)", ms: f32, note: note(f32, floors.f32) });
  rows.push({ kernel: "FlowLM step GEMV bf16 (151 MB)", ms: bf16, note: note(bf16, floors.bf16) });
  rows.push({
    kernel: "FlowLM step GEMV int8 (75 MB)",
    ms: int8,
    note: note(int8, floors.int8),
    target: "<= 9 ms",
    ok: int8 <= 9,
  });
}

// --- Text of 27 tokens through the same matrices: what stands before the first sound.
{
  const tokens = 27;
  const matrices = [
    [3072, 1024],
    [1024, 1024],
    [4096, 1024],
    [1024, 4096],
  ] as const;
  const macs = tokens * 6 * matrices.reduce((sum, [n, k]) => sum + n * k, 0);
  const arena = new Arena();
  const x = arena.floats(tokens * 4096);
  const y = arena.floats(tokens * 4096);
  const quantized = arena.allocate(tokens * 4096 * 2);
  const scales = arena.floats(tokens);
  const rowScales = arena.floats(4096);
  const data = arena.allocate(4096 * 1024 * 4);
  const core = new Core(arena.size);
  core.floats(x, tokens * 4096).fill(0.5);
  core.i32.fill(0x3c003c00, data >> 2, (data >> 2) + 4096 * 1024);
  const { kernels } = core;
  const through = (call: (n: number, k: number) => void) =>
    medianMs(() => {
      for (let layer = 0; layer < 6; layer++) for (const [n, k] of matrices) call(n, k);
    });
  const times = {
    f32: through((n, k) => kernels.gemmF32(x, k, data, 0, y, n, tokens, n, k, 0)),
    bf16: through((n, k) => kernels.gemmBf16(x, k, data, 0, y, n, tokens, n, k, 0)),
    int8: through((n, k) => {
      for (let row = 0; row < tokens; row++) {
        const scale = kernels.quantizeActivations(x + row * k * 4, quantized + row * k * 2, k, k);
        core.f32[(scales >> 2) + row] = scale;
      }
      kernels.gemmInt8(quantized, scales, data, rowScales, y, n, tokens, n, k, 0);
    }),
  };
  for (const [format, ms] of Object.entries(times)) {
    const note = `${(macs / ms / 1e6).toFixed(1)} GMAC/s, weights in the cache`;
    rows.push({ kernel: `Prefill of 27 tokens ${format}`, ms, note });
  }
}

if (process.argv.includes("--json")) console.log(JSON.stringify({ rows }));
else {
  console.log("| kernel | ms | | target | |\n| --- | --- | --- | --- | --- |");
  for (const { kernel, ms, note, target, ok } of rows) {
    const verdict = ok === undefined ? "" : ok ? "ok" : "MISSED";
    console.log(`| ${kernel} | ${ms.toFixed(2)} | ${note} | ${target ?? ""} | ${verdict} |`);
  }
}
