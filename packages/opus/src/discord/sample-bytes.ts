import { OpusError } from "../errors.ts";

/** A Buffer where the program's types have one (Node), else bytes. */
export type Bytes = typeof globalThis extends { Buffer: { alloc(size: number): infer B } } ? B : Uint8Array;

interface BufferClass {
  from(buffer: ArrayBufferLike, offset: number, length: number): Uint8Array;
}

const NodeBuffer = (globalThis as { Buffer?: BufferClass }).Buffer;

/** Under the type of the runtime: a Buffer in Node, which shares the memory. */
export function asBytes(bytes: Uint8Array): Bytes {
  const given = NodeBuffer?.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) ?? bytes;
  return given as Bytes;
}

/** @throws OpusError `opus/bad-argument` where the value is no array of bytes */
export function checkBytes(value: unknown, what: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new OpusError("opus/bad-argument", `${what} must be a Buffer or another Uint8Array.`);
}

/** Room for samples that grows to the longest input. */
export class SampleRoom {
  #samples = new Int16Array(0);

  /** The first `count` 16-bit little-endian samples of `bytes`, which may lie on odd addresses. */
  take(bytes: Uint8Array, count: number): Int16Array {
    if (this.#samples.length < count) this.#samples = new Int16Array(count);
    const view = this.#samples.subarray(0, count);
    new Uint8Array(this.#samples.buffer).set(bytes.subarray(0, 2 * count));
    return view;
  }
}
