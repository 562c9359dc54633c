/**
 * Random access to the bytes of a file or buffer. Reading is synchronous: weights are loaded inside a worker, straight into
 * the memory where the kernels use them.
 */
export interface ByteSource {
  /** Size of the whole in bytes. */
  readonly byteLength: number;
  /**
   * Fills `target` with the bytes from `offset`.
   * @throws RangeError where the range is not inside the source
   */
  readInto(target: Uint8Array, offset: number): void;
}

/** A source over bytes that are already in memory; it keeps a reference, not a copy. */
export class MemoryByteSource implements ByteSource {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get byteLength(): number {
    return this.#bytes.length;
  }

  readInto(target: Uint8Array, offset: number): void {
    if (offset < 0 || offset + target.length > this.#bytes.length) {
      throw new RangeError(`Bytes ${offset}..${offset + target.length} are outside ${this.#bytes.length}.`);
    }
    target.set(this.#bytes.subarray(offset, offset + target.length));
  }
}
