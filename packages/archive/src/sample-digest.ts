import { crc32c } from "./hash-core.ts";

/** Bytes that are gathered before they are hashed: long runs cost a fraction of short ones. */
const gatheredBytes = 1 << 17;

/** CRC32C over the float32 bits of samples that come packet by packet. */
export class SampleDigest {
  readonly #channels: number;
  readonly #gathered = new Float32Array(gatheredBytes / 4);
  readonly #gatheredBytes = new Uint8Array(this.#gathered.buffer);
  #count = 0;
  #digest = 0;

  constructor(channels: number) {
    this.#channels = channels;
  }

  /** Starts anew, or goes on where another digest ended. */
  begin(digest = 0): void {
    this.#count = 0;
    this.#digest = digest;
  }

  /** Adds sample frames `[from, to)` of interleaved `pcm`. */
  add(pcm: Float32Array, from: number, to: number): void {
    const last = to * this.#channels;
    for (let at = from * this.#channels; at < last; ) {
      const count = Math.min(last - at, this.#gathered.length - this.#count);
      this.#gathered.set(pcm.subarray(at, at + count), this.#count);
      this.#count += count;
      at += count;
      if (this.#count === this.#gathered.length) this.#flush();
    }
  }

  /** The digest of everything so far; more may follow. */
  value(): number {
    this.#flush();
    return this.#digest;
  }

  #flush(): void {
    this.#digest = crc32c(this.#gatheredBytes, 0, 4 * this.#count, this.#digest);
    this.#count = 0;
  }
}
