import type { Readable } from "node:stream";
import { SampleRing } from "@longwave/base";
import { Resampler } from "@longwave/dsp";
import { decodeSamples, detectAudioFormat, mixChannels, mixMatrix, WavReader } from "@longwave/media";
import { decodeAudioBytes } from "@longwave/media/node";
import { StationError } from "../errors.ts";
import { stationChannels, stationRateHz } from "../sound.ts";
import type { Cue, ProgrammeSource, SourceAbsence } from "../stages.ts";
import { fileDecoders } from "./file-decoders.ts";
import type { LiveInput } from "./live-input.ts";

export interface StandardInputOptions {
  /** Form of raw PCM; default 48000 Hz, 2 channels. A WAV header on the stream wins. */
  readonly inputRateHz?: number;
  readonly inputChannels?: number;
  readonly signal: AbortSignal;
}

/** Sound that waits to be played: 2 s; a faster writer is held back. */
const ringFrames = 2 * stationRateHz;
/** Live sound that must wait before playing begins, or goes on after a break: 300 ms. */
const startAt = 0.3 * stationRateHz * stationChannels;
/** Whole files of a compressed format on standard input are collected before they play. */
const maxFileBytes = 1 << 28;
const cue: Cue = {
  item: "live",
  id: "live",
  title: "Live input",
  detail: "standard input",
  lengthFrames: undefined,
};

/**
 * Plays what comes on a stream: raw 16-bit little-endian PCM, a WAV stream, or a whole file of another format.
 *
 * @throws StationError `station/empty-input`, `station/bad-option`; MediaError for a stream that cannot be decoded
 */
export async function openStandardInput(stream: Readable, options: StandardInputOptions): Promise<LiveInput> {
  const first = await firstPiece(stream);
  const isRaw = options.inputRateHz !== undefined || options.inputChannels !== undefined;
  const format = isRaw ? "unknown" : detectAudioFormat(first);
  const source = new LiveSource(stream);
  if (format === "wav") source.playWav(first);
  else if (format === "unknown")
    source.playRaw(first, options.inputRateHz ?? stationRateHz, options.inputChannels ?? 2);
  else await source.playFile(first, options.signal);
  return { name: "standard input", source };
}

/** Enough of the stream to tell its format (43 ms of PCM), or all of it. */
async function firstPiece(stream: Readable): Promise<Buffer> {
  let first = Buffer.alloc(0);
  while (first.length < 8192) {
    const piece = await nextPiece(stream);
    if (piece === undefined) break;
    first = Buffer.concat([first, piece]);
  }
  if (first.length > 0) return first;
  throw new StationError(
    "station/empty-input",
    "usage",
    "Standard input is empty; pipe audio into the command.",
  );
}

function nextPiece(stream: Readable): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const done = (act: () => void) => {
      stream.off("readable", onReadable);
      stream.off("end", onEnd);
      stream.off("error", onError);
      act();
    };
    const onReadable = () => {
      const piece = stream.read() as Buffer | null;
      if (piece !== null) done(() => resolve(piece));
    };
    const onEnd = () => done(() => resolve(undefined));
    const onError = (error: Error) => done(() => reject(error));
    stream.on("readable", onReadable);
    stream.on("end", onEnd);
    stream.on("error", onError);
    if (stream.readableEnded) onEnd();
    else onReadable();
  });
}

class LiveSource implements ProgrammeSource {
  readonly #stream: Readable;
  readonly #ring = new SampleRing(ringFrames * stationChannels);
  #take: (bytes: Buffer) => void = () => {};
  #waiting: Float32Array | undefined;
  #begun = false;
  #isPlaying = false;
  #hadSound = false;
  #over = false;
  #closed = false;

  constructor(stream: Readable) {
    this.#stream = stream;
  }

  get ended(): boolean {
    return this.#closed || (this.#over && this.#ring.length === 0 && this.#waiting === undefined);
  }

  get absence(): SourceAbsence | undefined {
    if (this.#hadSound) return undefined;
    return this.#over ? "source-away" : "source-silent";
  }

  playWav(first: Buffer): void {
    let matrix: Float64Array | undefined;
    let resampler: LiveResampler | undefined;
    const reader = new WavReader(
      (pcm, frames) => {
        const { channels } = reader.head!.format;
        matrix ??= mixMatrix(channels, stationChannels);
        const stereo = new Float32Array(frames * stationChannels);
        mixChannels(pcm, channels, stereo, stationChannels, frames, matrix);
        this.#keep(resampler!.process(stereo));
      },
      {
        onHead: ({ format }) => {
          resampler = new LiveResampler(format.sampleRate);
        },
      },
    );
    this.#start((bytes) => reader.push(bytes), first);
  }

  playRaw(first: Buffer, rateHz: number, channels: number): void {
    const resampler = new LiveResampler(rateHz);
    if (!Number.isInteger(channels) || channels < 1 || channels > 8) {
      throw new StationError("station/bad-option", "usage", `Raw PCM has 1 to 8 channels, not ${channels}.`);
    }
    const matrix = mixMatrix(channels, stationChannels);
    const frameBytes = 2 * channels;
    let rest = Buffer.alloc(0);
    this.#start((bytes) => {
      const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      const frames = Math.floor(all.length / frameBytes);
      const pcm = new Float32Array(frames * channels);
      decodeSamples(all, 0, "s16", false, pcm, 0, pcm.length);
      const stereo = new Float32Array(frames * stationChannels);
      mixChannels(pcm, channels, stereo, stationChannels, frames, matrix);
      rest = Buffer.from(all.subarray(frames * frameBytes));
      this.#keep(resampler.process(stereo));
    }, first);
  }

  async playFile(first: Buffer, signal: AbortSignal): Promise<void> {
    const pieces = [first];
    let size = first.length;
    for (
      let piece = await nextPiece(this.#stream);
      piece !== undefined;
      piece = await nextPiece(this.#stream)
    ) {
      size += piece.length;
      if (size > maxFileBytes) {
        throw new StationError(
          "station/input-too-large",
          "limit",
          `A file on standard input may have ${maxFileBytes} bytes; name it with --input instead.`,
        );
      }
      pieces.push(piece);
    }
    const form = { sampleRate: stationRateHz, channels: stationChannels, signal };
    const { pcm } = await decodeAudioBytes(Buffer.concat(pieces), { ...form, decoders: fileDecoders });
    this.#over = true;
    this.#keep(pcm);
  }

  read(block: Float32Array, onCue: (cue: Cue, frameInBlock: number) => void): number {
    this.#refill();
    this.#isPlaying ||= this.#over || this.#ring.length >= startAt;
    const count = this.#isPlaying ? this.#ring.read(block) : 0;
    block.fill(0, count);
    this.#hadSound = count > 0;
    if (count < block.length) this.#isPlaying = false;
    this.#refill();
    if (count > 0 && !this.#begun) {
      this.#begun = true;
      onCue(cue, 0);
    }
    return count / stationChannels;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stream.destroy();
  }

  #start(take: (bytes: Buffer) => void, first: Buffer): void {
    this.#take = take;
    this.#take(first);
    this.#stream.on("data", (bytes: Buffer) => this.#take(bytes));
    this.#stream.on("end", () => {
      this.#over = true;
    });
    this.#stream.on("error", () => {
      this.#over = true;
    });
    if (this.#stream.readableEnded) this.#over = true;
  }

  /** Puts sound into the ring; what does not fit waits, and the writer with it. */
  #keep(stereo: Float32Array): void {
    if (this.#waiting !== undefined) {
      const both = new Float32Array(this.#waiting.length + stereo.length);
      both.set(this.#waiting);
      both.set(stereo, this.#waiting.length);
      this.#waiting = both;
      return;
    }
    const written = this.#ring.write(stereo);
    if (written === stereo.length) return;
    this.#waiting = stereo.subarray(written);
    this.#stream.pause();
  }

  #refill(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const written = this.#ring.write(waiting);
    this.#waiting = written === waiting.length ? undefined : waiting.subarray(written);
    if (this.#waiting === undefined) this.#stream.resume();
  }
}

/** Brings live stereo sound to the station's rate. */
class LiveResampler {
  readonly #resampler: Resampler;

  constructor(rateHz: number) {
    if (!Number.isInteger(rateHz) || rateHz < 1000 || rateHz > 768_000) {
      throw new StationError(
        "station/bad-option",
        "usage",
        `Live input has 1000 to 768000 Hz, not ${rateHz}.`,
      );
    }
    this.#resampler = new Resampler({ from: rateHz, to: stationRateHz, channels: stationChannels });
  }

  process(stereo: Float32Array): Float32Array {
    const room = this.#resampler.maxOutputFrames(stereo.length / stationChannels) * stationChannels;
    const out = new Float32Array(room);
    return out.subarray(0, this.#resampler.process(stereo, out) * stationChannels);
  }
}
