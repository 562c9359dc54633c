import { type FileHandle, open } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { throwIfAborted } from "../decode/audio-decoder.ts";
import { type AudioFormat, detectAudioFormat, detectionBytes } from "../decode/audio-format.ts";
import {
  checkForm,
  collected,
  type DecodedAudio,
  type DecodeOptions,
  decodeWith,
} from "../decode/decode-audio-bytes.ts";
import { checkByteLimit, type DecodeLimits, resolveLimits } from "../decode/limits.ts";
import { PcmCollector } from "../decode/pcm-sink.ts";
import { resamplerFactory } from "../decode/resampler-factory.ts";
import { wavDecoder, wavIntoSink } from "../decode/wav-decoder.ts";
import { MediaError } from "../errors.ts";
import { withTimeLimit } from "./time-limit.ts";

/** Bytes read from a file at once. */
const readBytes = 1 << 20;

/**
 * Decodes an audio file to interleaved floats in the wanted form. The format is judged by content, never by the name.
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
  options: DecodeOptions = {},
): Promise<DecodedAudio> {
  const limits = resolveLimits(options.limits);
  checkForm(options);
  const name = typeof path === "string" ? path : fileURLToPath(path);
  return withTimeLimit(limits.timeoutMs, options.signal, async (signal) => {
    const file = await openFile(name);
    try {
      const { size } = await checkFile(file, name, limits);
      const start = await readPiece(file, 0, Math.min(size, detectionBytes), name);
      const format = detectAudioFormat(start);
      if (format === "wav") return await decodeWavFile(file, name, options, limits, signal);
      return await decodeOther(file, name, size, format, options, limits, signal);
    } finally {
      await file.close();
    }
  });
}

/**
 * Decodes a whole file in memory; as `decodeAudioFile` otherwise. `bytes` stays the caller's.
 */
export async function decodeAudioBytes(
  bytes: Uint8Array,
  options: DecodeOptions = {},
): Promise<DecodedAudio> {
  const limits = resolveLimits(options.limits);
  checkForm(options);
  if (bytes.length === 0) throw new MediaError("media/empty", "The input is empty (0 bytes).");
  checkByteLimit(bytes.length, limits);
  return withTimeLimit(limits.timeoutMs, options.signal, (signal) => {
    const decoders = [...(options.decoders ?? []), wavDecoder];
    return decodeWith(decoders, bytes, detectAudioFormat(bytes), options, limits, signal);
  });
}

/** WAV is read piece by piece on this thread: the parser is total, and the file is never whole in memory. */
async function decodeWavFile(
  file: FileHandle,
  name: string,
  options: DecodeOptions,
  limits: DecodeLimits,
  signal: AbortSignal,
): Promise<DecodedAudio> {
  const collector = new PcmCollector(options, limits, options.rateConverter ?? resamplerFactory);
  const reader = wavIntoSink(collector, limits.maxChannels);
  const piece = new Uint8Array(readBytes);
  for (let at = 0; ; ) {
    throwIfAborted(signal);
    const count = await readInto(file, piece, at, name);
    if (count === 0) break;
    reader.push(piece.subarray(0, count));
    at += count;
  }
  const { truncated } = reader.end();
  const warnings = truncated ? ["The file ends before its promised end."] : [];
  return collected(collector, "wav", "wav", { truncated, warnings });
}

async function decodeOther(
  file: FileHandle,
  name: string,
  size: number,
  format: AudioFormat,
  options: DecodeOptions,
  limits: DecodeLimits,
  signal: AbortSignal,
): Promise<DecodedAudio> {
  const bytes = await readPiece(file, 0, size, name);
  throwIfAborted(signal);
  return decodeWith(options.decoders ?? [], bytes, format, options, limits, signal);
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
  const reason =
    (error as NodeJS.ErrnoException).code === "EACCES" ? "no permission" : (error as Error).message;
  return new MediaError("media/unreadable", `${name} cannot be read: ${reason}.`, { cause: error });
}
