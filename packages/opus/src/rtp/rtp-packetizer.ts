import { OpusError } from "../errors.ts";

/** What a stream of RTP packets starts with; draw the first values at random for a real session (RFC 3550 section 5.1). */
export interface OpusRtpPacketizerOptions {
  /** 0 to 127; dynamic types are 96 to 127. */
  readonly payloadType: number;
  readonly ssrc: number;
  readonly firstSequence: number;
  readonly firstTimestamp: number;
}

/** Length of the header that is written: no CSRC, no extension. */
export const rtpHeaderBytes: number = 12;

/**
 * Puts Opus packets into RTP (RFC 7587 section 4): one in each, the clock is 48 kHz whatever the coded rate, the timestamp
 * advances by the packet's duration. Allocates nothing.
 */
export class OpusRtpPacketizer {
  readonly #payloadType: number;
  readonly #ssrc: number;
  #sequence: number;
  #timestamp: number;
  #resumes = true;

  /** @throws OpusError `opus/bad-argument` */
  constructor(options: OpusRtpPacketizerOptions) {
    requireUnsigned("payloadType", options.payloadType, 0x7f);
    requireUnsigned("ssrc", options.ssrc, 0xffff_ffff);
    requireUnsigned("firstSequence", options.firstSequence, 0xffff);
    requireUnsigned("firstTimestamp", options.firstTimestamp, 0xffff_ffff);
    this.#payloadType = options.payloadType;
    this.#ssrc = options.ssrc;
    this.#sequence = options.firstSequence;
    this.#timestamp = options.firstTimestamp;
  }

  /** Sequence number of the next packet. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Timestamp of the next packet. */
  get timestamp(): number {
    return this.#timestamp;
  }

  /**
   * Writes one RTP packet; returns its bytes.
   * @param frames48k duration of `packet`, a multiple of 120
   * @param marker default: set on the first packet and on the first after `skip` (RFC 7587 section 4.1)
   * @throws OpusError `opus/bad-argument`, `opus/buffer-too-small`; nothing advances then
   */
  write(packet: Uint8Array, frames48k: number, into: Uint8Array, marker: boolean = this.#resumes): number {
    checkFrames(frames48k);
    const length = rtpHeaderBytes + packet.length;
    if (length > into.length) {
      throw new OpusError(
        "opus/buffer-too-small",
        `The RTP packet has ${length} bytes; there is room for ${into.length}.`,
      );
    }
    into[0] = 0x80;
    into[1] = this.#payloadType | (marker ? 0x80 : 0);
    into[2] = this.#sequence >> 8;
    into[3] = this.#sequence;
    putU32(into, 4, this.#timestamp);
    putU32(into, 8, this.#ssrc);
    for (let i = 0; i < packet.length; i++) into[rtpHeaderBytes + i] = packet[i]!;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#timestamp = (this.#timestamp + frames48k) >>> 0;
    this.#resumes = false;
    return length;
  }

  /** Time passes without a packet (DTX): the timestamp advances, the sequence number does not. */
  skip(frames48k: number): void {
    checkFrames(frames48k);
    this.#timestamp = (this.#timestamp + frames48k) >>> 0;
    this.#resumes = true;
  }
}

function checkFrames(frames48k: number): void {
  if (Number.isInteger(frames48k) && frames48k > 0 && frames48k % 120 === 0) return;
  throw new OpusError("opus/bad-argument", `A duration is a multiple of 120 frames, not ${frames48k}.`);
}

function requireUnsigned(name: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= max) return;
  throw new OpusError("opus/bad-argument", `${name} is an integer from 0 to ${max}, not ${value}.`);
}

function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
