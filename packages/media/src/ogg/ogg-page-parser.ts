import { MediaError } from "../errors.ts";
import { oggPageCrc } from "./ogg-crc.ts";

/** The largest page: 27 bytes of header, 255 lacing values, 255 segments of 255 bytes (RFC 3533 section 6). */
export const maxPageBytes: number = 27 + 255 + 255 * 255;

/** A page in place; the same object is reused for every page, and valid only during the call that hands it out. */
export interface OggPage {
  /** Holds the page; `bytes[lacingStart, lacingStart + lacingCount)` are the lacing values, the body follows them. */
  readonly bytes: Uint8Array;
  readonly lacingStart: number;
  readonly lacingCount: number;
  readonly bodyStart: number;
  readonly bodyEnd: number;
  /** The first packet continues one of the page before. */
  readonly continued: boolean;
  readonly bos: boolean;
  readonly eos: boolean;
  /** Codec's position of the last packet that ends on this page; -1 if none does, or if it is beyond 2^53. */
  readonly granule: number;
  readonly serial: number;
  readonly sequence: number;
}

/** Receives pages in the order of the stream. */
export interface OggPageHandler {
  page(page: OggPage): void;
  /** `count` bytes before the next page belong to no page that is whole. */
  damage?(count: number): void;
}

/**
 * Finds pages in a byte stream (RFC 3533 section 6), checks their CRC, and after damage finds the next one. Push pieces of
 * any size; memory is two pages, nothing is allocated per page.
 */
export class OggPageParser {
  readonly #handler: OggPageHandler;
  readonly #buffer = new Uint8Array(2 * maxPageBytes);
  #start = 0;
  #end = 0;
  #damaged = 0;
  #ended = false;
  readonly #page = {
    bytes: this.#buffer,
    lacingStart: 0,
    lacingCount: 0,
    bodyStart: 0,
    bodyEnd: 0,
    continued: false,
    bos: false,
    eos: false,
    granule: 0,
    serial: 0,
    sequence: 0,
  };

  constructor(handler: OggPageHandler) {
    this.#handler = handler;
  }

  /** Takes the next piece of the stream. */
  push(bytes: Uint8Array): void {
    if (this.#ended) throw new MediaError("media/bad-state", "The parser was ended; make a new one.");
    let at = 0;
    while (at < bytes.length) {
      if (this.#end === this.#buffer.length) {
        this.#buffer.copyWithin(0, this.#start, this.#end);
        this.#end -= this.#start;
        this.#start = 0;
      }
      const count = Math.min(bytes.length - at, this.#buffer.length - this.#end);
      if (at === 0 && count === bytes.length) this.#buffer.set(bytes, this.#end);
      else for (let i = 0; i < count; i++) this.#buffer[this.#end + i] = bytes[at + i]!;
      this.#end += count;
      at += count;
      this.#scan();
    }
  }

  /** Says that the stream ends; a page cut off there counts as damage. Returns whether there was one. */
  end(): { readonly truncated: boolean } {
    this.#ended = true;
    const truncated = this.#end > this.#start;
    // What looks like a long page at the end may be damage that hides whole pages.
    while (this.#end > this.#start) {
      this.#skip(1);
      this.#scan();
      if (this.#end - this.#start < 27) this.#skip(this.#end - this.#start);
    }
    this.#reportDamage();
    return { truncated };
  }

  /** Hands out every whole page in the buffer; leaves what may be the start of one. */
  #scan(): void {
    while (this.#end - this.#start >= 27) {
      const length = this.#pageLength();
      if (length === 0) this.#skip(this.#distanceToCapture());
      else if (length > this.#end - this.#start) return;
      else if (this.#isWhole(length)) {
        this.#reportDamage();
        this.#emit();
        this.#start += length;
      } else this.#skip(1);
    }
  }

  /** Length of the page whose header is at the start of the buffer; 0 if none is, all there is if more must come. */
  #pageLength(): number {
    const bytes = this.#buffer;
    const start = this.#start;
    // "OggS", stream structure version 0
    if (
      bytes[start] !== 0x4f ||
      bytes[start + 1] !== 0x67 ||
      bytes[start + 2] !== 0x67 ||
      bytes[start + 3] !== 0x53 ||
      bytes[start + 4] !== 0
    ) {
      return 0;
    }
    const count = bytes[start + 26]!;
    let length = 27 + count;
    if (this.#end - start < length) return Number.POSITIVE_INFINITY;
    for (let i = 0; i < count; i++) length += bytes[start + 27 + i]!;
    return length;
  }

  /** Bytes to the next "O" that may begin a page, at least 1. */
  #distanceToCapture(): number {
    const next = this.#buffer.indexOf(0x4f, this.#start + 1);
    return (next < 0 || next > this.#end ? this.#end : next) - this.#start;
  }

  #isWhole(length: number): boolean {
    const bytes = this.#buffer;
    const at = this.#start + 22;
    const stated = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    return stated === oggPageCrc(bytes, this.#start, this.#start + length);
  }

  #emit(): void {
    const page = this.#page;
    const bytes = this.#buffer;
    const start = this.#start;
    const flags = bytes[start + 5]!;
    page.continued = (flags & 1) !== 0;
    page.bos = (flags & 2) !== 0;
    page.eos = (flags & 4) !== 0;
    const high = this.#u32(start + 10);
    const granule = high * 0x1_0000_0000 + this.#u32(start + 6);
    page.granule = high >= 0x20_0000 ? -1 : granule;
    page.serial = this.#u32(start + 14);
    page.sequence = this.#u32(start + 18);
    page.lacingStart = start + 27;
    page.lacingCount = bytes[start + 26]!;
    page.bodyStart = page.lacingStart + page.lacingCount;
    let end = page.bodyStart;
    for (let i = 0; i < page.lacingCount; i++) end += bytes[page.lacingStart + i]!;
    page.bodyEnd = end;
    this.#handler.page(page);
  }

  #u32(at: number): number {
    const bytes = this.#buffer;
    return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
  }

  #skip(count: number): void {
    this.#start += count;
    this.#damaged += count;
  }

  #reportDamage(): void {
    if (this.#damaged === 0) return;
    const count = this.#damaged;
    this.#damaged = 0;
    this.#handler.damage?.(count);
  }
}
