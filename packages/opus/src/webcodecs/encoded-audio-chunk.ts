import { type BufferSource, bytesOf, ownBytes } from "./buffer-source.ts";

export type EncodedAudioChunkType = "key" | "delta";

export interface EncodedAudioChunkInit {
  readonly type: EncodedAudioChunkType;
  /** Microseconds. */
  readonly timestamp: number;
  /** Microseconds. */
  readonly duration?: number;
  readonly data: BufferSource;
  /** Buffers that the chunk may take over instead of copying. */
  readonly transfer?: readonly ArrayBuffer[];
}

/** What the decoder asks of a chunk; a browser's own chunks have it, too. */
export interface EncodedAudioChunkLike {
  readonly type: EncodedAudioChunkType;
  readonly timestamp: number;
  readonly duration: number | null;
  readonly byteLength: number;
  copyTo(destination: BufferSource): void;
}

/** One coded packet with its time: `EncodedAudioChunk` of WebCodecs. */
export class EncodedAudioChunk implements EncodedAudioChunkLike {
  readonly type: EncodedAudioChunkType;
  readonly timestamp: number;
  readonly duration: number | null;
  readonly #bytes: Uint8Array;

  /** @throws TypeError for a member that is absent or of another type */
  constructor(init: EncodedAudioChunkInit) {
    const { type, timestamp, duration, data, transfer } = init;
    if (type !== "key" && type !== "delta")
      throw new TypeError(`type is ${String(type)}; give "key" or "delta".`);
    if (!Number.isFinite(timestamp)) throw new TypeError(`timestamp is ${timestamp}; give microseconds.`);
    this.type = type;
    this.timestamp = Math.trunc(timestamp);
    this.duration = duration === undefined ? null : Math.trunc(duration);
    this.#bytes = ownBytes(data, transfer, "data");
  }

  get byteLength(): number {
    return this.#bytes.length;
  }

  /** @throws TypeError where the destination is too small */
  copyTo(destination: BufferSource): void {
    const into = bytesOf(destination, "destination");
    if (into.length < this.#bytes.length) {
      throw new TypeError(`The destination has ${into.length} bytes, the chunk ${this.#bytes.length}.`);
    }
    into.set(this.#bytes);
  }
}
