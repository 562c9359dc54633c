/** What the WASM core exports (assembly/index.ts). Addresses and lengths are i32; arrays are f32 unless named. */
export interface CoreExports {
  heapBase(): number;

  fftPlanBytes(length: number): number;
  fftPlan(plan: number, length: number): void;
  fftForward(plan: number, inRe: number, inIm: number, out: number, work: number, interleaved: number): void;

  realFftPlanBytes(length: number): number;
  realFftPlan(plan: number, length: number): void;
  realFftForward(plan: number, input: number, outRe: number, outIm: number, work: number): void;
  realFftInverse(
    plan: number,
    inRe: number,
    inIm: number,
    output: number,
    work1: number,
    work2: number,
  ): void;
  realFftInverseOdd(
    plan: number,
    re: number,
    im: number,
    output: number,
    work1: number,
    work2: number,
    work3: number,
  ): void;

  /** cos and sin of 2 pi times the argument, log2 and 2^x, all in f64. */
  cosTurn(turns: number): number;
  sinTurn(turns: number): number;
  log2(x: number): number;
  exp2(x: number): number;

  stftFrame(
    plan: number,
    samples: number,
    window: number,
    windowed: number,
    length: number,
    outRe: number,
    outIm: number,
    work: number,
  ): void;
  powerOf(re: number, im: number, output: number, count: number): void;
  scaledLog2(
    input: number,
    output: number,
    count: number,
    addend: number,
    floor: number,
    scale: number,
  ): void;
  bandSums(spectrum: number, ranges: number, weights: number, bands: number, output: number): void;

  sincTable(table: number, rows: number, phases: number, taps: number, cutoff: number, beta: number): void;
  resample(
    input: number,
    available: number,
    start: number,
    phase: number,
    phases: number,
    step: number,
    table: number,
    tableRows: number,
    taps: number,
    output: number,
    room: number,
  ): number;

  rowMaxima(values: number, maxima: number, work: number, count: number, radius: number): void;
  boxPeaks(
    maxima: number,
    rowBytes: number,
    rows: number,
    values: number,
    count: number,
    threshold: number,
    peaks: number,
  ): number;

  weightedEnergy(samples: number, count: number, filter: number, state: number): number;
  windowLoudness(ring: number, size: number, end: number, count: number, result: number): void;
  interpolatedPeak(samples: number, count: number, table: number, phases: number, taps: number): number;
}
