/** One media packet, copied for the consumer. */
export interface ReceivedPacket {
  readonly payload: Uint8Array;
  /** Extended sequence number: gaps show lost packets. */
  readonly sequence: number;
  /** Media time in microseconds since the first packet of the stream. */
  readonly timeUs: number;
  /** Packets before this one are missing, or the stream restarted. */
  readonly isDiscontinuity: boolean;
}

/** A bounded queue between the receiver and an async consumer: a slow consumer loses the oldest packets, visibly. */
export class PacketQueue {
  readonly #capacity: number;
  readonly #packets: ReceivedPacket[] = [];
  #wake: (() => void) | undefined;
  #isClosed = false;
  #hasLost = false;
  dropped = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get length(): number {
    return this.#packets.length;
  }

  push(packet: ReceivedPacket): void {
    if (this.#packets.length >= this.#capacity) {
      this.#packets.shift();
      this.dropped++;
      this.#hasLost = true;
    }
    this.#packets.push(packet);
    this.#wake?.();
  }

  close(): void {
    this.#isClosed = true;
    this.#wake?.();
  }

  async *drain(): AsyncGenerator<ReceivedPacket, void, void> {
    for (;;) {
      const packet = this.#packets.shift();
      if (packet !== undefined) {
        yield this.#hasLost ? { ...packet, isDiscontinuity: true } : packet;
        this.#hasLost = false;
      } else if (this.#isClosed) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    }
  }
}
