import { decodeCore, KernelError } from "@longwave/kernels";
import { TtsError } from "../errors.ts";
import { coreWasmBase64 } from "../generated/core-wasm.ts";

/** What the WASM core exports; see `assembly/` for each function's contract. Arguments are byte addresses and counts. */
export interface CoreExports {
  cosine(x: number): number;
  sine(x: number): number;
  exponential(x: number): number;
  logarithm(x: number): number;
  gemmF32: Gemm;
  gemmBf16: Gemm;
  gemmInt8(
    a: number,
    activationScales: number,
    w: number,
    rowScales: number,
    c: number,
    ldc: number,
    m: number,
    n: number,
    k: number,
    add: number,
  ): void;
  readThrough(address: number, bytes: number): number;
  quantizeActivations(x: number, target: number, k: number, paddedK: number): number;
  packPanelsF32(source: number, target: number, n: number, k: number): void;
  packPanelsBf16(source: number, target: number, n: number, k: number): void;
  packRowsInt8(source: number, target: number, scales: number, n: number, k: number, paddedK: number): void;
  addGated(target: number, gate: number, x: number, count: number): void;
  addScaled(target: number, x: number, factor: number, count: number): void;
  elu(x: number, target: number, count: number): void;
  gelu(x: number, count: number): void;
  silu(x: number, target: number, count: number): void;
  scaleAndShift(x: number, factor: number, offset: number, target: number, count: number): void;
  rotaryTable(
    target: number,
    first: number,
    count: number,
    headDim: number,
    maxPeriod: number,
    logMaxPeriod: number,
  ): void;
  appendKeysAndValues(
    qkv: number,
    table: number,
    keys: number,
    values: number,
    rows: number,
    heads: number,
    headDim: number,
  ): void;
  attend(
    qkv: number,
    keys: number,
    values: number,
    target: number,
    scores: number,
    rows: number,
    first: number,
    context: number,
    heads: number,
    headDim: number,
  ): void;
  gaussianBlock(x: number, sigma: number): void;
  layerNorm(
    x: number,
    weight: number,
    bias: number,
    target: number,
    rows: number,
    dim: number,
    eps: number,
  ): void;
  layerNormModulated(
    x: number,
    weight: number,
    bias: number,
    shift: number,
    scale: number,
    target: number,
    dim: number,
  ): void;
  varianceNorm(x: number, alpha: number, dim: number): void;
  upsample(x: number, previous: number, w: number, target: number, stride: number, channels: number): void;
}

type Gemm = (
  a: number,
  lda: number,
  w: number,
  bias: number,
  c: number,
  ldc: number,
  m: number,
  n: number,
  k: number,
  add: number,
) => void;

const pageBytes = 65_536;
/** wasm32 ends at 4 GiB. */
const maxPages = 65_536;

/** One instance of the core with a memory of fixed size, laid out by an {@link Arena}. */
export class Core {
  readonly kernels: CoreExports;
  readonly memory: WebAssembly.Memory;
  readonly f32: Float32Array;
  readonly i32: Int32Array;
  readonly u16: Uint16Array;
  readonly u8: Uint8Array;

  /**
   * @param bytes size of the memory, as {@link Arena} counted it; pages that are never touched cost no real memory
   * @throws TtsError `tts/model-too-large` beyond 4 GiB or where the engine refuses the size
   * @throws KernelError `kernels/unsupported` on an engine without WebAssembly SIMD
   */
  constructor(bytes: number) {
    const pages = Math.max(1, Math.ceil(bytes / pageBytes));
    if (pages > maxPages) {
      throw new TtsError(
        "tts/model-too-large",
        `The model needs ${Math.ceil(bytes / 2 ** 20)} MiB; WebAssembly ends at 4096. Use precision "bf16" or "int8".`,
      );
    }
    try {
      this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    } catch (cause) {
      throw new TtsError("tts/model-too-large", `The engine gives no memory of ${pages} pages.`, { cause });
    }
    this.kernels = new WebAssembly.Instance(coreModule(), { env: { memory: this.memory } })
      .exports as unknown as CoreExports;
    this.f32 = new Float32Array(this.memory.buffer);
    this.i32 = new Int32Array(this.memory.buffer);
    this.u16 = new Uint16Array(this.memory.buffer);
    this.u8 = new Uint8Array(this.memory.buffer);
  }

  /** A view of `count` floats at an address. */
  floats(address: number, count: number): Float32Array {
    return this.f32.subarray(address >> 2, (address >> 2) + count);
  }

  /** Copies bytes inside the memory. */
  copy(target: number, source: number, bytes: number): void {
    this.u8.copyWithin(target, source, source + bytes);
  }
}

let compiled: WebAssembly.Module | undefined;

function coreModule(): WebAssembly.Module {
  if (compiled === undefined) {
    try {
      compiled = new WebAssembly.Module(decodeCore(coreWasmBase64));
    } catch (cause) {
      throw new KernelError(
        "kernels/unsupported",
        "unsupported",
        "This JavaScript engine cannot run WebAssembly with SIMD128; use Node 20.19 or a browser of 2021 or later.",
        { cause },
      );
    }
  }
  return compiled;
}

let elementary: CoreExports | undefined;

/** Elementary functions that give the same bits on every machine (unlike the engine's `Math`). */
export function elementaryFunctions(): Pick<CoreExports, "cosine" | "sine" | "exponential" | "logarithm"> {
  elementary ??= new Core(0).kernels;
  return elementary;
}
