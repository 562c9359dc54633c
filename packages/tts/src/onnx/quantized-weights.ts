import type { SafetensorsFile } from "../model/safetensors.ts";

/** Where the 8-bit form of a matrix lies in the file of quantised weights. */
export interface QuantizedMatrix {
  readonly offset: number;
  readonly byteLength: number;
  /** Value of one step, for each of the n outputs. */
  readonly scales: Float32Array;
}

/** Files of external data are mapped page by page. */
const pageBytes = 4096;

/** Zero of the unsigned weights: two signed bytes would overflow the 16-bit sums of processors without VNNI. */
export const quantizedZero = 128;

/**
 * Quantises matrices to 8 bits, symmetric with a scale a row, as the native engine does, and collects them in the order in which MatMulInteger
 * reads them: [k][n], unsigned about {@link quantizedZero}.
 */
export class QuantizedWeights {
  /** Name of the file beside the graphs. */
  readonly location: string;
  readonly #parts: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  #length = 0;

  constructor(location: string) {
    this.location = location;
  }

  /** Quantises tensor `name`, which is [n][k]. */
  add(file: SafetensorsFile, name: string, n: number, k: number): QuantizedMatrix {
    const bytes = new Uint8Array(n * k);
    const scales = new Float32Array(n);
    const row = new Float32Array(k);
    for (let output = 0; output < n; output++) {
      file.readFloats(name, row, output * k, k);
      let peak = 0;
      for (let i = 0; i < k; i++) peak = Math.max(peak, Math.abs(row[i]!));
      scales[output] = peak / 127;
      const inverse = peak > 0 ? 127 / peak : 0;
      for (let i = 0; i < k; i++) bytes[i * n + output] = Math.round(row[i]! * inverse) + quantizedZero;
    }
    const offset = this.#length;
    this.#parts.push({ offset, bytes });
    this.#length = Math.ceil((offset + bytes.length) / pageBytes) * pageBytes;
    return { offset, byteLength: bytes.length, scales };
  }

  /** The file's bytes. */
  finish(): Uint8Array {
    const all = new Uint8Array(this.#length);
    for (const { offset, bytes } of this.#parts) all.set(bytes, offset);
    return all;
  }
}
