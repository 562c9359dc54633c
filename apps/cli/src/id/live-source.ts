import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { Readable } from "node:stream";
import { BaseError } from "@longwave/base";
import {
  decodeSamples,
  detectAudioFormat,
  endOfWav,
  mixChannels,
  mixMatrix,
  WavReader,
} from "@longwave/media";
import { BoundedQueue } from "./bounded-queue.ts";
import { readSound } from "./read-sound.ts";

/** Mono sound that comes at its own pace. */
export interface LiveSource {
  readonly name: string;
  readonly sampleRate: number;
  readonly chunks: AsyncIterable<Float32Array>;
  /** Samples that were lost because nobody took them in time; only devices lose sound, pipes wait. */
  readonly droppedSamples: number;
  /** Comes at its own pace, whether or not somebody takes it: false for files. */
  readonly live: boolean;
  /** What the input lacked; complete after the last chunk. */
  readonly warnings: readonly string[];
  close(): void;
}

/** How to read the input of `id listen`. */
export interface LiveSourceOptions {
  /** Form of raw 16-bit PCM on standard input. */
  readonly rate: number;
  readonly channels: number;
  /** Name of the device in the words of the recording program. */
  readonly device?: string | undefined;
}

/** Rate of what is recorded or decoded for us: enough for every profile. */
const captureRate = 16_000;
/** Sound from a device that may wait, seconds. */
const queueSeconds = 10;
/** Bytes that tell the format of a stream. */
const detectionBytes = 512;

/** Programs that record from the default device, and their arguments; the first that is installed is used. */
const recorders: readonly [string, (device: string | undefined) => readonly string[]][] = [
  [
    "arecord",
    (device) => [
      "-q",
      "-t",
      "raw",
      "-f",
      "S16_LE",
      "-r",
      `${captureRate}`,
      "-c",
      "1",
      ...(device ? ["-D", device] : []),
    ],
  ],
  [
    "parec",
    (device) => [
      "--raw",
      "--format=s16le",
      `--rate=${captureRate}`,
      "--channels=1",
      ...(device ? [`--device=${device}`] : []),
    ],
  ],
  ["rec", () => ["-q", "-t", "raw", "-e", "signed", "-b", "16", "-r", `${captureRate}`, "-c", "1", "-"]],
  ["ffmpeg", (device) => ["-nostdin", "-v", "error", ...deviceOfPlatform(device), ...rawForm]],
];
const rawForm = ["-f", "s16le", "-ar", `${captureRate}`, "-ac", "1", "pipe:1"];

function deviceOfPlatform(device: string | undefined): string[] {
  if (process.platform === "darwin") return ["-f", "avfoundation", "-i", device ?? ":0"];
  if (process.platform === "win32") return ["-f", "dshow", "-i", device ?? "audio=default"];
  return ["-f", "pulse", "-i", device ?? "default"];
}

/**
 * Opens the microphone (no input), standard input (`-`: WAV, raw PCM, or what ffmpeg knows), a file or an address (ffmpeg).
 * @throws BaseError `cli/no-recorder`, `cli/no-ffmpeg`, `cli/empty-input`
 */
export async function openLiveSource(
  input: string | undefined,
  options: LiveSourceOptions,
): Promise<LiveSource> {
  if (input === undefined) return openMicrophone(options.device);
  if (input !== "-") return openByFfmpeg(input, ["-i", input]);
  const stream = process.stdin;
  const first = await firstBytes(stream);
  const format = detectAudioFormat(first);
  if (format === "wav") return openWav("standard input", stream, true);
  if (format !== "unknown" && !isInstalled("ffmpeg")) return openDecoded("-", true);
  if (format === "unknown")
    return rawSource("standard input", stream, options.rate, options.channels, () => stream.destroy());
  const source = openByFfmpeg("standard input", ["-i", "pipe:0"], stream);
  return source;
}

/**
 * Opens a recording to follow from its beginning: as `openLiveSource`, but a file is read without ffmpeg, WAV files of any length piece by
 * piece and others whole.
 */
export async function openRecording(input: string, options: LiveSourceOptions): Promise<LiveSource> {
  if (input === "-" || /^[a-z][a-z0-9+.-]+:\/\//i.test(input)) return openLiveSource(input, options);
  if (await isWavFile(input)) return openWav(input, createReadStream(input), false);
  return openDecoded(input, false);
}

async function isWavFile(path: string): Promise<boolean> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return false;
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(detectionBytes), 0, detectionBytes, 0);
    return detectAudioFormat(buffer.subarray(0, bytesRead)) === "wav";
  } catch {
    return false;
  } finally {
    await file.close();
  }
}

async function openDecoded(path: string, live: boolean): Promise<LiveSource> {
  const { samples, sampleRate } = await readSound(path, { channels: 1 });
  async function* chunks(): AsyncIterable<Float32Array> {
    for (let at = 0; at < samples.length; at += sampleRate) yield samples.subarray(at, at + sampleRate);
  }
  const name = path === "-" ? "standard input" : path;
  // What it lacked was said when it was decoded.
  return { name, sampleRate, chunks: chunks(), droppedSamples: 0, live, warnings: [], close: () => {} };
}

/** Looks at the first bytes and puts them back. */
async function firstBytes(stream: Readable): Promise<Uint8Array> {
  let seen = Buffer.alloc(0);
  while (seen.length < detectionBytes) {
    const piece: Buffer | null = stream.read();
    if (piece !== null) seen = Buffer.concat([seen, piece]);
    else if (stream.readableEnded) break;
    else if (!(await moreOrEnd(stream))) break;
  }
  if (seen.length === 0) {
    throw new BaseError("cli/empty-input", "usage", "Standard input is empty; pipe sound into the command.");
  }
  stream.unshift(seen);
  return seen;
}

async function moreOrEnd(stream: Readable): Promise<boolean> {
  const stop = new AbortController();
  try {
    return await Promise.race([
      once(stream, "readable", { signal: stop.signal }).then(() => !stream.readableEnded),
      once(stream, "end", { signal: stop.signal }).then(() => false),
    ]);
  } finally {
    stop.abort();
  }
}

function openMicrophone(device: string | undefined): LiveSource {
  const found = recorders.find(([program]) => isInstalled(program));
  if (found === undefined) {
    throw new BaseError(
      "cli/no-recorder",
      "unavailable",
      "No program that records is installed (arecord, parec, rec or ffmpeg); install one, or pipe sound in and give - as input.",
    );
  }
  const [program, args] = found;
  const child = spawn(program, args(device), { stdio: ["ignore", "pipe", "pipe"] });
  const failure = failureOf(child, program);
  const queue = new BoundedQueue(queueSeconds * captureRate);
  const form = pcmReader(1);
  child.stdout.on("data", (bytes: Buffer) => queue.push(form(bytes)));
  void failure.then((error) => queue.end(error));
  return {
    name: device === undefined ? `microphone (${program})` : `${device} (${program})`,
    sampleRate: captureRate,
    chunks: queue,
    get droppedSamples() {
      return queue.dropped;
    },
    live: true,
    warnings: [],
    close: () => child.kill(),
  };
}

function openByFfmpeg(name: string, input: readonly string[], stream?: Readable): LiveSource {
  if (!isInstalled("ffmpeg")) {
    throw new BaseError(
      "cli/no-ffmpeg",
      "unavailable",
      `${name} needs ffmpeg, which is not installed; pipe WAV or raw 16-bit PCM in and give - as input.`,
    );
  }
  const child = spawn("ffmpeg", ["-nostdin", "-v", "error", ...input, "-vn", ...rawForm], {
    stdio: [stream === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  if (child.stdin !== null) {
    child.stdin.on("error", () => {});
    stream?.pipe(child.stdin);
  }
  const failure = failureOf(child, "ffmpeg");
  const form = pcmReader(1);
  async function* chunks(): AsyncIterable<Float32Array> {
    for await (const bytes of child.stdout!) yield form(bytes);
    const error = await failure;
    if (error !== undefined) throw error;
  }
  return {
    name,
    sampleRate: captureRate,
    chunks: chunks(),
    droppedSamples: 0,
    live: true,
    warnings: [],
    close: () => child.kill(),
  };
}

/** Resolves when the program has ended: with an error in its own words where it failed by itself. */
function failureOf(child: ChildProcess, program: string): Promise<BaseError | undefined> {
  let said = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-500);
  });
  return new Promise((resolve) => {
    const failed = (reason: string) =>
      resolve(new BaseError("cli/capture-failed", "unavailable", `${program} gives no sound: ${reason}.`));
    child.once("error", (error) => failed(error.message));
    child.once("close", (code, signal) => {
      if (code === 0 || signal !== null) resolve(undefined);
      else failed(said.trim().split("\n").at(-1) || `it ended with ${code}`);
    });
  });
}

async function openWav(name: string, stream: Readable, live: boolean): Promise<LiveSource> {
  const ready: Float32Array[] = [];
  const warnings: string[] = [];
  let matrix: Float64Array | undefined;
  const reader = new WavReader((pcm, frames) => {
    const { channels } = reader.head!.format;
    matrix ??= mixMatrix(channels, 1);
    const mono = new Float32Array(frames);
    mixChannels(pcm, channels, mono, 1, frames, matrix);
    ready.push(mono);
  });
  const bytes = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  while (reader.head === undefined) {
    const next = await bytes.next();
    if (next.done === true) break;
    reader.push(next.value);
  }
  if (reader.head === undefined) {
    throw new BaseError("cli/empty-input", "malformed", `${name} ends within its WAV header.`);
  }
  async function* chunks(): AsyncIterable<Float32Array> {
    for (;;) {
      yield* ready.splice(0);
      const next = await bytes.next();
      if (next.done === true) {
        warnings.push(...endOfWav(reader).warnings);
        return;
      }
      reader.push(next.value);
    }
  }
  const { sampleRate } = reader.head.format;
  return {
    name,
    sampleRate,
    chunks: chunks(),
    droppedSamples: 0,
    live,
    warnings,
    close: () => stream.destroy(),
  };
}

function rawSource(
  name: string,
  stream: AsyncIterable<Buffer>,
  sampleRate: number,
  channels: number,
  close: () => void,
): LiveSource {
  const form = pcmReader(channels);
  async function* chunks(): AsyncIterable<Float32Array> {
    for await (const bytes of stream) yield form(bytes);
  }
  return { name, sampleRate, chunks: chunks(), droppedSamples: 0, live: true, warnings: [], close };
}

/** Turns pieces of interleaved 16-bit PCM into mono samples; a frame may be cut between two pieces. */
function pcmReader(channels: number): (bytes: Buffer) => Float32Array {
  const matrix = mixMatrix(channels, 1);
  let rest = Buffer.alloc(0);
  return (bytes) => {
    const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    const frames = Math.floor(all.length / (2 * channels));
    const pcm = new Float32Array(frames * channels);
    decodeSamples(all, 0, "s16", false, pcm, 0, pcm.length);
    rest = Buffer.from(all.subarray(2 * channels * frames));
    if (channels === 1) return pcm;
    const mono = new Float32Array(frames);
    mixChannels(pcm, channels, mono, 1, frames, matrix);
    return mono;
  };
}

function isInstalled(program: string): boolean {
  const name = process.platform === "win32" ? `${program}.exe` : program;
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, name)));
}
