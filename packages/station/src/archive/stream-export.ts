import { clipPages, type RecordingInfo } from "@longwave/archive";
import { WavEncoder } from "@longwave/media";
import { StationError } from "../errors.ts";
import { stationChannels, stationRateHz } from "../sound.ts";
import type { StationArchive } from "./station-archive.ts";

/** A stretch of one recording and its place in an export. */
export interface ExportPiece {
  readonly info: RecordingInfo;
  /** Sample frames of the recording. */
  readonly start: number;
  readonly end: number;
  /** Sample frame of the export at which it begins. */
  readonly at: number;
}

/** What was recorded of a stream between two moments, over the ends of recordings and over gaps. */
export interface StreamExport {
  readonly frames: number;
  /** In order, without overlap. */
  readonly pieces: readonly ExportPiece[];
}

/** Longest export: 6 h, as much as a WAV file holds for certain. */
const maxFrames = 6 * 3600 * stationRateHz;
const blockFrames = 480_000;

/**
 * Finds what was recorded of a stream in `[fromNs, toNs)` of wall-clock time (nanoseconds since the Unix epoch).
 * @throws StationError `station/range-too-long`, `station/nothing-recorded`
 */
export async function planExport(
  archive: StationArchive,
  stream: string,
  fromNs: bigint,
  toNs: bigint,
): Promise<StreamExport> {
  const frames = framesBetween(fromNs, toNs);
  if (frames > maxFrames) {
    throw new StationError("station/range-too-long", "limit", "An export covers at most 6 h; make several.");
  }
  const pieces: ExportPiece[] = [];
  let end = 0;
  for (const { info } of await archive.recordings(stream)) {
    for (const range of await archive.archive.rangesBetween(info.id, fromNs, toNs)) {
      // Clocks are corrected now and then: what two recordings both claim belongs to the first.
      const at = Math.max(0, framesBetween(fromNs, range.startNs));
      const overlap = Math.max(0, end - at);
      const length = Math.min(range.end - range.start, frames - at) - overlap;
      if (length <= 0) continue;
      const start = range.start + overlap;
      pieces.push({ info, start, end: start + length, at: at + overlap });
      end = at + overlap + length;
    }
  }
  if (pieces.length > 0) return { frames, pieces };
  throw new StationError(
    "station/nothing-recorded",
    "usage",
    `Nothing of ${stream} was recorded between these moments.`,
  );
}

/**
 * The export as a 16-bit WAV file in pieces, the header first; what was not recorded is silence, so that times stay right.
 * @param onRead told of each stretch whether its samples are proven exact
 */
export async function* exportWav(
  archive: StationArchive,
  { frames, pieces }: StreamExport,
  signal?: AbortSignal,
  onRead?: (isExact: boolean) => void,
): AsyncGenerator<Uint8Array> {
  const encoder = wavEncoder();
  yield encoder.header(frames);
  const encode = (pcm: Float32Array, count: number) => {
    const bytes = new Uint8Array(count * encoder.frameBytes);
    encoder.write(pcm, count, bytes);
    return bytes;
  };
  const silence = new Float32Array(blockFrames * stationChannels);
  let at = 0;
  const pause = function* (until: number) {
    for (; at < until; at += Math.min(blockFrames, until - at))
      yield encode(silence, Math.min(blockFrames, until - at));
  };
  for (const piece of pieces) {
    yield* pause(piece.at);
    for (let from = piece.start; from < piece.end; from += blockFrames) {
      const to = Math.min(piece.end, from + blockFrames);
      const { id } = piece.info;
      const { pcm, report } = await archive.archive.read(id, { from, to, ...(signal && { signal }) });
      onRead?.(report.exact);
      yield encode(pcm, to - from);
      at += to - from;
    }
  }
  yield* pause(frames);
}

/** The recorded packets of the export as Ogg Opus, a link for each piece; what was not recorded is left out. */
export async function* exportOpus(
  archive: StationArchive,
  { pieces }: StreamExport,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for (const { info, start, end } of pieces) {
    yield* clipPages(archive.archive, info.id, { start, end }, { ...(signal && { signal }) });
  }
}

/** Bytes of the WAV file of so many sample frames. */
export function exportWavBytes(frames: number): number {
  const encoder = wavEncoder();
  return encoder.header(frames).length + frames * encoder.frameBytes;
}

function wavEncoder(): WavEncoder {
  return new WavEncoder({ sampleRate: stationRateHz, channels: stationChannels, encoding: "s16" });
}

function framesBetween(fromNs: bigint, toNs: bigint): number {
  return Math.round((Number(toNs - fromNs) * stationRateHz) / 1e9);
}
