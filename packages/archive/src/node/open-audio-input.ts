import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { isLongwaveError } from "@longwave/base";
import {
  type AudioFormat,
  detectAudioFormat,
  detectionBytes,
  type RecorderMetadata,
  recorderMetadata,
  resamplerFactory,
  type WavChunk,
  WavReader,
} from "@longwave/media";
import { decodeAudioFile, streamWithFfmpeg } from "@longwave/media/node";
import { ArchiveError } from "../errors.ts";
import { type ImportPlan, type PlanOptions, planImport } from "../import-plan.ts";
import type { ImportSource } from "../import-recording.ts";
import { openOpusSource } from "../ogg-source.ts";
import { type EncoderFactory, ItemEncoder } from "../packet-encoder.ts";
import type { PacketItem } from "../packet-item.ts";
import { downmix } from "../pcm-form.ts";
import type { RecordOptions } from "../record-options.ts";
import { type RecorderStart, recorderStart } from "../recorder-start.ts";
import type { RecordingStart, SourceInfo } from "../recording-info.ts";

export interface AudioInputOptions extends PlanOptions {
  /** Encodes what is not Opus yet; without it such files are refused. */
  readonly encoder?: EncoderFactory;
  /** Encoding loses something, and that is accepted. */
  readonly acceptLossy?: boolean;
  /** The ffmpeg program for formats that nothing else here decodes; default "ffmpeg" on PATH; false = never. */
  readonly ffmpeg?: string | false;
  /** Minutes that recorders which tell no zone were ahead of UTC; default: their time is taken as UTC. */
  readonly utcOffsetMinutes?: number;
  readonly signal?: AbortSignal;
}

/** A file that is ready to be imported. */
export interface AudioInput {
  /** What encoding would do; undefined for Opus, which is copied. */
  readonly plan: ImportPlan | undefined;
  /** @throws ArchiveError `archive/lossy` unless the loss was accepted, `archive/options` without an encoder */
  open(): Promise<ImportSource>;
  readonly source: SourceInfo;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly rawMetadata: ReadonlyMap<string, Uint8Array>;
  readonly anchors: NonNullable<RecordOptions["anchors"]>;
  /** Where the start comes from; undefined where nothing tells it. */
  readonly start: RecordingStart | undefined;
}

const rateHz = 48_000;

/**
 * Looks at an audio file: recognises it by content, hashes it, reads its metadata, and plans what an import would do. Opus
 * in Ogg or WebM is copied packet by packet. WAV is streamed through the encoder, and so is what an ffmpeg process decodes:
 * every other format, and FLAC, MP3 and Vorbis of more than 16 MB. Smaller ones, and all where there is no ffmpeg, are decoded in
 * memory first.
 * @throws MediaError for files that cannot be read or are nothing known; ArchiveError `archive/options`
 */
export async function openAudioInput(path: string, options: AudioInputOptions = {}): Promise<AudioInput> {
  const look = await scanFile(path);
  const source: SourceInfo = {
    name: basename(path),
    bytes: look.bytes,
    sha256: look.sha256,
    container: look.format,
  };
  const { utcOffsetMinutes } = options;
  const hints = { fileName: basename(path), utcOffsetMinutes };
  if (look.format === "ogg-opus" || look.format === "matroska") {
    const opened = await openOpusSource(createReadStream(path));
    const { vendor, comments } = opened.tags;
    return {
      plan: undefined,
      open: async () => opened,
      source,
      metadata: comments.length > 0 ? { opusTags: { vendor, comments } } : {},
      rawMetadata: opened.rawMetadata,
      ...axisOf(recorderStart({}, rateHz, hints)),
    };
  }
  const decoded =
    look.wav === undefined
      ? ((await streamOther(path, look, options)) ?? (await decodeOther(path, options)))
      : undefined;
  const form = look.wav ?? decoded!.form;
  const typed = recorderMetadata(look.chunks);
  const expandedBefore = typed.guano?.timeExpansion;
  const plan = planImport(
    { ...form, container: look.format },
    { ...options, ...(expandedBefore === undefined ? {} : { expandedBefore }) },
  );
  return {
    plan,
    open: async () => {
      if (options.acceptLossy !== true) {
        throw new ArchiveError(
          "archive/lossy",
          `${source.name} would be encoded: ${plan.warnings.join(" ")} Accept that to import it.`,
        );
      }
      if (options.encoder === undefined) {
        throw new ArchiveError("archive/options", `${source.name} is no Opus, and there is no encoder.`);
      }
      const pieces = decoded === undefined ? wavPieces(path) : decoded.pieces();
      const { encoder } = options;
      return {
        channels: plan.archiveChannels,
        items: () => encodedItems(pieces, plan, encoder),
        get truncated() {
          return look.wav?.truncated === true || decoded?.isTruncated() === true;
        },
      };
    },
    source,
    metadata: { ...describe(typed), encoding: encodingOf(plan) },
    rawMetadata: rawChunks(look.chunks),
    ...axisOf(recorderStart(typed, plan.sampleRateHz, hints), (start) =>
      anchorsOf(start, typed.guano?.timeExpansion ?? 1, plan),
    ),
  };
}

interface Look {
  readonly format: AudioFormat;
  readonly bytes: number;
  readonly sha256: string;
  readonly chunks: readonly WavChunk[];
  readonly wav: { sampleRateHz: number; channels: number; frames: number; truncated: boolean } | undefined;
}

/** One pass over the file: its hash, and of a WAV file form, length and metadata, wherever its chunks are. */
async function scanFile(path: string): Promise<Look> {
  const hash = createHash("sha256");
  let start = new Uint8Array(0);
  let bytes = 0;
  let reader: WavReader | undefined;
  let format: AudioFormat | undefined;
  const begin = () => {
    format = detectAudioFormat(start);
    if (format !== "wav") return;
    reader = new WavReader(() => undefined);
    reader.push(start);
  };
  const size = (await stat(path)).size;
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Uint8Array>) {
    hash.update(piece);
    bytes += piece.length;
    if (format !== undefined) {
      reader?.push(piece);
      continue;
    }
    const joined = new Uint8Array(start.length + piece.length);
    joined.set(start);
    joined.set(piece, start.length);
    start = joined;
    if (start.length >= Math.min(size, detectionBytes)) begin();
  }
  if (format === undefined) begin();
  const truncated = reader?.end().truncated === true;
  const head = reader?.head;
  return {
    format: format ?? "unknown",
    bytes,
    sha256: hash.digest("hex"),
    chunks: reader?.chunks ?? [],
    wav: head && {
      sampleRateHz: head.format.sampleRate,
      channels: head.format.channels,
      frames: reader!.frames,
      truncated,
    },
  };
}

/** Sound in the source's form, piece by piece. */
type Pieces = AsyncIterable<{ readonly pcm: Float32Array; readonly frames: number }>;

async function* wavPieces(path: string): Pieces {
  let pieces: { pcm: Float32Array; frames: number }[] = [];
  let channels = 1;
  const reader = new WavReader(
    (pcm, frames) => pieces.push({ pcm: pcm.slice(0, frames * channels), frames }),
    {
      onHead: (head) => {
        channels = head.format.channels;
      },
    },
  );
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 18 }) as AsyncIterable<Uint8Array>) {
    reader.push(piece);
    yield* pieces;
    pieces = [];
  }
  reader.end();
}

/** Sound of a file that is no WAV, in the source's form. */
interface DecodedSource {
  readonly form: { sampleRateHz: number; channels: number; frames: number | undefined };
  pieces(): Pieces;
  /** After the last piece: the file ended in the middle of something. */
  isTruncated(): boolean;
}

/** Formats that are decoded here, without ffmpeg, up to this size: the same samples on every machine. */
const ownFormats: readonly AudioFormat[] = ["mp3", "mp2", "flac", "ogg-flac", "ogg-vorbis"];
const inMemoryBytes = 16 * 2 ** 20;
/** Without ffmpeg the decoded sound is held in memory: 1 GiB at the most. */
const inMemorySamples = 2 ** 28;
const inMemoryText = "46 minutes of stereo at 48 kHz";

/** Sound from an ffmpeg process with bounded memory; undefined where the file is not for it, or ffmpeg cannot tell. */
async function streamOther(
  path: string,
  look: Look,
  options: AudioInputOptions,
): Promise<DecodedSource | undefined> {
  const { ffmpeg = "ffmpeg", signal } = options;
  if (ffmpeg === false || (ownFormats.includes(look.format) && look.bytes <= inMemoryBytes)) return undefined;
  try {
    // Only as far as the first samples, for the form.
    for await (const { sampleRate, channels } of streamWithFfmpeg(ffmpeg, path, signal)) {
      let isTruncated = false;
      return {
        form: { sampleRateHz: sampleRate, channels, frames: undefined },
        pieces: () =>
          ffmpegPieces(ffmpeg, path, signal, (truncated) => {
            isTruncated = truncated;
          }),
        isTruncated: () => isTruncated,
      };
    }
  } catch (error) {
    // What reads the whole file says better what is wrong with it.
    if (!isLongwaveError(error) || error.code === "media/aborted") throw error;
  }
  return undefined;
}

async function* ffmpegPieces(
  ffmpeg: string,
  path: string,
  signal: AbortSignal | undefined,
  onEnd: (truncated: boolean) => void,
): Pieces {
  try {
    yield* streamWithFfmpeg(ffmpeg, path, signal, ({ truncated }) => onEnd(truncated === true));
  } catch (error) {
    if (!isLongwaveError(error) || error.code === "media/aborted") throw error;
    throw new ArchiveError("archive/ffmpeg", error.message, { cause: error });
  }
}

async function decodeOther(path: string, options: AudioInputOptions): Promise<DecodedSource> {
  const { pcm, sampleRate, channels, frames } = await decodeAudioFile(path, {
    ...(options.ffmpeg === undefined ? {} : { ffmpeg: options.ffmpeg }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    limits: { maxSamples: inMemorySamples },
  }).catch((error: unknown) => {
    if (!isLongwaveError(error, "media/limit")) throw error;
    throw new ArchiveError(
      "archive/limit",
      `${basename(path)} is too long to be decoded in memory (at most ${inMemorySamples} samples, ${inMemoryText}); install ffmpeg, which streams it, or make it a WAV or Opus file.`,
      { cause: error },
    );
  });
  async function* pieces(): Pieces {
    const step = 1 << 16;
    for (let at = 0; at < frames; at += step) {
      const count = Math.min(step, frames - at);
      yield { pcm: pcm.subarray(at * channels, (at + count) * channels), frames: count };
    }
  }
  return { form: { sampleRateHz: sampleRate, channels, frames }, pieces, isTruncated: () => false };
}

async function* encodedItems(
  pieces: Pieces,
  plan: ImportPlan,
  encoder: EncoderFactory,
): AsyncGenerator<PacketItem> {
  const items = new ItemEncoder(encoder, plan.archiveChannels, plan.bitrateBps, plan.sampleRateHz);
  const push = (pcm: Float32Array, frames: number) => items.push(pcm, frames);
  const converter =
    plan.mode === "resample" ? resamplerFactory(plan.sampleRateHz, rateHz, plan.archiveChannels) : undefined;
  const mix = downmix(plan.channels, plan.archiveChannels);
  try {
    for await (const { pcm, frames } of pieces) {
      const mixed = mix(pcm, frames);
      if (converter === undefined) push(mixed, frames);
      else converter.push(mixed, frames, push);
      yield* items.take();
    }
    converter?.flush(push);
    items.finish();
    yield* items.take();
  } finally {
    converter?.close?.();
    items.close();
  }
}

function describe(metadata: RecorderMetadata): Record<string, unknown> {
  const { guano, bext, ixml, audioMoth, info } = metadata;
  return JSON.parse(
    JSON.stringify({ guano, bext, ixml, audioMoth, ...(info.length > 0 ? { info } : {}) }, (_, value) =>
      value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value,
    ),
  );
}

function encodingOf(plan: ImportPlan): Record<string, unknown> {
  const { mode, expansion, sampleRateHz, channels, bitrateBps, warnings } = plan;
  return {
    lossy: true,
    mode,
    timeExpansion: expansion,
    sourceRateHz: sampleRateHz,
    sourceChannels: channels,
    bitrateBps,
    warnings,
  };
}

/** Chunks byte for byte under their names; a second one of a kind gets a number. */
function rawChunks(chunks: readonly WavChunk[]): Map<string, Uint8Array> {
  const raw = new Map<string, Uint8Array>();
  for (const { id, bytes } of chunks) {
    if (/^(JUNK|PAD |FLLR)$/.test(id)) continue;
    const name = id.trim().replace(/[^\w-]/g, "_");
    let free = name;
    for (let n = 2; raw.has(free); n++) free = `${name}-${n}`;
    raw.set(free, bytes);
  }
  return raw;
}

/** The start and the wall-clock axis from there on. */
function axisOf(
  start: RecorderStart | undefined,
  anchorsFrom: (start: RecorderStart) => AudioInput["anchors"] = firstAnchor,
): Pick<AudioInput, "anchors" | "start"> {
  if (start === undefined) return { anchors: [], start };
  const { unixNs: _, ...told } = start;
  return { anchors: anchorsFrom(start), start: told };
}

function firstAnchor(start: RecorderStart): AudioInput["anchors"] {
  return [{ sample: 0, unixNs: start.unixNs.toString() }];
}

/** Stretched time runs slower, told by a second anchor at or behind the end. */
function anchorsOf(start: RecorderStart, before: number, plan: ImportPlan): AudioInput["anchors"] {
  // A second of the recorder's clock lasts so many sample frames of the archive, both whole numbers.
  const [samples, seconds] =
    plan.mode === "expand"
      ? [plan.sampleRateHz, 1]
      : Number.isInteger(before) && before > 1
        ? [rateHz * before, 1]
        : [rateHz, 1];
  if (samples === rateHz) return firstAnchor(start);
  const archived = (plan.frames ?? 0) * (plan.mode === "resample" ? rateHz / plan.sampleRateHz : 1);
  const count = Math.ceil(archived / samples) + 1;
  const end = start.unixNs + BigInt(count * seconds) * 1_000_000_000n;
  return [...firstAnchor(start), { sample: count * samples, unixNs: end.toString(), continuous: true }];
}
