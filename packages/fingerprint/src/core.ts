import { instantiateCore } from "@longwave/kernels";
import { coreWasmBase64 } from "./generated/core-wasm.ts";

/** What the WASM core offers; see assembly/index.ts. */
interface CoreExports {
  prepare(): void;
  inputAddress(): number;
  rowAddress(): number;
  rowMaximumAddress(): number;
  powerSpectrum(size: number): void;
  landmarkRow(): void;
  markRow(): void;
}

/**
 * The WASM core with views of its input and results. It keeps nothing between calls, so all streams of a thread share one:
 * fill `input`, call, read the result before anybody else calls.
 */
export interface FingerprintCore {
  readonly exports: CoreExports;
  /** Samples to analyse, at most 2,048. */
  readonly input: Float32Array;
  /** Powers or levels, at most 1,025. */
  readonly row: Float32Array;
  readonly rowMaximum: Float32Array;
  /** The same memory as `row` and `rowMaximum`, as integers. */
  readonly integerRow: Int32Array;
  readonly integerSums: Int32Array;
}

let shared: FingerprintCore | undefined;

/** The core of this thread, made at the first call. @throws KernelError where there is no WASM SIMD */
export function fingerprintCore(): FingerprintCore {
  if (shared === undefined) {
    const exports = instantiateCore<CoreExports>(coreWasmBase64);
    exports.prepare();
    const view = (address: number, length: number) =>
      new Float32Array(exports.memory.buffer, address, length);
    shared = {
      exports,
      input: view(exports.inputAddress(), 2048),
      row: view(exports.rowAddress(), 1025),
      rowMaximum: view(exports.rowMaximumAddress(), 513),
      integerRow: new Int32Array(exports.memory.buffer, exports.rowAddress(), 450),
      integerSums: new Int32Array(exports.memory.buffer, exports.rowMaximumAddress(), 450),
    };
  }
  return shared;
}

/** Copies `count` samples into the core's input. */
export function loadInput(core: FingerprintCore, samples: Float32Array, start: number, count: number): void {
  const input = core.input;
  for (let i = 0; i < count; i++) input[i] = samples[start + i]!;
}
