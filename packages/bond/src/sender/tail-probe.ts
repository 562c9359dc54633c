/** Without a new packet for so long the newest one is repeated, at most this often. */
const waitsUs = [100_000, 200_000, 400_000] as const;
/** A pause is longer than so many usual distances of packets. */
const usualDistances = 4;

/**
 * The last packet of a stream, or before a pause, has no later one that would show the receiver its loss. So the newest is sent
 * again where nothing follows it, as TCP does at its tail (RFC 8985 section 7).
 */
export class TailProbe {
  #lastUs: number = Number.NEGATIVE_INFINITY;
  #intervalUs = 0;
  #count: number = waitsUs.length;

  /** A new packet was given. */
  onPacket(nowUs: number): void {
    const gapUs = nowUs - this.#lastUs;
    if (gapUs < 1_000_000) {
      this.#intervalUs = this.#intervalUs === 0 ? gapUs : this.#intervalUs + (gapUs - this.#intervalUs) / 16;
    }
    this.#lastUs = nowUs;
    this.#count = 0;
  }

  /** True where the newest packet should go out again now, unless it is known to have arrived. */
  takeDue(nowUs: number): boolean {
    // What is a pause is known after the second packet.
    if (this.#count === waitsUs.length || this.#intervalUs === 0) return false;
    const waitUs = Math.max(waitsUs[this.#count]!, usualDistances * this.#intervalUs * 2 ** this.#count);
    if (nowUs - this.#lastUs < waitUs) return false;
    this.#count++;
    return true;
  }
}
