/** The core's constants live in the first page. */
const firstAddress = 65_536;
/** Everything starts on a cache line. */
const alignment = 64;

/**
 * Lays out a memory before it exists: modules reserve their addresses front to back, then a {@link Core} of `size` bytes is made.
 * Nothing is ever given back: a memory lives as long as its model.
 */
export class Arena {
  #next = firstAddress;

  /** Bytes that the memory must have. */
  get size(): number {
    return this.#next;
  }

  /** Reserves bytes that will be zero at first; returns their address. */
  allocate(bytes: number): number {
    const address = this.#next;
    // One more line, so that kernels may read and write whole vectors at the end of odd-sized rows.
    this.#next = address + Math.ceil(bytes / alignment) * alignment + alignment;
    return address;
  }

  /** Reserves floats. */
  floats(count: number): number {
    return this.allocate(count * 4);
  }
}
