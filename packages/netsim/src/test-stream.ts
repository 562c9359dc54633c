import { crc32c } from "@longwave/base";

/** Payload of the test stream: seven transport stream packets. */
export const testPayloadBytes = 1316;
const markAt = 4;

/**
 * Writes packet `number` given at `timeUs` into `payload`: sync bytes, number and time as
 * exact 53-bit integers, and a checksum of both.
 */
export function writeTestPayload(payload: Uint8Array, number: number, timeUs: number): void {
  for (let at = 0; at < payload.length; at += 188) payload[at] = 0x47;
  writeNumber(payload, markAt, number);
  writeNumber(payload, markAt + 7, timeUs);
  const check = crc32c(payload, markAt, markAt + 14);
  payload[markAt + 14] = check >>> 8;
  payload[markAt + 15] = check;
}

function writeNumber(bytes: Uint8Array, at: number, value: number): void {
  let rest = value;
  for (let i = 6; i >= 0; i--) {
    bytes[at + i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}

function readNumber(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = 0; i < 7; i++) value = value * 256 + bytes[at + i]!;
  return value;
}

/** What became of a test stream. */
export interface TestStreamReport {
  readonly sent: number;
  readonly delivered: number;
  /** Sent but never delivered. */
  readonly lost: number;
  /** Lost / sent. */
  readonly residual: number;
  readonly duplicates: number;
  readonly outOfOrder: number;
  /** Delivered with a wrong number or time; they count as lost. */
  readonly damaged: number;
  /** Longest run of lost packets. */
  readonly longestHole: number;
  /** Numbers of the first lost packets, at most 20. */
  readonly firstLost: readonly number[];
  readonly latencyMs: {
    readonly p50: number;
    readonly p95: number;
    readonly p99: number;
    readonly max: number;
  };
}

const mostListed = 20;
const latencyStepUs = 500;
const latencySteps = 20_000;

/** Checks a test stream at its end: residual loss, duplicates, order, latency and holes of packets `[first, end)`. */
export class TestStreamSink {
  readonly #seen: Uint8Array;
  readonly #first: number;
  readonly #latencies = new Int32Array(latencySteps);
  #last = -1;
  #delivered = 0;
  #duplicates = 0;
  #outOfOrder = 0;
  #damaged = 0;
  #maxLatencyUs = 0;

  /** @param first number of the first packet that counts (earlier ones are warm-up) @param end one past the last */
  constructor(first: number, end: number) {
    this.#first = first;
    this.#seen = new Uint8Array(Math.max(0, end - first));
  }

  /** Takes one delivered payload `bytes[start, ...)`. */
  take(bytes: Uint8Array, start: number, nowUs: number): void {
    const check = crc32c(bytes, start + markAt, start + markAt + 14);
    if (
      ((check >>> 8) & 255) !== bytes[start + markAt + 14] ||
      (check & 255) !== bytes[start + markAt + 15]
    ) {
      this.#damaged++;
      return;
    }
    const number = readNumber(bytes, start + markAt);
    if (number < this.#last) this.#outOfOrder++;
    this.#last = number;
    const index = number - this.#first;
    if (index < 0 || index >= this.#seen.length) return;
    if (this.#seen[index] === 1) {
      this.#duplicates++;
      return;
    }
    this.#seen[index] = 1;
    this.#delivered++;
    const latencyUs = nowUs - readNumber(bytes, start + markAt + 7);
    this.#maxLatencyUs = Math.max(this.#maxLatencyUs, latencyUs);
    this.#latencies[Math.min(latencySteps - 1, Math.max(0, Math.floor(latencyUs / latencyStepUs)))]!++;
  }

  report(): TestStreamReport {
    const sent = this.#seen.length;
    const lost = sent - this.#delivered;
    let longestHole = 0;
    let hole = 0;
    const firstLost: number[] = [];
    for (const [index, seen] of this.#seen.entries()) {
      hole = seen === 1 ? 0 : hole + 1;
      longestHole = Math.max(longestHole, hole);
      if (seen === 0 && firstLost.length < mostListed) firstLost.push(this.#first + index);
    }
    return {
      sent,
      delivered: this.#delivered,
      lost,
      residual: sent === 0 ? 0 : lost / sent,
      duplicates: this.#duplicates,
      outOfOrder: this.#outOfOrder,
      damaged: this.#damaged,
      longestHole,
      firstLost,
      latencyMs: {
        p50: this.#percentile(0.5),
        p95: this.#percentile(0.95),
        p99: this.#percentile(0.99),
        max: this.#maxLatencyUs / 1000,
      },
    };
  }

  #percentile(fraction: number): number {
    const rank = fraction * this.#delivered;
    let sum = 0;
    for (let step = 0; step < latencySteps; step++) {
      sum += this.#latencies[step]!;
      if (sum >= rank && sum > 0) return ((step + 1) * latencyStepUs) / 1000;
    }
    return 0;
  }
}
