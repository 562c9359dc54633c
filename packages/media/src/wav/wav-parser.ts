import { MediaError } from "../errors.ts";
import { parseWavFormat, type WavFormat, wavFrameBytes } from "./wav-format.ts";

/** A chunk of the file other than `fmt `, `data` and `ds64`, byte for byte. */
export interface WavChunk {
  /** Four characters, one per byte (Latin-1), spaces kept. */
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** Limits against hostile headers. */
export interface WavLimits {
  /** Default 64. */
  readonly maxChannels: number;
  /** Metadata chunks larger than this are skipped and counted in `skippedChunks`; default 16 MiB. */
  readonly maxChunkBytes: number;
  /** All kept chunks together; default 64 MiB. */
  readonly maxMetadataBytes: number;
  /** Chunks in one file; more is `media/limit`; default 4096. */
  readonly maxChunks: number;
}

export const defaultWavLimits: WavLimits = {
  maxChannels: 64,
  maxChunkBytes: 16 << 20,
  maxMetadataBytes: 64 << 20,
  maxChunks: 4096,
};

/** Receives what a `WavParser` finds, in the order of the file. */
export interface WavHandler {
  /** Once, before the first `data`. `frames` is what the header promises, undefined where it does not know. */
  format?(format: WavFormat, frames: number | undefined): void;
  /** Bytes of the data chunk: `bytes[start, end)` of the pushed buffer, valid only during the call. */
  data?(bytes: Uint8Array, start: number, end: number): void;
}

/** What the parser waits for: fixed-size headers, a chunk body to keep, or bytes to pass on or over. */
type State = "riff" | "chunk-header" | "body" | "data" | "skip" | "pad";

/**
 * What writers put as the size when they cannot seek back: sox 0x7FFFF000 rounded down to whole frames, arecord the other
 * two. ffmpeg's 0xFFFFFFFF and the 0 of others have rules of their own.
 */
function isPlaceholder(size: number): boolean {
  return (size > 0x7ffe_f000 && size <= 0x7fff_f000) || size === 0x7fff_ffff || size === 0x8000_0000;
}

/** Four printable characters: what every chunk's name is made of. */
function isChunkName(id: string): boolean {
  return /^[\x20-\x7e]{4}$/.test(id);
}

/** No `fmt ` or `ds64` chunk is larger. */
const maxStructuralBytes = 1 << 16;

/** Kept chunks grow from here as their bytes arrive, so that a header's claim alone allocates nothing more. */
const firstBodyBytes = 4096;

/**
 * A push parser for WAV: RIFF, RIFX, RF64 and BW64 (EBU Tech 3306, ITU-R BS.2088), chunks in any order with `fmt `
 * before `data`. Feed it pieces of any size; every byte is looked at once and memory is bounded by the limits. Odd
 * chunks are padded, and a missing pad byte is forgiven.
 */
export class WavParser {
  readonly #handler: WavHandler;
  readonly #limits: WavLimits;
  readonly #chunks: WavChunk[] = [];
  readonly #header = new Uint8Array(12);
  #body: Uint8Array = this.#header;
  #filled = 0;
  #state: State = "riff";
  /** Bytes of the file before the piece at hand. */
  #position = 0;
  #chunkId = "";
  #chunkSize = 0;
  #remaining = 12;
  #chunkCount = 0;
  #metadataBytes = 0;
  #wide: { readonly dataSize: number; readonly sizes: ReadonlyMap<string, number> } | undefined;
  #is64 = false;
  #bigEndian = false;
  #format: WavFormat | undefined;
  #dataBytes = 0;
  #dataSeen = false;
  #openEnded = false;
  /** The size of the sound may be a placeholder: what follows it is sound too unless it is a chunk. */
  #sizeUnsure = false;
  /** Where the RIFF header says that the file ends; what follows the sound beyond it is not a chunk. */
  #riffEnd = Number.POSITIVE_INFINITY;
  #dataEnd = 0;
  #trailing = false;
  #skippedChunks = 0;
  #ended = false;

  constructor(handler: WavHandler = {}, limits: Partial<WavLimits> = {}) {
    this.#handler = handler;
    this.#limits = { ...defaultWavLimits, ...limits };
  }

  /** The format, once its chunk was read. */
  get format(): WavFormat | undefined {
    return this.#format;
  }

  /** Every other chunk read so far, in the order of the file. */
  get chunks(): readonly WavChunk[] {
    return this.#chunks;
  }

  /** Chunks that were over a limit, or a second sound chunk, and were passed over. */
  get skippedChunks(): number {
    return this.#skippedChunks;
  }

  /** Bytes of sound seen so far. */
  get dataBytes(): number {
    return this.#dataBytes;
  }

  /**
   * Takes the next piece of the file.
   * @throws MediaError `media/wav-malformed`, `media/wav-codec`, `media/limit`; the parser is of no use afterwards
   */
  push(bytes: Uint8Array): void {
    if (this.#ended) throw new MediaError("media/bad-state", "The parser was ended; make a new one.");
    let at = 0;
    while (at < bytes.length) {
      if (this.#state === "pad") {
        // A pad byte is 0; anything else is the next chunk's first character, of a writer that forgot the pad.
        if (bytes[at] === 0) at++;
        this.#await("chunk-header", this.#header, 8);
      } else if (this.#state === "data" || this.#state === "skip") {
        const end = Math.min(bytes.length, at + this.#remaining);
        if (this.#state === "data") {
          this.#dataBytes += end - at;
          this.#handler.data?.(bytes, at, end);
        }
        this.#remaining -= end - at;
        at = end;
        if (this.#remaining === 0) this.#endChunk();
      } else {
        const count = Math.min(bytes.length - at, this.#remaining);
        if (this.#filled + count > this.#body.length) this.#grow(this.#filled + count);
        for (let i = 0; i < count; i++) this.#body[this.#filled + i] = bytes[at + i]!;
        this.#filled += count;
        this.#remaining -= count;
        at += count;
        if (this.#remaining === 0) this.#filledUp(this.#position + at);
      }
    }
    this.#position += bytes.length;
  }

  /**
   * Says that the file ends here.
   * @returns whether it ended too early: inside a chunk, or before the promised end of the sound
   * @throws MediaError `media/empty` without any byte, `media/wav-malformed` where there was no sound chunk
   */
  end(): { readonly truncated: boolean } {
    this.#ended = true;
    if (this.#position === 0) throw new MediaError("media/empty", "The WAV file is empty (0 bytes).");
    if (!this.#dataSeen) {
      const missing = this.#format === undefined ? "its format" : "its sound";
      throw malformed(`it ends after ${this.#position} bytes, before ${missing}`);
    }
    // Too little for a chunk behind a size that may be a placeholder is the last of the sound.
    if (this.#sizeUnsure && this.#state === "chunk-header") this.#goOnWithData(this.#filled);
    const insideData = this.#state === "data" && !this.#openEnded;
    const insideHeader =
      this.#state === "chunk-header" && this.#filled > 0 && this.#position - this.#filled < this.#riffEnd;
    const insideChunk = this.#state === "body" || (this.#state === "skip" && !this.#trailing) || insideHeader;
    return { truncated: insideData || insideChunk };
  }

  #grow(needed: number): void {
    const whole = this.#filled + this.#remaining;
    const larger = new Uint8Array(Math.min(whole, Math.max(needed, 2 * this.#body.length)));
    larger.set(this.#body.subarray(0, this.#filled));
    this.#body = larger;
  }

  #await(state: "riff" | "chunk-header" | "body", into: Uint8Array, count: number): void {
    this.#state = state;
    this.#body = into;
    this.#filled = 0;
    this.#remaining = count;
  }

  /** A header or a kept body is complete; `position` is the place in the file right after it. */
  #filledUp(position: number): void {
    if (this.#state === "riff") this.#readRiff();
    else if (this.#state === "chunk-header") this.#readChunkHeader(position);
    else this.#readBody();
  }

  #readRiff(): void {
    const id = latin1(this.#header, 0, 4);
    const form = latin1(this.#header, 8, 12);
    if (!["RIFF", "RIFX", "RF64", "BW64"].includes(id) || form !== "WAVE") {
      throw malformed(`it starts with ${JSON.stringify(id)} and ${JSON.stringify(form)}, not RIFF and WAVE`);
    }
    this.#bigEndian = id === "RIFX";
    this.#is64 = id === "RF64" || id === "BW64";
    const size = this.#u32(this.#header, 4);
    if (size !== 0 && size !== 0xffff_ffff) this.#riffEnd = size + 8;
    this.#await("chunk-header", this.#header, 8);
  }

  #readChunkHeader(position: number): void {
    this.#chunkId = latin1(this.#header, 0, 4);
    if (this.#sizeUnsure && !isChunkName(this.#chunkId)) {
      this.#goOnWithData(8);
      return;
    }
    this.#sizeUnsure = false;
    if (this.#dataSeen && this.#isTrailing(position - 8)) {
      this.#trailing = true;
      this.#state = "skip";
      this.#remaining = Number.POSITIVE_INFINITY;
      return;
    }
    if (++this.#chunkCount > this.#limits.maxChunks) {
      throw new MediaError("media/limit", `The WAV file has more than ${this.#limits.maxChunks} chunks.`);
    }
    const stated = this.#u32(this.#header, 4);
    const size = stated === 0xffff_ffff ? (this.#wide?.sizes.get(this.#chunkId) ?? stated) : stated;
    this.#chunkSize = size;
    if (this.#chunkId === "data") this.#startData(stated, position);
    else this.#startBody(size);
  }

  #startBody(size: number): void {
    if (this.#chunkId === "fmt " || this.#chunkId === "ds64") {
      if (size > maxStructuralBytes)
        throw malformed(`its ${this.#chunkId.trim()} chunk claims ${size} bytes`);
    } else {
      const kept = this.#metadataBytes + size;
      if (size > this.#limits.maxChunkBytes || kept > this.#limits.maxMetadataBytes) {
        this.#skip(size);
        return;
      }
      this.#metadataBytes = kept;
    }
    this.#await("body", new Uint8Array(Math.min(size, firstBodyBytes)), size);
    if (size === 0) this.#readBody();
  }

  /** Beyond the end that the RIFF header gives (where that is plausible), or no chunk name at all. */
  #isTrailing(position: number): boolean {
    if (this.#riffEnd >= this.#dataEnd && position >= this.#riffEnd) return true;
    return !isChunkName(this.#chunkId);
  }

  /** What was taken for a chunk's header is sound: the stated size was a placeholder. */
  #goOnWithData(count: number): void {
    this.#sizeUnsure = false;
    this.#openEnded = true;
    this.#state = "data";
    this.#remaining = Number.POSITIVE_INFINITY;
    this.#dataBytes += count;
    this.#handler.data?.(this.#header, 0, count);
  }

  #startData(stated: number, position: number): void {
    const format = this.#format;
    if (format === undefined) throw malformed("its sound comes before its fmt chunk");
    if (this.#dataSeen) {
      this.#skip(this.#chunkSize);
      return;
    }
    this.#dataSeen = true;
    let size = stated;
    // Some writers of RF64 leave 0 here; a piped RF64 file has a ds64 chunk of zeros or ones.
    const wideSize = this.#wide?.dataSize ?? 0;
    if ((stated === 0xffff_ffff || (stated === 0 && this.#is64)) && wideSize > 0) {
      size = wideSize;
      this.#openEnded = wideSize === Number.POSITIVE_INFINITY;
    } else if (stated === 0xffff_ffff) this.#openEnded = true;
    else if (stated === 0) {
      // A writer that could not seek back: the RIFF size was never filled in either, or counts the header only.
      this.#openEnded = this.#riffEnd === Number.POSITIVE_INFINITY || this.#riffEnd <= position;
      this.#sizeUnsure = !this.#openEnded;
    }
    if (this.#openEnded) size = Number.POSITIVE_INFINITY;
    else if (size === stated && isPlaceholder(stated)) {
      this.#openEnded = true;
      this.#sizeUnsure = true;
    }
    const isUnknown = this.#openEnded || this.#sizeUnsure;
    const frames = isUnknown ? undefined : Math.floor(size / wavFrameBytes(format));
    this.#chunkSize = size;
    this.#remaining = size;
    this.#dataEnd = position + size;
    this.#state = "data";
    this.#handler.format?.(format, frames);
    if (size === 0) this.#endChunk();
  }

  #skip(size: number): void {
    this.#skippedChunks++;
    this.#state = "skip";
    this.#remaining = size;
    if (size === 0) this.#endChunk();
  }

  #readBody(): void {
    const bytes = this.#body;
    if (this.#chunkId === "fmt ") {
      this.#format ??= parseWavFormat(bytes, this.#bigEndian, this.#limits.maxChannels);
    } else if (this.#chunkId === "ds64" && this.#is64) this.#readSizes(bytes);
    else this.#chunks.push({ id: this.#chunkId, bytes });
    this.#endChunk();
  }

  /** The `ds64` chunk of EBU Tech 3306: 64-bit sizes of the file, of `data`, and a table for other chunks. */
  #readSizes(bytes: Uint8Array): void {
    if (bytes.length < 24)
      throw malformed(`its ds64 chunk has ${bytes.length} bytes, at least 24 are needed`);
    const dataSize = this.#u64(bytes, 8);
    const riffSize = this.#u64(bytes, 0);
    if (riffSize !== 0) this.#riffEnd = riffSize + 8;
    const sizes = new Map<string, number>();
    const count = bytes.length >= 28 ? this.#u32(bytes, 24) : 0;
    for (let i = 0; i < count && 28 + 12 * i + 12 <= bytes.length; i++) {
      const at = 28 + 12 * i;
      sizes.set(latin1(bytes, at, at + 4), this.#u64(bytes, at + 4));
    }
    this.#wide = { dataSize, sizes };
  }

  #endChunk(): void {
    if (this.#chunkSize % 2 === 1 && !this.#sizeUnsure) this.#state = "pad";
    else this.#await("chunk-header", this.#header, 8);
  }

  #u32(bytes: Uint8Array, at: number): number {
    const order = this.#bigEndian ? [at, at + 1, at + 2, at + 3] : [at + 3, at + 2, at + 1, at];
    return order.reduce((value, i) => value * 256 + bytes[i]!, 0);
  }

  /** RF64 and BW64 are little-endian. Sizes beyond any file (all ones: never filled in) are infinite. */
  #u64(bytes: Uint8Array, at: number): number {
    const value = this.#u32(bytes, at) + this.#u32(bytes, at + 4) * 0x1_0000_0000;
    return Number.isSafeInteger(value) ? value : Number.POSITIVE_INFINITY;
  }
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}

function malformed(what: string): MediaError {
  return new MediaError("media/wav-malformed", `The WAV file is damaged: ${what}.`);
}
