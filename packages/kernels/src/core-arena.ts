import { KernelError } from "./kernel-error.ts";

/** Blocks begin at multiples of this: one cache line, four f32x4. */
const alignment = 64;

/**
 * Hands out blocks of a core's fixed memory, from the end of its static data to the end of the memory. First fit over
 * a list of free spans; used when objects are made and closed, never in a hot path.
 */
export class CoreArena {
  readonly #memory: WebAssembly.Memory;
  /** Free spans by address, never adjacent. */
  readonly #free: { start: number; end: number }[];
  readonly #sizes = new Map<number, number>();

  /** @param base first free byte of the core's memory (`__heap_base` in AssemblyScript) */
  constructor(memory: WebAssembly.Memory, base: number) {
    this.#memory = memory;
    this.#free = [{ start: roundUp(base), end: memory.buffer.byteLength }];
  }

  /** Bytes that are free, in all spans together. */
  get freeBytes(): number {
    return this.#free.reduce((sum, span) => sum + span.end - span.start, 0);
  }

  /**
   * Reserves `bytes` zeroed bytes and returns their address, a multiple of 64.
   * @throws KernelError `kernels/out-of-memory` where no free span is long enough
   */
  allocate(bytes: number): number {
    const address = this.tryAllocate(bytes);
    if (address !== undefined) return address;
    throw new KernelError(
      "kernels/out-of-memory",
      "limit",
      `The core's memory of ${this.#memory.buffer.byteLength} bytes has no free block of ${bytes} bytes; close objects that are no longer used.`,
    );
  }

  /** As `allocate`, but gives undefined where there is no room. */
  tryAllocate(bytes: number): number | undefined {
    const size = Math.max(alignment, roundUp(bytes));
    const index = this.#free.findIndex((span) => span.end - span.start >= size);
    const span = this.#free[index];
    if (span === undefined) return undefined;
    const address = span.start;
    span.start += size;
    if (span.start === span.end) this.#free.splice(index, 1);
    this.#sizes.set(address, size);
    new Uint8Array(this.#memory.buffer, address, size).fill(0);
    return address;
  }

  /** Gives a block back; an address that is not in use is ignored, so closing twice is harmless. */
  release(address: number): void {
    const size = this.#sizes.get(address);
    if (size === undefined) return;
    this.#sizes.delete(address);
    const found = this.#free.findIndex((span) => span.start > address);
    const at = found < 0 ? this.#free.length : found;
    this.#free.splice(at, 0, { start: address, end: address + size });
    this.#mergeWithNext(at);
    if (at > 0) this.#mergeWithNext(at - 1);
  }

  #mergeWithNext(index: number): void {
    const span = this.#free[index];
    const next = this.#free[index + 1];
    if (span === undefined || next === undefined || span.end !== next.start) return;
    span.end = next.end;
    this.#free.splice(index + 1, 1);
  }
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}
