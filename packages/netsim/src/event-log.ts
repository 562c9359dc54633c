import { crc32c } from "@longwave/base";
import { Sha256 } from "@longwave/bond";

const recordBytes = 24;
/** Of every datagram the headers and the number and time of the test stream count. */
const headBytes = 64;

/**
 * A fingerprint of everything that happened: every datagram with its fate and its head, every delivery, in order. Two runs
 * with the same hash were the same run.
 */
export class EventLog {
  readonly #hash = new Sha256();
  readonly #record = new Uint8Array(recordBytes);
  readonly #view = new DataView(this.#record.buffer);
  events = 0;

  datagram(
    link: string,
    isForward: boolean,
    sentUs: number,
    arrivalUs: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const view = this.#view;
    view.setUint8(0, isForward ? 1 : 2);
    view.setUint8(1, link.charCodeAt(link.length - 1));
    view.setUint16(2, end - start);
    view.setFloat64(4, sentUs);
    view.setFloat64(12, arrivalUs);
    view.setUint32(20, crc32c(bytes, start, Math.min(end, start + headBytes)));
    this.#hash.update(this.#record);
    this.events++;
  }

  delivery(nowUs: number, sequence: number, length: number): void {
    const view = this.#view;
    view.setUint32(0, 3 << 24);
    view.setFloat64(4, nowUs);
    view.setFloat64(12, sequence);
    view.setUint32(20, length);
    this.#hash.update(this.#record);
    this.events++;
  }

  /** Hexadecimal SHA-256 so far. */
  hash(): string {
    return this.#hash.hex();
  }
}
