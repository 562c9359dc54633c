import { type FileHandle, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isLongwaveError } from "@longwave/base";
import { systemReason } from "@longwave/base/node";
import { type AudioDecoder, throwIfAborted } from "../decode/audio-decoder.ts";
import { type AudioFormat, detectAudioFormat, detectionBytes } from "../decode/audio-format.ts";
import {
  checkForm,
  collected,
  type DecodedAudio,
  type DecodeOptions,
  decodeWith,
  unknownFormat,
} from "../decode/decode-audio-bytes.ts";
import { checkByteLimit, type DecodeLimits, resolveLimits } from "../decode/limits.ts";
import { PcmCollector } from "../decode/pcm-sink.ts";
import { resamplerFactory } from "../decode/resampler-factory.ts";
import { endOfWav, wavDecoder, wavIntoSink } from "../decode/wav-decoder.ts";
import { MediaError } from "../errors.ts";
import { decodeInWorker } from "./decode-in-worker.ts";
import { decodeWithFfmpeg } from "./ffmpeg.ts";
import { withTimeLimit } from "./time-limit.ts";

/** Options of the Node part. */
export interface NodeDecodeOptions extends DecodeOptions {
  /** The ffmpeg program for formats that nothing else here decodes; default "ffmpeg" on PATH; false = never. */
  readonly ffmpeg?: string | false | undefined;
}

/** One decoding on its way. */
interface Job {
  readonly options: NodeDecodeOptions;
  readonly limits: DecodeLimits;
  readonly signal: AbortSignal;
}

/** Bytes read from a file at once. */
const readBytes = 1 << 20;

/** Formats of the WASM decoders; they run in a worker. */
const workerFormats: readonly AudioFormat[] = ["mp3", "mp2", "flac", "ogg-flac", "ogg-vorbis"];

/**
 * Decodes an audio file to interleaved floats in the wanted form. The format is judged by content, never by the name. WAV
 * is read piece by piece; MP3, FLAC and Ogg Vorbis are decoded in a worker; anything else goes to the decoders passed in,
 * then to an ffmpeg process where there is one.
 *
 * @example
 * const { pcm, sampleRate } = await decodeAudioFile("song.mp3", { sampleRate: 48000, channels: 1 });
 *
 * @throws MediaError `media/not-found`, `media/unreadable`, `media/empty`, `media/unknown-format`, `media/no-decoder`,
 *   `media/decode-failed`, `media/limit`, `media/timeout`, `media/aborted`, `media/bad-argument`, `media/channel-mix`,
 *   `media/ffmpeg` and the codes of the WAV reader
 */
export async function decodeAudioFile(
  path: string | URL,
  options: NodeDecodeOptions = {},
): Promise<DecodedAudio> {
  const limits = resolveLimits(options.limits);
  checkForm(options);
  const name = typeof path === "string" ? path : fileURLToPath(path);
  return withTimeLimit(limits.timeoutMs, options.signal, async (signal) => {
    const job: Job = { options, limits, signal };
    const file = await openFile(name);
    try {
      const { size } = await checkFile(file, name, limits);
      const start = await readPiece(file, 0, Math.min(size, detectionBytes), name);
      const format = detectAudioFormat(start);
      const early = candidates(format, options);
      if (format === "wav" && early.length === 0) {
        return await orFfmpeg(job, format, name, () => decodeWavFile(file, size, name, job));
      }
      if (early.length === 0 && !workerFormats.includes(format)) {
        return await orFfmpeg(job, format, name, () => noDecoder(format));
      }
      const bytes = await readPiece(file, 0, size, name);
      throwIfAborted(signal);
      return await orFfmpeg(job, format, name, () => decodeInMemory(bytes, format, job));
    } catch (error) {
      throw naming(name, error);
    } finally {
      await file.close();
    }
  });
}

/** The error with the file's name in front, where it does not say it: one of many files is to be found. */
function naming(name: string, error: unknown): unknown {
  if (!(error instanceof MediaError) || error.message.includes(name)) return error;
  if (error.kind === "usage" || error.code === "media/aborted") return error;
  return new MediaError(error.code, `${name}: ${error.message}`, { cause: error });
}

/** Decodes a whole file in memory; as `decodeAudioFile` otherwise. `bytes` stays the caller's and is not changed. */
export async function decodeAudioBytes(
  bytes: Uint8Array,
  options: NodeDecodeOptions = {},
): Promise<DecodedAudio> {
  const limits = resolveLimits(options.limits);
  checkForm(options);
  if (bytes.length === 0) throw new MediaError("media/empty", "The input is empty (0 bytes).");
  checkByteLimit(bytes.length, limits);
  return withTimeLimit(limits.timeoutMs, options.signal, async (signal) => {
    const job: Job = { options, limits, signal };
    const format = detectAudioFormat(bytes);
    // The worker takes its bytes over, so it gets a copy of the caller's (slice() of a Buffer would be none).
    const own = workerFormats.includes(format) ? new Uint8Array(bytes) : bytes;
    return orFfmpeg(job, format, bytes, () => decodeInMemory(own, format, job));
  });
}

/** Injected decoders for a format. */
function candidates(format: AudioFormat, options: DecodeOptions): readonly AudioDecoder[] {
  return (options.decoders ?? []).filter((decoder) => decoder.formats.includes(format));
}

async function decodeInMemory(bytes: Uint8Array, format: AudioFormat, job: Job): Promise<DecodedAudio> {
  const { options, limits, signal } = job;
  const decoders = [...candidates(format, options), ...(format === "wav" ? [wavDecoder] : [])];
  if (!workerFormats.includes(format)) return decodeWith(decoders, bytes, format, options, limits, signal);
  if (decoders.length > 0) {
    try {
      return await decodeWith(decoders, bytes, format, options, limits, signal);
    } catch (error) {
      if (!isUnsupported(error)) throw error;
    }
  }
  const { sampleRate, channels, rateConverter } = options;
  if (rateConverter === undefined || sampleRate === undefined) {
    return decodeInWorker({ bytes, format, form: { sampleRate, channels }, limits }, signal);
  }
  // A function cannot cross over to the worker: convert the rate here.
  const audio = await decodeInWorker({ bytes, format, form: { channels }, limits }, signal);
  const collector = new PcmCollector({ sampleRate }, limits, rateConverter);
  collector.start(audio);
  collector.write(audio.pcm, audio.frames);
  return { ...audio, ...collector.finish() };
}

/** Runs `decode`; what is unsupported goes to ffmpeg, if there is one. `input` is a path, or the bytes themselves. */
async function orFfmpeg(
  job: Job,
  format: AudioFormat,
  input: string | Uint8Array,
  decode: () => Promise<DecodedAudio>,
): Promise<DecodedAudio> {
  try {
    return await decode();
  } catch (refusal) {
    const { options, limits, signal } = job;
    const ffmpeg = options.ffmpeg ?? "ffmpeg";
    if (!isUnsupported(refusal) || isLongwaveError(refusal, "media/channel-mix") || ffmpeg === false)
      throw refusal;
    const collector = new PcmCollector(options, limits, options.rateConverter ?? resamplerFactory);
    try {
      const report = await withPath(input, (path) => decodeWithFfmpeg(ffmpeg, path, collector, signal));
      return collected(collector, format, "ffmpeg", report);
    } catch (error) {
      if (isLongwaveError(error, "media/ffmpeg")) throw withoutFfmpeg(refusal, error);
      if (format === "unknown" && isLongwaveError(error, "media/decode-failed")) throw refusal;
      throw error;
    } finally {
      collector.close();
    }
  }
}

/** ffmpeg opens files only; bytes are put into a private temporary one for the time of the decoding. */
async function withPath<T>(input: string | Uint8Array, use: (path: string) => Promise<T>): Promise<T> {
  if (typeof input === "string") return use(input);
  const directory = await mkdtemp(join(tmpdir(), "longwave-"));
  try {
    const path = join(directory, "input");
    await writeFile(path, input, { mode: 0o600 });
    return await use(path);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function withoutFfmpeg(refusal: unknown, cause: unknown): unknown {
  if (!isLongwaveError(refusal, "media/no-decoder")) return refusal;
  return new MediaError("media/no-decoder", `${refusal.message} Install ffmpeg to decode it.`, { cause });
}

async function noDecoder(format: AudioFormat): Promise<DecodedAudio> {
  if (format === "unknown") throw unknownFormat();
  throw new MediaError("media/no-decoder", `The input is ${format}, and no decoder for it is at hand.`);
}

function isUnsupported(error: unknown): boolean {
  return isLongwaveError(error) && error.kind === "unsupported";
}

/** WAV is read piece by piece on this thread: the parser is total, and the file is never whole in memory. */
async function decodeWavFile(file: FileHandle, bytes: number, name: string, job: Job): Promise<DecodedAudio> {
  const { options, limits, signal } = job;
  const collector = new PcmCollector(options, limits, options.rateConverter ?? resamplerFactory);
  const reader = wavIntoSink(collector, { maxChannels: limits.maxChannels, bytes });
  const piece = new Uint8Array(readBytes);
  try {
    for (let at = 0; ; ) {
      throwIfAborted(signal);
      const count = await readInto(file, piece, at, name);
      if (count === 0) break;
      reader.push(piece.subarray(0, count));
      at += count;
    }
    return collected(collector, "wav", "wav", endOfWav(reader));
  } finally {
    collector.close();
  }
}

async function openFile(name: string): Promise<FileHandle> {
  try {
    return await open(name, "r");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw new MediaError("media/not-found", `There is no file ${name}.`, { cause: error });
    }
    throw unreadable(name, error);
  }
}

async function checkFile(file: FileHandle, name: string, limits: DecodeLimits): Promise<{ size: number }> {
  const info = await file.stat();
  if (info.isDirectory()) {
    throw new MediaError("media/unreadable", `${name} is a directory; name a file in it.`);
  }
  if (info.size === 0) throw new MediaError("media/empty", `${name} is empty (0 bytes).`);
  checkByteLimit(info.size, limits);
  return info;
}

async function readPiece(file: FileHandle, at: number, length: number, name: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const count = await readInto(file, bytes.subarray(filled), at + filled, name);
    if (count === 0) break;
    filled += count;
  }
  return filled === length ? bytes : bytes.slice(0, filled);
}

async function readInto(file: FileHandle, into: Uint8Array, at: number, name: string): Promise<number> {
  try {
    return (await file.read(into, 0, into.length, at)).bytesRead;
  } catch (error) {
    throw unreadable(name, error);
  }
}

function unreadable(name: string, error: unknown): MediaError {
  const reason = (error as NodeJS.ErrnoException).code === "EACCES" ? "no permission" : systemReason(error);
  return new MediaError("media/unreadable", `${name} cannot be read: ${reason}.`, { cause: error });
}
