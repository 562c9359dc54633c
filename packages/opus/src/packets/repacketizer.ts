import { OpusError } from "../errors.ts";
import {
  createFrameTable,
  frameLengthBytes,
  frameSize48k,
  maxFrames,
  maxPacketFrames48k,
  parseFrames,
  putFrameLength,
} from "./frame-table.ts";

/**
 * Merges frames of several packets into one and takes packets apart (RFC 6716 section 3.2). Frames are copied in, so the
 * packets may be reused at once. Padding, and extensions in it, are left behind; `writeExtensions` puts them back.
 *
 * @example
 * const repacketizer = new Repacketizer();
 * repacketizer.add(first);
 * repacketizer.add(second);
 * const bytes = repacketizer.out(merged); // both in one packet
 */
export class Repacketizer {
  readonly #table = createFrameTable();
  readonly #frames: Uint8Array;
  readonly #starts = new Uint32Array(maxFrames);
  readonly #lengths = new Uint16Array(maxFrames);
  #used = 0;
  #count = 0;
  #toc = 0;

  /** @param capacityBytes room for the frames; the default holds any legal packet */
  constructor(capacityBytes: number = maxFrames * 1275) {
    this.#frames = new Uint8Array(capacityBytes);
  }

  /** Frames collected. */
  get frameCount(): number {
    return this.#count;
  }

  /** Forgets all frames. */
  clear(): void {
    this.#count = 0;
    this.#used = 0;
  }

  /**
   * Adds the frames of a packet, which must have the configuration and channels of those before. On an error nothing is
   * added.
   * @throws OpusError `opus/invalid-packet` where it is malformed, differs in configuration, or more than 120 ms would result;
   *   `opus/buffer-too-small`
   */
  add(packet: Uint8Array): void {
    this.addAt(packet, 0, packet.length, false);
  }

  /** As `add` for `bytes[start, end)`; returns where the packet ends. @param selfDelimited framing of appendix B */
  addAt(bytes: Uint8Array, start: number, end: number, selfDelimited: boolean): number {
    const table = this.#table;
    const count = parseFrames(bytes, start, end, selfDelimited, table);
    if (count < 0)
      throw new OpusError("opus/invalid-packet", `These ${end - start} bytes are no Opus packet.`);
    if (this.#count > 0 && ((table.toc ^ this.#toc) & 0xfc) !== 0) {
      throw new OpusError(
        "opus/invalid-packet",
        `A packet of configuration ${table.toc >> 3} cannot be merged with ${this.#toc >> 3}; mode, bandwidth, frame size and channels must agree.`,
      );
    }
    if ((this.#count + count) * frameSize48k(table.toc) > maxPacketFrames48k) {
      throw new OpusError("opus/invalid-packet", "Together the packets last longer than 120 ms.");
    }
    let bytesNeeded = this.#used;
    for (let i = 0; i < count; i++) bytesNeeded += table.lengths[i]!;
    if (bytesNeeded > this.#frames.length) {
      throw new OpusError(
        "opus/buffer-too-small",
        `The frames need ${bytesNeeded} bytes of ${this.#frames.length}.`,
      );
    }
    this.#toc = table.toc;
    for (let i = 0; i < count; i++) {
      const length = table.lengths[i]!;
      const from = table.offsets[i]!;
      for (let k = 0; k < length; k++) this.#frames[this.#used + k] = bytes[from + k]!;
      this.#starts[this.#count] = this.#used;
      this.#lengths[this.#count++] = length;
      this.#used += length;
    }
    return table.end;
  }

  /**
   * Writes frames `[begin, end)` as one packet in the shortest framing; returns its bytes.
   * @throws OpusError `opus/bad-argument` for a range without frames, `opus/buffer-too-small`
   */
  out(into: Uint8Array, begin = 0, end: number = this.#count): number {
    return this.outAt(into, 0, into.length, begin, end, false, false);
  }

  /**
   * As `out`, into `bytes[at, limit)`. @param selfDelimited framing of appendix B. @param pad fill up to `limit`.
   * Allocates nothing.
   */
  outAt(
    bytes: Uint8Array,
    at: number,
    limit: number,
    begin: number,
    end: number,
    selfDelimited: boolean,
    pad: boolean,
  ): number {
    if (!(begin >= 0 && begin < end && end <= this.#count)) {
      throw new OpusError("opus/bad-argument", `Frames ${begin} to ${end} of ${this.#count} are no range.`);
    }
    const room = limit - at;
    const count = end - begin;
    const tail = selfDelimited ? frameLengthBytes(this.#lengths[end - 1]!) : 0;
    const plain = count <= 2 ? tail + this.#plainBytes(begin, count) : 0;
    let to: number;
    let length = plain;
    if (count <= 2 && !(pad && plain < room)) {
      checkRoom(plain, room);
      to = this.#putPlainHeader(bytes, at, begin, count);
    } else {
      length = tail + this.#manyBytes(begin, end);
      checkRoom(length, room);
      const padding = pad ? room - length : 0;
      to = this.#putManyHeader(bytes, at, begin, end, padding);
      length += padding;
    }
    if (selfDelimited) to = putFrameLength(this.#lengths[end - 1]!, bytes, to);
    const first = this.#starts[begin]!;
    const last = this.#starts[end - 1]! + this.#lengths[end - 1]!;
    for (let i = first; i < last; i++) bytes[to++] = this.#frames[i]!;
    if (pad) bytes.fill(0, to, at + length);
    return length;
  }

  #plainBytes(begin: number, count: number): number {
    const first = this.#lengths[begin]!;
    if (count === 1) return 1 + first;
    const second = this.#lengths[begin + 1]!;
    return first === second ? 1 + 2 * first : 1 + frameLengthBytes(first) + first + second;
  }

  /** Codes 0, 1 and 2. */
  #putPlainHeader(bytes: Uint8Array, at: number, begin: number, count: number): number {
    const first = this.#lengths[begin]!;
    const equal = count === 2 && first === this.#lengths[begin + 1]!;
    bytes[at] = (this.#toc & 0xfc) | (count === 1 ? 0 : equal ? 1 : 2);
    return count === 2 && !equal ? putFrameLength(first, bytes, at + 1) : at + 1;
  }

  #isEqual(begin: number, end: number): boolean {
    for (let i = begin + 1; i < end; i++) if (this.#lengths[i] !== this.#lengths[begin]) return false;
    return true;
  }

  #manyBytes(begin: number, end: number): number {
    const equal = this.#isEqual(begin, end);
    let total = 2;
    for (let i = begin; i < end; i++) {
      const length = this.#lengths[i]!;
      total += length + (equal || i === end - 1 ? 0 : frameLengthBytes(length));
    }
    return total;
  }

  /** Code 3, with `padding` bytes in all (their count included). */
  #putManyHeader(bytes: Uint8Array, at: number, begin: number, end: number, padding: number): number {
    const equal = this.#isEqual(begin, end);
    bytes[at] = (this.#toc & 0xfc) | 3;
    bytes[at + 1] = (end - begin) | (equal ? 0 : 0x80) | (padding > 0 ? 0x40 : 0);
    let to = at + 2;
    if (padding > 0) {
      const full = Math.floor((padding - 1) / 255);
      for (let i = 0; i < full; i++) bytes[to++] = 255;
      bytes[to++] = padding - 255 * full - 1;
    }
    if (!equal) for (let i = begin; i < end - 1; i++) to = putFrameLength(this.#lengths[i]!, bytes, to);
    return to;
  }
}

function checkRoom(needed: number, room: number): void {
  if (needed <= room) return;
  throw new OpusError("opus/buffer-too-small", `The packet has ${needed} bytes; there is room for ${room}.`);
}
