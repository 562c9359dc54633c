import { OpusError } from "../errors.ts";
import { frameSize48k, maxPacketFrames48k } from "../packets/frame-table.ts";

/** Receives what comes out of a depacketizer, in order. */
export interface OpusRtpHandler {
  /**
   * A packet: `bytes[start, end)`, valid only during the call. `timestamp` counts 48 kHz frames and does not wrap.
   */
  packet(bytes: Uint8Array, start: number, end: number, timestamp: number, marker: boolean): void;
  /**
   * `frames` at 48 kHz are missing before the next packet. `lostPackets` were sent and did not come; with 0 of them the
   * sender left silence unsent (DTX).
   */
  gap?(frames: number, lostPackets: number): void;
}

export interface OpusRtpDepacketizerOptions {
  /** Packets of other types are ignored; default: the type of the first packet. */
  readonly payloadType?: number;
  /** How many packets may wait for a missing one before it is given up; 0 to 1024, default 16. */
  readonly reorderPackets?: number;
  /** Largest packet that can wait; default 1500. */
  readonly maxPacketBytes?: number;
}

/** Verdicts of `push` that are not deliveries. */
export const rtpMalformed: number = -1;
export const rtpIgnored: number = -2;

/** A jump of the sequence numbers this large is a new stream (RFC 3550 appendix A.1, MAX_DROPOUT). */
const maxDropout = 3000;

/**
 * Takes Opus packets out of RTP (RFC 7587, RFC 3550): unwraps sequence numbers and timestamps, puts packets back in order
 * within a bound, drops doubles, reports gaps. Allocates nothing after construction.
 */
export class OpusRtpDepacketizer {
  readonly #handler: OpusRtpHandler;
  readonly #window: number;
  /** One more than the window: the slot of the packet that is due stays empty. */
  readonly #slotCount: number;
  readonly #slotBytes: number;
  readonly #slots: Uint8Array;
  /** Length of the waiting packet in each slot, -1 for none; its unwrapped timestamp and marker. */
  readonly #lengths: Int32Array;
  readonly #times: Float64Array;
  readonly #markers: Uint8Array;
  #waiting = 0;
  #payloadType: number;
  #ssrc = -1;
  /** Sequence number, unwrapped, of the packet that is due. */
  #due = 0;
  #lastTime = 0;
  #endTime = -1;
  #late = 0;

  /** @throws OpusError `opus/bad-argument` */
  constructor(handler: OpusRtpHandler, options: OpusRtpDepacketizerOptions = {}) {
    const window = options.reorderPackets ?? 16;
    const slotBytes = options.maxPacketBytes ?? 1500;
    if (!(Number.isInteger(window) && window >= 0 && window <= 1024)) {
      throw new OpusError("opus/bad-argument", `reorderPackets is an integer from 0 to 1024, not ${window}.`);
    }
    if (!(Number.isInteger(slotBytes) && slotBytes > 0 && slotBytes <= 65_535)) {
      throw new OpusError(
        "opus/bad-argument",
        `maxPacketBytes is an integer from 1 to 65535, not ${slotBytes}.`,
      );
    }
    this.#handler = handler;
    this.#window = window;
    this.#slotCount = window + 1;
    this.#slotBytes = slotBytes;
    this.#slots = new Uint8Array(this.#slotCount * slotBytes);
    this.#lengths = new Int32Array(this.#slotCount).fill(-1);
    this.#times = new Float64Array(this.#slotCount);
    this.#markers = new Uint8Array(this.#slotCount);
    this.#payloadType = options.payloadType ?? -1;
  }

  /** Packets that came too late or twice, and were dropped. */
  get latePackets(): number {
    return this.#late;
  }

  /**
   * Takes one RTP packet. A new SSRC or a large jump begins a new stream.
   * @returns packets handed out, which may be several or none; `rtpMalformed` or `rtpIgnored` for what is no packet of ours
   */
  push(rtp: Uint8Array): number {
    if (rtp.length < 12 || rtp[0]! >> 6 !== 2) return rtpMalformed;
    const start = payloadStart(rtp);
    const end = payloadEnd(rtp);
    if (start < 0 || end < start) return rtpMalformed;
    const payloadType = rtp[1]! & 0x7f;
    if (this.#payloadType >= 0 && payloadType !== this.#payloadType) return rtpIgnored;
    this.#payloadType = payloadType;
    const sequence = (rtp[2]! << 8) | rtp[3]!;
    const timestamp = readU32(rtp, 4);
    const ssrc = readU32(rtp, 8);
    const step = (((sequence - this.#due) & 0xffff) << 16) >> 16;
    if (ssrc !== this.#ssrc || Math.abs(step) > maxDropout) {
      const flushed = this.flush();
      this.#begin(ssrc, sequence, timestamp);
      return flushed + this.#accept(rtp, start, end, 0, timestamp);
    }
    return this.#accept(rtp, start, end, step, timestamp);
  }

  /** Hands out all that waits, with gaps for what is missing; returns the packets. */
  flush(): number {
    let delivered = 0;
    while (this.#waiting > 0) delivered += this.#skipToWaiting();
    return delivered;
  }

  #begin(ssrc: number, sequence: number, timestamp: number): void {
    this.#ssrc = ssrc;
    this.#due = sequence;
    this.#lastTime = timestamp;
    this.#endTime = -1;
  }

  /** @param step how far the packet is ahead of the one that is due; negative = late */
  #accept(rtp: Uint8Array, start: number, end: number, step: number, timestamp: number): number {
    if (step < 0) {
      this.#late++;
      return 0;
    }
    const time = this.#lastTime + ((timestamp - this.#lastTime) | 0);
    const marker = rtp[1]! >= 0x80;
    if (step === 0) {
      this.#deliver(rtp, start, end, time, marker, 0);
      return 1 + this.#drain();
    }
    let delivered = 0;
    let ahead = step;
    // Give up missing packets until this one fits the window (or is itself the one that is due).
    while (ahead > this.#window || (ahead > 0 && end - start > this.#slotBytes)) {
      if (this.#waiting === 0) {
        this.#due += ahead;
        this.#deliver(rtp, start, end, time, marker, ahead);
        return delivered + 1;
      }
      const before = this.#due;
      delivered += this.#skipToWaiting();
      ahead -= this.#due - before;
    }
    if (ahead <= 0) {
      // What waited has caught up with it.
      this.#deliver(rtp, start, end, time, marker, 0);
      return delivered + 1 + this.#drain();
    }
    delivered += this.#keep(rtp, start, end, ahead, time, marker);
    return delivered;
  }

  #keep(rtp: Uint8Array, start: number, end: number, ahead: number, time: number, marker: boolean): number {
    const slot = (this.#due + ahead) % this.#slotCount;
    if (this.#lengths[slot]! >= 0) {
      this.#late++;
      return 0;
    }
    const at = slot * this.#slotBytes;
    for (let i = start; i < end; i++) this.#slots[at + i - start] = rtp[i]!;
    this.#lengths[slot] = end - start;
    this.#times[slot] = time;
    this.#markers[slot] = marker ? 1 : 0;
    this.#waiting++;
    return 0;
  }

  /** Hands out the packets that follow without a hole. */
  #drain(): number {
    let delivered = 0;
    while (this.#waiting > 0 && this.#lengths[this.#due % this.#slotCount]! >= 0) {
      this.#deliverSlot(0);
      delivered++;
    }
    return delivered;
  }

  /** Gives up what is due and goes on with the next packet that waits. */
  #skipToWaiting(): number {
    let lost = 0;
    while (this.#lengths[this.#due % this.#slotCount]! < 0) {
      this.#due++;
      lost++;
    }
    this.#deliverSlot(lost);
    return 1 + this.#drain();
  }

  #deliverSlot(lost: number): void {
    const slot = this.#due % this.#slotCount;
    const at = slot * this.#slotBytes;
    const length = this.#lengths[slot]!;
    this.#lengths[slot] = -1;
    this.#waiting--;
    this.#deliver(this.#slots, at, at + length, this.#times[slot]!, this.#markers[slot] === 1, lost);
  }

  #deliver(bytes: Uint8Array, start: number, end: number, time: number, marker: boolean, lost: number): void {
    const missing = this.#endTime < 0 ? 0 : Math.max(0, time - this.#endTime);
    if (missing > 0 || lost > 0) this.#handler.gap?.(missing, lost);
    this.#due++;
    this.#lastTime = time;
    this.#endTime = time + framesAt(bytes, start, end);
    this.#handler.packet(bytes, start, end, time, marker);
  }
}

/** Position of the payload behind CSRC list and header extension (RFC 3550 section 5), -1 where they are cut. */
function payloadStart(rtp: Uint8Array): number {
  let at = 12 + 4 * (rtp[0]! & 15);
  if ((rtp[0]! & 0x10) !== 0) {
    if (at + 4 > rtp.length) return -1;
    at += 4 + 4 * ((rtp[at + 2]! << 8) | rtp[at + 3]!);
  }
  return at <= rtp.length ? at : -1;
}

/** End of the payload in front of RTP padding, -1 where the padding count is wrong. */
function payloadEnd(rtp: Uint8Array): number {
  if ((rtp[0]! & 0x20) === 0) return rtp.length;
  const padding = rtp[rtp.length - 1]!;
  return padding === 0 || padding > rtp.length - 12 ? -1 : rtp.length - padding;
}

/** Duration of an Opus packet at 48 kHz from its first bytes, 0 where they are none. */
function framesAt(bytes: Uint8Array, start: number, end: number): number {
  if (end <= start) return 0;
  const code = bytes[start]! & 3;
  const count = code === 0 ? 1 : code < 3 ? 2 : end - start > 1 ? bytes[start + 1]! & 63 : 0;
  const frames = count * frameSize48k(bytes[start]!);
  return frames <= maxPacketFrames48k ? frames : 0;
}

function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
