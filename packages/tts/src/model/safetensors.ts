import { TtsError } from "../errors.ts";
import type { ByteSource } from "./byte-source.ts";

/** Element types of the format and their sizes in bytes. */
export const dtypeBytes = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  I64: 8,
  U64: 8,
  F64: 8,
} as const;

/** Name of an element type as the format spells it. */
export type Dtype = keyof typeof dtypeBytes;

/** One tensor's place in a file. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Absolute offset of the first byte in the source. */
  readonly offset: number;
  readonly byteLength: number;
  readonly elements: number;
}

/** Limits against hostile files; all have defaults far above any real model. */
export interface SafetensorsLimits {
  /** Largest JSON header in bytes; default 8 MiB (the published models have about 30 KiB). */
  readonly maxHeaderBytes?: number;
  /** Most tensors in one file; default 65,536. */
  readonly maxTensors?: number;
  /** Most dimensions of one tensor; default 8. */
  readonly maxDimensions?: number;
}

const defaultLimits: Required<SafetensorsLimits> = {
  maxHeaderBytes: 8 << 20,
  maxTensors: 65_536,
  maxDimensions: 8,
};

/**
 * A safetensors file: u64 header length, JSON header, data. The header is checked as a whole before any tensor is read: known
 * types, sizes that follow from the shapes, ranges inside the file that neither overlap nor leave holes.
 *
 * Source: https://github.com/huggingface/safetensors#format
 */
export class SafetensorsFile {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** The free-form `__metadata__` strings. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly #source: ByteSource;
  readonly #label: string;

  private constructor(
    source: ByteSource,
    label: string,
    tensors: ReadonlyMap<string, TensorInfo>,
    metadata: ReadonlyMap<string, string>,
  ) {
    this.#source = source;
    this.#label = label;
    this.tensors = tensors;
    this.metadata = metadata;
  }

  /**
   * Reads and checks the header.
   * @param label how errors name the file, for example its path
   * @throws TtsError `tts/model-malformed` with the tensor and the reason
   */
  static open(source: ByteSource, label = "safetensors", limits: SafetensorsLimits = {}): SafetensorsFile {
    const { maxHeaderBytes, maxTensors, maxDimensions } = { ...defaultLimits, ...limits };
    const fail = (reason: string): never => {
      throw new TtsError("tts/model-malformed", `${label}: ${reason}.`);
    };
    if (source.byteLength < 8) fail(`${source.byteLength} bytes are too few for a safetensors header`);
    const lengthBytes = new Uint8Array(8);
    source.readInto(lengthBytes, 0);
    const view = new DataView(lengthBytes.buffer);
    const headerBytes = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
    if (headerBytes > maxHeaderBytes)
      fail(`the header claims ${headerBytes} bytes, the limit is ${maxHeaderBytes}`);
    if (8 + headerBytes > source.byteLength) {
      fail(`the header claims ${headerBytes} bytes, the file has ${source.byteLength - 8} after its length`);
    }
    const header = new Uint8Array(headerBytes);
    source.readInto(header, 8);
    const json = parseHeader(header, fail);

    const dataStart = 8 + headerBytes;
    const dataBytes = source.byteLength - dataStart;
    const tensors = new Map<string, TensorInfo>();
    const metadata = new Map<string, string>();
    for (const [name, value] of Object.entries(json)) {
      if (name === "__metadata__") {
        for (const [key, text] of Object.entries(asObject(value) ?? fail("__metadata__ is not an object"))) {
          if (typeof text !== "string") fail(`metadata ${quote(key)} is not a string`);
          metadata.set(key, text as string);
        }
        continue;
      }
      if (tensors.size >= maxTensors) fail(`more than ${maxTensors} tensors`);
      tensors.set(name, readInfo(name, value, dataStart, dataBytes, maxDimensions, fail));
    }
    checkLayout(tensors, dataStart, source.byteLength, fail);
    return new SafetensorsFile(source, label, tensors, metadata);
  }

  has(name: string): boolean {
    return this.tensors.has(name);
  }

  /**
   * The description of a tensor.
   * @param shape if given, the tensor must have exactly this shape
   * @throws TtsError `tts/model-malformed` if it is missing or has another shape
   */
  info(name: string, shape?: readonly number[]): TensorInfo {
    const info = this.tensors.get(name);
    if (info === undefined) {
      throw new TtsError("tts/model-malformed", `${this.#label}: tensor ${quote(name)} is missing.`);
    }
    if (
      shape !== undefined &&
      (info.shape.length !== shape.length || info.shape.some((n, i) => n !== shape[i]))
    ) {
      throw new TtsError(
        "tts/model-malformed",
        `${this.#label}: tensor ${quote(name)} has shape [${info.shape}], expected [${shape}].`,
      );
    }
    return info;
  }

  /**
   * Reads `count` elements from element `start` as 32-bit floats into `target` (which the caller owns). F32, F16, BF16 and
   * BOOL are converted exactly.
   * @throws TtsError `tts/model-malformed` on another element type
   */
  readFloats(
    name: string,
    target: Float32Array,
    start = 0,
    count: number = this.info(name).elements - start,
  ): void {
    const info = this.info(name);
    if (start < 0 || count < 0 || start + count > info.elements || count > target.length) {
      throw new TtsError(
        "tts/tensor-invalid",
        `${this.#label}: elements ${start}..${start + count} of ${quote(name)} do not fit ${info.elements} or the target's ${target.length}.`,
      );
    }
    const size = dtypeBytes[info.dtype];
    if (info.dtype === "F32") {
      // All supported machines are little-endian, as the file is.
      this.#source.readInto(
        new Uint8Array(target.buffer, target.byteOffset, count * 4),
        info.offset + start * 4,
      );
      return;
    }
    if (info.dtype !== "BF16" && info.dtype !== "F16" && info.dtype !== "BOOL")
      this.#refuse(info, "a float type");
    const bits = new Uint32Array(target.buffer, target.byteOffset, count);
    // Chunked, so that a large half-precision tensor never needs a second copy of itself.
    const chunk = new Uint8Array(Math.min(count, 65_536) * size);
    const halves = new Uint16Array(chunk.buffer, 0, size === 2 ? chunk.length >> 1 : 0);
    for (let at = 0; at < count; at += 65_536) {
      const n = Math.min(65_536, count - at);
      this.#source.readInto(chunk.subarray(0, n * size), info.offset + (start + at) * size);
      if (info.dtype === "BF16") for (let i = 0; i < n; i++) bits[at + i] = halves[i]! << 16;
      else if (info.dtype === "F16") for (let i = 0; i < n; i++) bits[at + i] = halfToFloatBits(halves[i]!);
      else for (let i = 0; i < n; i++) target[at + i] = chunk[i] === 0 ? 0 : 1;
    }
  }

  /** A tensor as a new array of 32-bit floats. */
  floats(name: string, shape?: readonly number[]): Float32Array {
    const values = new Float32Array(this.info(name, shape).elements);
    this.readFloats(name, values);
    return values;
  }

  /**
   * A tensor of 64-bit integers as numbers.
   * @throws TtsError `tts/model-malformed` on another type or on a value beyond 2^53
   */
  integers(name: string): number[] {
    const info = this.info(name);
    if (info.dtype !== "I64") this.#refuse(info, "I64");
    const bytes = this.#raw(info);
    const view = new DataView(bytes.buffer);
    const values: number[] = [];
    for (let at = 0; at < bytes.length; at += 8) {
      const value = view.getInt32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
      if (!Number.isSafeInteger(value)) {
        throw new TtsError(
          "tts/model-malformed",
          `${this.#label}: ${quote(name)} holds an integer beyond 2^53.`,
        );
      }
      values.push(value);
    }
    return values;
  }

  #raw(info: TensorInfo): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(info.byteLength);
    this.#source.readInto(bytes, info.offset);
    return bytes;
  }

  #refuse(info: TensorInfo, wanted: string): never {
    throw new TtsError(
      "tts/model-malformed",
      `${this.#label}: tensor ${quote(info.name)} has type ${info.dtype}, expected ${wanted}.`,
    );
  }
}

/** IEEE 754 binary16 to the bits of the same value as binary32. */
export function halfToFloatBits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 31;
  let mantissa = half & 0x3ff;
  if (exponent === 31) return sign | 0x7f800000 | (mantissa << 13);
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (mantissa << 13);
  if (mantissa === 0) return sign;
  let shift = 0;
  while ((mantissa & 0x400) === 0) {
    mantissa <<= 1;
    shift++;
  }
  return sign | ((113 - shift) << 23) | ((mantissa & 0x3ff) << 13);
}

type Fail = (reason: string) => never;

function parseHeader(header: Uint8Array, fail: Fail): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(header));
  } catch {
    fail("the header is not JSON in UTF-8");
  }
  return asObject(json) ?? fail("the header is not a JSON object");
}

function readInfo(
  name: string,
  value: unknown,
  dataStart: number,
  dataBytes: number,
  maxDimensions: number,
  fail: Fail,
): TensorInfo {
  const entry = asObject(value) ?? fail(`tensor ${quote(name)} is not described by an object`);
  const {
    dtype,
    shape,
    data_offsets: range,
  } = entry as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
  if (typeof dtype !== "string" || !Object.hasOwn(dtypeBytes, dtype)) {
    fail(`tensor ${quote(name)} has unknown type ${quote(String(dtype))}`);
  }
  if (!isCountList(shape) || shape.length > maxDimensions) {
    return fail(`tensor ${quote(name)} has a shape that is not a list of at most ${maxDimensions} sizes`);
  }
  if (!isCountList(range) || range.length !== 2)
    return fail(`tensor ${quote(name)} has no pair of data offsets`);
  const begin = range[0]!;
  const end = range[1]!;
  let elements = 1;
  for (const size of shape) elements *= size;
  const byteLength = elements * dtypeBytes[dtype as Dtype];
  if (!Number.isSafeInteger(byteLength) || end - begin !== byteLength) {
    fail(
      `tensor ${quote(name)} of shape [${shape}] and type ${dtype} needs ${byteLength} bytes, has ${end - begin}`,
    );
  }
  if (end > dataBytes) fail(`tensor ${quote(name)} ends at byte ${end} of ${dataBytes}`);
  return { name, dtype: dtype as Dtype, shape, offset: dataStart + begin, byteLength, elements };
}

function checkLayout(
  tensors: ReadonlyMap<string, TensorInfo>,
  dataStart: number,
  fileEnd: number,
  fail: Fail,
): void {
  const order = [...tensors.values()].sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  let at = dataStart;
  for (const info of order) {
    if (info.offset < at) fail(`tensor ${quote(info.name)} overlaps the one before it`);
    if (info.offset > at)
      fail(`${info.offset - at} bytes before tensor ${quote(info.name)} belong to no tensor`);
    at += info.byteLength;
  }
  if (at !== fileEnd) fail(`${fileEnd - at} bytes after the last tensor belong to no tensor`);
}

function isCountList(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

/** Names come from the file: shown shortened and escaped. */
function quote(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 120)}…` : name);
}
