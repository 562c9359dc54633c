import { MediaError } from "../errors.ts";
import type { OggOpusHandler, OggOpusPacket } from "../opus/ogg-opus-demuxer.ts";
import { type OpusHead, parseOpusHead } from "../opus/opus-head.ts";
import { opusPacketFrames } from "../opus/packet-frames.ts";
import {
  eachChild,
  ebmlIds,
  readId,
  readSigned,
  readSize,
  readUnsigned,
  unknownSize,
  vintBytes,
} from "./ebml.ts";

/** Limits against hostile files. */
export interface WebmLimits {
  /** Largest element that is read whole (tracks, a block); larger ones are `media/limit`; default 4 MiB. */
  readonly maxElementBytes: number;
}

export const defaultWebmLimits: WebmLimits = { maxElementBytes: 4 << 20 };

/** Elements that are read whole. All others are passed over, or entered. */
const wholeIds: readonly number[] = [
  ebmlIds.header,
  ebmlIds.info,
  ebmlIds.tracks,
  ebmlIds.timestamp,
  ebmlIds.simpleBlock,
  ebmlIds.blockGroup,
];

/** Nanoseconds of a sample frame at 48 kHz. */
const nsPerFrame = 1e9 / 48_000;

/**
 * Reads the first Opus track of a WebM or Matroska file (RFC 9559; codec mapping A_OPUS) from pieces of any size: clusters
 * of unknown size as browsers record them, SimpleBlock and BlockGroup, all four lacings, CodecDelay, DiscardPadding, gaps by
 * the time stamps. What it finds is told in the words of Ogg Opus: one link, packets with what to skip and trim, gaps. After
 * damage it goes on at the next cluster.
 */
export class WebmOpusDemuxer {
  readonly #handler: OggOpusHandler;
  readonly #maxElementBytes: number;
  #buffer = new Uint8Array(1 << 16);
  #start = 0;
  #end = 0;
  /** Bytes of an element that are passed over. */
  #skip = 0;
  /** Bytes taken from the file: skipped, in the buffer, or done with. */
  #position = 0;
  /** Where the cluster at hand ends in the file; infinite where it does not say. */
  #clusterEnd: number = unknownSize;
  #damaged = 0;
  #searching = false;
  #isEbml = false;
  #ended = false;
  #track = -1;
  #head: OpusHead | undefined;
  #timestampScaleNs = 1_000_000;
  #clusterTime = 0;
  /** Time of the last block in 48 kHz frames, and the frames that it held; -1 before the first. */
  #blockFrame = -1;
  #blockLength = 0;
  #skipFrames = 0;
  readonly #lacing = new Uint32Array(257);
  readonly #packet: OggOpusPacket = {
    link: 0,
    bytes: this.#buffer,
    start: 0,
    end: 0,
    frames: 0,
    granule: 0,
    skipStart: 0,
    trimEnd: 0,
  };

  constructor(handler: OggOpusHandler, limits: Partial<WebmLimits> = {}) {
    this.#handler = handler;
    this.#maxElementBytes = limits.maxElementBytes ?? defaultWebmLimits.maxElementBytes;
  }

  /** 1 once the Opus track is known. */
  get linkCount(): number {
    return this.#head === undefined ? 0 : 1;
  }

  /**
   * Takes the next piece of the file.
   * @throws MediaError `media/webm-malformed` for another kind of file, `media/not-opus` for a track whose header cannot be
   *   used, `media/limit`
   */
  push(bytes: Uint8Array): void {
    if (this.#ended) throw new MediaError("media/bad-state", "The demuxer was ended; make a new one.");
    let at = Math.min(bytes.length, this.#skip);
    this.#skip -= at;
    this.#position += at;
    while (at < bytes.length) {
      const count = Math.min(bytes.length - at, 1 << 16);
      this.#append(bytes, at, count);
      at += count;
      this.#position += count;
      this.#parse();
      // An element that is passed over may reach into the rest of the piece.
      const skipped = Math.min(bytes.length - at, this.#skip);
      this.#skip -= skipped;
      this.#position += skipped;
      at += skipped;
    }
  }

  /**
   * Says that the file ends here. `truncated`: inside an element.
   * @throws MediaError `media/empty`, `media/not-opus` if there was no Opus track
   */
  end(): { readonly truncated: boolean } {
    this.#ended = true;
    if (this.#position === 0) throw new MediaError("media/empty", "The WebM file is empty (0 bytes).");
    if (this.#head === undefined) {
      throw new MediaError("media/not-opus", "There is no Opus track in the WebM file.");
    }
    this.#reportDamage();
    return { truncated: this.#skip > 0 || this.#end > this.#start };
  }

  #append(bytes: Uint8Array, at: number, count: number): void {
    if (this.#end + count > this.#buffer.length) {
      const length = this.#end - this.#start;
      if (length + count > this.#buffer.length) {
        const larger = new Uint8Array(Math.max(length + count, 2 * this.#buffer.length));
        larger.set(this.#buffer.subarray(this.#start, this.#end));
        this.#buffer = larger;
      } else this.#buffer.copyWithin(0, this.#start, this.#end);
      this.#start = 0;
      this.#end = length;
    }
    for (let i = 0; i < count; i++) this.#buffer[this.#end + i] = bytes[at + i]!;
    this.#end += count;
  }

  /** Takes all whole elements from the buffer. */
  #parse(): void {
    for (;;) {
      if (this.#skip > 0) {
        const count = Math.min(this.#skip, this.#end - this.#start);
        this.#skip -= count;
        this.#start += count;
        if (this.#skip > 0) return;
      }
      if (this.#searching && !this.#findCluster()) return;
      const available = this.#end - this.#start;
      if (available < 2) return;
      const idBytes = vintBytes(this.#buffer[this.#start]!);
      if (idBytes > 4) {
        this.#lose();
        continue;
      }
      if (available <= idBytes) return;
      const sizeBytes = vintBytes(this.#buffer[this.#start + idBytes]!);
      if (sizeBytes <= 8 && available < idBytes + sizeBytes) return;
      const id = readId(this.#buffer, this.#start);
      const size = readSize(this.#buffer, this.#start + idBytes);
      if (size < 0) {
        this.#lose();
        continue;
      }
      if (!this.#element(id, size, idBytes + sizeBytes)) return;
    }
  }

  /** One element whose header is at the start of the buffer; false where more bytes must come. */
  #element(id: number, size: number, headerBytes: number): boolean {
    if (!this.#isEbml && id !== ebmlIds.header) {
      throw new MediaError(
        "media/webm-malformed",
        "The file does not start with an EBML header; it is no WebM.",
      );
    }
    const offset = this.#position - (this.#end - this.#start);
    if (offset >= this.#clusterEnd) this.#clusterEnd = unknownSize;
    if (id === ebmlIds.segment || id === ebmlIds.cluster) {
      this.#start += headerBytes;
      this.#clusterEnd = id === ebmlIds.cluster ? offset + headerBytes + size : unknownSize;
      return true;
    }
    if (size !== unknownSize && offset + headerBytes + size > this.#clusterEnd) {
      this.#lose();
      return true;
    }
    if (!wholeIds.includes(id)) {
      // Only segments and clusters may have an unknown size here; a lone zero byte is damage as well.
      if (size === unknownSize) this.#lose();
      else {
        this.#start += headerBytes;
        this.#skip = size;
      }
      return true;
    }
    if (size > this.#maxElementBytes) {
      if (this.#head !== undefined) {
        this.#lose();
        return true;
      }
      throw new MediaError(
        "media/limit",
        `A WebM element claims ${size} bytes; the limit is ${this.#maxElementBytes}.`,
      );
    }
    if (this.#end - this.#start < headerBytes + size) return false;
    const start = this.#start + headerBytes;
    this.#start = start + size;
    this.#whole(id, start, start + size);
    return true;
  }

  #whole(id: number, start: number, end: number): void {
    switch (id) {
      case ebmlIds.header:
        this.#isEbml = true;
        return;
      case ebmlIds.info:
        eachChild(this.#buffer, start, end, (child, from, to) => {
          if (child !== ebmlIds.timestampScale) return;
          this.#timestampScaleNs = readUnsigned(this.#buffer, from, to) || 1_000_000;
        });
        return;
      case ebmlIds.tracks:
        eachChild(this.#buffer, start, end, (child, from, to) => {
          if (child === ebmlIds.trackEntry && this.#head === undefined) this.#trackEntry(from, to);
        });
        return;
      case ebmlIds.timestamp:
        this.#clusterTime = readUnsigned(this.#buffer, start, end);
        return;
      case ebmlIds.simpleBlock:
        this.#block(start, end, 0);
        return;
      default:
        this.#blockGroup(start, end);
    }
  }

  #trackEntry(start: number, end: number): void {
    const bytes = this.#buffer;
    let track = -1;
    let codec = "";
    let delayNs = 0;
    let encoded = false;
    let codecPrivate: Uint8Array | undefined;
    eachChild(bytes, start, end, (id, from, to) => {
      if (id === ebmlIds.trackNumber) track = readUnsigned(bytes, from, to);
      else if (id === ebmlIds.codecId)
        codec = String.fromCharCode(...bytes.subarray(from, Math.min(to, from + 64)));
      else if (id === ebmlIds.codecPrivate) codecPrivate = bytes.slice(from, to);
      else if (id === ebmlIds.codecDelay) delayNs = readUnsigned(bytes, from, to);
      else if (id === ebmlIds.contentEncodings) encoded = true;
    });
    if (!codec.startsWith("A_OPUS")) return;
    if (encoded)
      throw new MediaError("media/not-opus", "The Opus track is compressed or encrypted by the container.");
    if (codecPrivate === undefined) throw new MediaError("media/not-opus", "The Opus track has no OpusHead.");
    const head = parseOpusHead(codecPrivate);
    // The two say the same (Matroska codec mapping of Opus); some writers leave the pre-skip of the head at 0.
    const preSkip = head.preSkip || Math.min(65_535, Math.round(delayNs / nsPerFrame));
    this.#track = track;
    this.#head = { ...head, preSkip };
    this.#skipFrames = preSkip;
    const tags = { vendor: "", comments: [], binary: new Uint8Array(0) };
    this.#handler.link?.({ head: this.#head, tags, serial: track, startGranule: 0 }, 0);
  }

  #blockGroup(start: number, end: number): void {
    let blockStart = -1;
    let blockEnd = -1;
    let discardNs = 0;
    eachChild(this.#buffer, start, end, (id, from, to) => {
      if (id === ebmlIds.block) [blockStart, blockEnd] = [from, to];
      else if (id === ebmlIds.discardPadding) discardNs = readSigned(this.#buffer, from, to);
    });
    if (blockStart >= 0) this.#block(blockStart, blockEnd, discardNs);
  }

  /** A Block or SimpleBlock (RFC 9559 section 10.1): track, time, flags, lacing, frames. */
  #block(start: number, end: number, discardNs: number): void {
    const bytes = this.#buffer;
    const trackBytes = end > start ? vintBytes(bytes[start]!) : 9;
    const at = start + trackBytes + 3;
    if (trackBytes > 8 || at > end || readSize(bytes, start) !== this.#track || this.#head === undefined)
      return;
    const relative = ((bytes[at - 3]! << 24) >> 16) | bytes[at - 2]!;
    const count = this.#readLacing((bytes[at - 1]! >> 1) & 3, at, end);
    if (count === 0) {
      this.#handler.gap?.(0, 0);
      return;
    }
    let total = 0;
    for (let i = 0; i < count; i++) total += this.#framesOf(i);
    const time = Math.round(((this.#clusterTime + relative) * this.#timestampScaleNs) / nsPerFrame);
    this.#checkGap(time, total);
    this.#emit(count, total, Math.round(discardNs / nsPerFrame));
  }

  /**
   * Fills `#lacing` with `count + 1` positions: each packet's start, and the end of the last.
   * @returns the number of packets, 0 where the sizes do not fit
   */
  #readLacing(kind: number, start: number, end: number): number {
    const bytes = this.#buffer;
    const sizes = this.#lacing;
    if (kind === 0) {
      sizes[0] = start;
      sizes[1] = end;
      return 1;
    }
    if (start >= end) return 0;
    const count = bytes[start]! + 1;
    let at = start + 1;
    let sum = 0;
    if (kind === 2) {
      const each = (end - at) / count;
      if (!Number.isInteger(each)) return 0;
      for (let i = 0; i <= count; i++) sizes[i] = at + i * each;
      return count;
    }
    let previous = 0;
    for (let i = 0; i < count - 1; i++) {
      let size = 0;
      if (kind === 1) {
        // Xiph: 255s and a rest.
        let byte = 255;
        while (byte === 255) {
          if (at >= end) return 0;
          byte = bytes[at++]!;
          size += byte;
        }
      } else {
        // EBML: the first size, then signed differences.
        const length = at < end ? vintBytes(bytes[at]!) : 9;
        if (length > 4 || at + length > end) return 0;
        const raw = readSize(bytes, at);
        if (raw === unknownSize) return 0;
        size = i === 0 ? raw : previous + raw - (2 ** (7 * length - 1) - 1);
        at += length;
      }
      if (size < 0) return 0;
      previous = size;
      sum += size;
      sizes[i + 1] = sum;
    }
    if (at + sum > end) return 0;
    sizes[0] = 0;
    for (let i = 0; i < count; i++) sizes[i]! += at;
    sizes[count] = end;
    return count;
  }

  #framesOf(index: number): number {
    const start = this.#lacing[index]!;
    return opusPacketFrames(this.#buffer.subarray(start, Math.min(this.#lacing[index + 1]!, start + 2)));
  }

  /** Time stamps are rounded and drift against the samples, so only the step from block to block is judged. */
  #checkGap(time: number, frames: number): void {
    if (this.#blockFrame >= 0) {
      const missing = time - this.#blockFrame - this.#blockLength;
      if (missing > 0.75 * Math.max(frames, 120)) {
        this.#handler.gap?.(0, Math.round(missing / 120) * 120);
        this.#packet.granule += Math.round(missing / 120) * 120;
        this.#skipFrames = Math.max(0, this.#skipFrames - missing);
      }
    }
    this.#blockFrame = time;
    this.#blockLength = frames;
  }

  /** @param discard frames to drop at the end of the block; negative = at its start */
  #emit(count: number, total: number, discard: number): void {
    const packet = this.#packet;
    packet.bytes = this.#buffer;
    if (discard < 0) this.#skipFrames = Math.max(this.#skipFrames, Math.min(total, -discard));
    let behind = total;
    for (let i = 0; i < count; i++) {
      const frames = this.#framesOf(i);
      behind -= frames;
      packet.start = this.#lacing[i]!;
      packet.end = this.#lacing[i + 1]!;
      packet.frames = frames;
      packet.granule += frames;
      packet.skipStart = Math.min(this.#skipFrames, frames);
      packet.trimEnd = Math.min(frames, Math.max(0, discard - behind));
      this.#skipFrames -= packet.skipStart;
      this.#handler.packet?.(packet);
    }
  }

  /** What is at the start of the buffer is no element: the next cluster is looked for. */
  #lose(): void {
    this.#start++;
    this.#damaged++;
    this.#searching = true;
  }

  #findCluster(): boolean {
    const bytes = this.#buffer;
    for (; this.#end - this.#start >= 4; this.#start++, this.#damaged++) {
      if (bytes[this.#start] === 0x1f && readId(bytes, this.#start) === ebmlIds.cluster) {
        this.#searching = false;
        this.#reportDamage();
        return true;
      }
    }
    return false;
  }

  #reportDamage(): void {
    if (this.#damaged === 0) return;
    this.#handler.damage?.(this.#damaged);
    this.#damaged = 0;
  }
}
