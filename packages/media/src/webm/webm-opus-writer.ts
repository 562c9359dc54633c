import { MediaError } from "../errors.ts";
import { type OpusHead, writeOpusHead } from "../opus/opus-head.ts";
import { opusPacketFrames } from "../opus/packet-frames.ts";
import { ebmlIds } from "./ebml.ts";

/** Gets the file piece by piece; the bytes are the receiver's. */
export type WebmSink = (bytes: Uint8Array) => void;

/** Elements that only a writer needs (RFC 9559); the others are in `ebmlIds`. */
const ids = {
  ebmlVersion: 0x4286,
  ebmlReadVersion: 0x42f7,
  maxIdLength: 0x42f2,
  maxSizeLength: 0x42f3,
  docTypeVersion: 0x4287,
  docTypeReadVersion: 0x4285,
  muxingApp: 0x4d80,
  writingApp: 0x5741,
  duration: 0x4489,
  trackUid: 0x73c5,
  trackType: 0x83,
  seekPreRoll: 0x56bb,
  audio: 0xe1,
  samplingFrequency: 0xb5,
  channels: 0x9f,
} as const;

/** Nanoseconds of run-up that Opus wants behind a seek (RFC 7845 section 4.6: 80 ms). */
const seekPreRollNs = 80_000_000;
/** Times are in milliseconds; a block tells its own as a signed 16-bit difference from its cluster's. */
const timestampScaleNs = 1_000_000;
const clusterMs = 5000;
const framesPerMs = 48;

/**
 * Writes Opus packets as WebM (RFC 9559 with the codec mapping of Opus): one track, clusters of 5 s, a segment of unknown length, so
 * that the file can be written without going back. Pre-skip becomes CodecDelay, trimmed ends DiscardPadding; what is lost shows
 * as a jump of the time stamps.
 *
 * @example
 * const writer = new WebmOpusWriter((bytes) => file.writeSync(bytes), plainOpusHead(2, 312));
 * for (const packet of packets) writer.write(packet);
 * writer.finish();
 */
export class WebmOpusWriter {
  readonly #sink: WebmSink;
  /** Decoded frames so far, pre-skip and gaps included. */
  #frames = 0;
  #clusterStartMs = 0;
  #blocks: Uint8Array[] = [];
  #finished = false;

  /** @param frames length of the sound at 48 kHz where it is known in front; players show it */
  constructor(sink: WebmSink, head: OpusHead, frames?: number) {
    this.#sink = sink;
    const text = (value: string) => new TextEncoder().encode(value);
    sink(
      element(
        ebmlIds.header,
        element(ids.ebmlVersion, unsigned(1)),
        element(ids.ebmlReadVersion, unsigned(1)),
        element(ids.maxIdLength, unsigned(4)),
        element(ids.maxSizeLength, unsigned(8)),
        element(ebmlIds.docType, text("webm")),
        element(ids.docTypeVersion, unsigned(4)),
        element(ids.docTypeReadVersion, unsigned(2)),
      ),
    );
    // All size bits set: of unknown length (RFC 8794 section 6.2).
    sink(Uint8Array.of(...idBytes(ebmlIds.segment), 0x01, 255, 255, 255, 255, 255, 255, 255));
    sink(
      element(
        ebmlIds.info,
        element(ebmlIds.timestampScale, unsigned(timestampScaleNs)),
        ...(frames === undefined ? [] : [element(ids.duration, float64(frames / framesPerMs))]),
        element(ids.muxingApp, text("longwave")),
        element(ids.writingApp, text("longwave")),
      ),
    );
    const audio = element(
      ids.audio,
      element(ids.samplingFrequency, float64(48_000)),
      element(ids.channels, unsigned(head.channels)),
    );
    const track = element(
      ebmlIds.trackEntry,
      element(ebmlIds.trackNumber, unsigned(1)),
      element(ids.trackUid, unsigned(1)),
      element(ids.trackType, unsigned(2)),
      element(ebmlIds.codecId, text("A_OPUS")),
      element(ebmlIds.codecPrivate, writeOpusHead(head)),
      element(ebmlIds.codecDelay, unsigned(nanoseconds(head.preSkip))),
      element(ids.seekPreRoll, unsigned(seekPreRollNs)),
      audio,
    );
    sink(element(ebmlIds.tracks, track));
  }

  /**
   * Adds a packet.
   * @param trimEnd decoded frames at 48 kHz to drop at its end
   * @throws MediaError `media/bad-argument` for bytes that give no duration or a longer trim than that, `media/bad-state`
   */
  write(packet: Uint8Array, trimEnd = 0): void {
    this.#requireOpen();
    const frames = opusPacketFrames(packet);
    if (frames === 0) {
      throw new MediaError("media/bad-argument", `A packet of ${packet.length} bytes is no Opus packet.`);
    }
    if (!(Number.isInteger(trimEnd) && trimEnd >= 0 && trimEnd <= frames)) {
      throw new MediaError("media/bad-argument", `Of ${frames} frames, ${trimEnd} cannot be cut off.`);
    }
    const ms = Math.round(this.#frames / framesPerMs);
    if (this.#blocks.length > 0 && ms - this.#clusterStartMs >= clusterMs) this.flush();
    if (this.#blocks.length === 0) this.#clusterStartMs = ms;
    const relative = ms - this.#clusterStartMs;
    // Track 1, time, and the key frame flag, which a BlockGroup tells by having no reference.
    const head = Uint8Array.of(0x81, relative >> 8, relative & 255, trimEnd > 0 ? 0 : 0x80);
    this.#blocks.push(
      trimEnd > 0
        ? element(
            ebmlIds.blockGroup,
            element(ebmlIds.block, head, packet),
            element(ebmlIds.discardPadding, signed(nanoseconds(trimEnd))),
          )
        : element(ebmlIds.simpleBlock, head, packet),
    );
    this.#frames += frames;
  }

  /** Leaves out `frames` at 48 kHz that were lost. */
  gap(frames: number): void {
    this.#requireOpen();
    this.#frames += frames;
  }

  /** Writes what is held back, for a live stream that must not wait. */
  flush(): void {
    if (this.#blocks.length === 0) return;
    const time = element(ebmlIds.timestamp, unsigned(this.#clusterStartMs));
    this.#sink(element(ebmlIds.cluster, time, ...this.#blocks));
    this.#blocks = [];
  }

  /** Writes the last cluster. */
  finish(): void {
    if (this.#finished) return;
    this.flush();
    this.#finished = true;
  }

  #requireOpen(): void {
    if (this.#finished) throw new MediaError("media/bad-state", "The file was finished.");
  }
}

function nanoseconds(frames: number): number {
  return Math.round((frames * 62_500) / 3);
}

/** An element: identifier, size in four bytes, children or data. */
function element(id: number, ...body: readonly Uint8Array[]): Uint8Array {
  const head = idBytes(id);
  const size = body.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(head.length + 4 + size);
  bytes.set(head);
  new DataView(bytes.buffer).setUint32(head.length, (0x1000_0000 | size) >>> 0);
  let at = head.length + 4;
  for (const part of body) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function idBytes(id: number): number[] {
  const bytes: number[] = [];
  for (let rest = id; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest & 255);
  return bytes;
}

/** As few bytes as it needs, one at least. */
function unsigned(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; rest > 0 || bytes.length === 0; rest = Math.floor(rest / 256))
    bytes.unshift(rest % 256);
  return Uint8Array.from(bytes);
}

/** A positive number as a signed integer: its first bit is free. */
function signed(value: number): Uint8Array {
  const bytes = unsigned(value);
  return bytes[0]! >= 0x80 ? Uint8Array.of(0, ...bytes) : bytes;
}

function float64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value);
  return bytes;
}
