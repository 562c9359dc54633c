import { MediaError } from "../errors.ts";
import { oggPageCrc } from "./ogg-crc.ts";
import { maxPageBytes } from "./ogg-page-parser.ts";

/** Where pages go. `bytes` are valid only during the call. */
export type OggSink = (bytes: Uint8Array) => void;

/**
 * Writes one logical stream as pages (RFC 3533). `packet` collects, `flush` writes the page; a page that is full is written
 * by itself. The last page is written by `end`, so it can carry the end-of-stream flag.
 */
export class OggMuxer {
  readonly #sink: OggSink;
  readonly #serial: number;
  readonly #page = new Uint8Array(maxPageBytes);
  readonly #lacing = new Uint8Array(255);
  #lacingCount = 0;
  #bodyLength = 0;
  #sequence = 0;
  #continued = false;
  /** Granule of the last packet that ends on the page at hand, -1 if none does. */
  #granule = -1;
  #ended = false;

  /** @param serial u32, unique among the streams of the file */
  constructor(sink: OggSink, serial: number) {
    if (!(Number.isInteger(serial) && serial >= 0 && serial <= 0xffff_ffff)) {
      throw new MediaError("media/bad-argument", `A serial number is an integer of 32 bits, not ${serial}.`);
    }
    this.#sink = sink;
    this.#serial = serial;
  }

  /** Lacing values that the page at hand can still take. */
  get room(): number {
    return 255 - this.#lacingCount;
  }

  /** No packet waits on the page at hand. */
  get isEmpty(): boolean {
    return this.#lacingCount === 0;
  }

  /**
   * Adds a packet. One that does not fit goes on on the next page.
   * @param granule position at the end of this packet, a safe integer
   */
  packet(bytes: Uint8Array, granule: number): void {
    if (this.#ended) throw new MediaError("media/bad-state", "The stream was ended.");
    let at = 0;
    for (;;) {
      if (this.#lacingCount === 255) this.#write(false, at > 0);
      const count = Math.min(255, bytes.length - at);
      const body = 282 + this.#bodyLength;
      for (let i = 0; i < count; i++) this.#page[body + i] = bytes[at + i]!;
      this.#lacing[this.#lacingCount++] = count;
      this.#bodyLength += count;
      at += count;
      if (count < 255) break;
    }
    this.#granule = granule;
  }

  /** Writes the page at hand, if anything is on it. */
  flush(): void {
    if (this.#lacingCount > 0) this.#write(false, false);
  }

  /** Writes the last page. @param granule its position, where it differs from that of the last packet (end trim) */
  end(granule?: number): void {
    if (this.#ended) return;
    if (granule !== undefined) this.#granule = granule;
    this.#write(true, false);
    this.#ended = true;
  }

  /** @param cut the last packet on this page goes on on the next */
  #write(eos: boolean, cut: boolean): void {
    const start = 282 - 27 - this.#lacingCount;
    const page = this.#page;
    page.set(captureAndVersion, start);
    page[start + 5] = (this.#continued ? 1 : 0) | (this.#sequence === 0 ? 2 : 0) | (eos ? 4 : 0);
    const low = this.#granule < 0 ? 0xffff_ffff : this.#granule % 0x1_0000_0000;
    const high = this.#granule < 0 ? 0xffff_ffff : Math.floor(this.#granule / 0x1_0000_0000);
    putU32(page, start + 6, low);
    putU32(page, start + 10, high);
    putU32(page, start + 14, this.#serial);
    putU32(page, start + 18, this.#sequence++);
    page[start + 26] = this.#lacingCount;
    for (let i = 0; i < this.#lacingCount; i++) page[start + 27 + i] = this.#lacing[i]!;
    const end = 282 + this.#bodyLength;
    putU32(page, start + 22, oggPageCrc(page, start, end));
    this.#continued = cut;
    this.#lacingCount = 0;
    this.#bodyLength = 0;
    this.#granule = -1;
    this.#sink(page.subarray(start, end));
  }
}

const captureAndVersion = Uint8Array.of(0x4f, 0x67, 0x67, 0x53, 0);

function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 255;
  bytes[at + 1] = (value >>> 8) & 255;
  bytes[at + 2] = (value >>> 16) & 255;
  bytes[at + 3] = value >>> 24;
}
