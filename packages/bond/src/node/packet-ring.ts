import { slotBytes } from "../sender/send-buffer.ts";

/** Control words: packets written, packets read, packets dropped. */
const written = 0;
const read = 1;
const dropped = 2;
const controlBytes = 64;
const headerBytes = 24;
const strideBytes = headerBytes + slotBytes;

/** One packet taken from a ring; the object and its bytes are reused for the next one. */
export interface RingPacket {
  readonly bytes: Uint8Array;
  length: number;
  sequence: number;
  timeUs: number;
  isDiscontinuity: boolean;
}

/**
 * A bounded queue of packets in shared memory between two threads, one writing, one reading. When it is full the writer drops
 * the oldest packet, so that a stalled reader delays nobody; the next packet read carries a discontinuity.
 */
export class PacketRing {
  readonly memory: SharedArrayBuffer;
  readonly #control: Int32Array;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #slots: number;
  #seenDropped = 0;

  /** Memory of a new ring; `slots` is rounded up to a power of two, so that places follow each other when counters wrap. */
  static allocate(packets: number): SharedArrayBuffer {
    const slots = 2 ** Math.ceil(Math.log2(packets));
    return new SharedArrayBuffer(controlBytes + slots * strideBytes);
  }

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#control = new Int32Array(memory, 0, controlBytes / 4);
    this.#view = new DataView(memory);
    this.#bytes = new Uint8Array(memory);
    this.#slots = Math.floor((memory.byteLength - controlBytes) / strideBytes);
  }

  /** A place for `shift` to put packets. */
  static packet(): RingPacket {
    return {
      bytes: new Uint8Array(slotBytes),
      length: 0,
      sequence: 0,
      timeUs: 0,
      isDiscontinuity: false,
    };
  }

  get length(): number {
    return (Atomics.load(this.#control, written) - Atomics.load(this.#control, read)) | 0;
  }

  /** Packets that were dropped because the reader was too far behind. */
  get dropped(): number {
    return Atomics.load(this.#control, dropped);
  }

  /** Appends a packet; returns true if the ring was empty, so that the reader must be woken. */
  push(
    bytes: Uint8Array,
    start: number,
    end: number,
    sequence: number,
    timeUs: number,
    isDiscontinuity: boolean,
  ): boolean {
    const control = this.#control;
    if (this.length >= this.#slots) {
      const oldest = Atomics.load(control, read);
      // The reader may take it at this very moment; then there is room.
      if (Atomics.compareExchange(control, read, oldest, (oldest + 1) | 0) === oldest) {
        Atomics.add(control, dropped, 1);
      }
    }
    const next = Atomics.load(control, written);
    const at = controlBytes + ((next >>> 0) % this.#slots) * strideBytes;
    const length = Math.min(end - start, slotBytes);
    this.#view.setFloat64(at, sequence);
    this.#view.setFloat64(at + 8, timeUs);
    this.#view.setUint16(at + 16, length);
    this.#view.setUint8(at + 18, isDiscontinuity ? 1 : 0);
    for (let i = 0; i < length; i++) this.#bytes[at + headerBytes + i] = bytes[start + i]!;
    Atomics.store(control, written, (next + 1) | 0);
    return this.length === 1;
  }

  /** Takes the oldest packet; false where there is none. */
  shift(into: RingPacket): boolean {
    const control = this.#control;
    for (;;) {
      const oldest = Atomics.load(control, read);
      if (Atomics.load(control, written) === oldest) return false;
      const at = controlBytes + ((oldest >>> 0) % this.#slots) * strideBytes;
      into.sequence = this.#view.getFloat64(at);
      into.timeUs = this.#view.getFloat64(at + 8);
      into.length = Math.min(this.#view.getUint16(at + 16), slotBytes);
      into.isDiscontinuity = this.#view.getUint8(at + 18) === 1;
      for (let i = 0; i < into.length; i++) into.bytes[i] = this.#bytes[at + headerBytes + i]!;
      // Dropped while it was copied: it may have been overwritten, so the next one is taken.
      if (Atomics.compareExchange(control, read, oldest, (oldest + 1) | 0) !== oldest) continue;
      const lost = this.dropped;
      if (lost !== this.#seenDropped) {
        this.#seenDropped = lost;
        into.isDiscontinuity = true;
      }
      return true;
    }
  }
}
