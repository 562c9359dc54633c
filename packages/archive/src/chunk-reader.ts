import type { Chunk } from "./chunk-format.ts";
import type { SegmentDecoder } from "./decode-run.ts";
import { ArchiveError } from "./errors.ts";
import { chunkItems, type StoredPacket } from "./packet-source.ts";
import { pointFlags, unproven } from "./seek-point.ts";
import type { SegmentTable } from "./segment-table.ts";

/** What decoding a range cost and whether it is what the sequential decode gives. */
export interface ReadStatistics {
  packetsDecoded: number;
  exact: boolean;
}

/** Gets pieces of the decoder's own buffer: sample frames `[from, to)` of `pcm`, the first of them at `sample`. */
export type SampleSink = (pcm: Float32Array, from: number, to: number, sample: number) => void;

export interface ChunkReadOptions {
  readonly pointFrames: number;
  /** Start at the chunk's head, as a second opinion. */
  readonly forceChunkHead?: boolean;
}

/** Decodes `[start, end)`, which lies inside the chunk, into `sink`, from the latest exact place on. */
export function decodeChunkRange(
  chunk: Chunk,
  decoder: SegmentDecoder,
  segments: SegmentTable,
  range: { readonly start: number; readonly end: number },
  sink: SampleSink,
  statistics: ReadStatistics,
  options: ChunkReadOptions,
): void {
  const items = [...chunkItems(chunk)];
  const own = chunk.preRollCount;
  const chunkEnd = chunk.firstSample + chunk.validFrames;
  const end = Math.min(range.end, chunkEnd);
  const first = startDecoder(
    chunk,
    items,
    decoder,
    segments,
    choosePoint(chunk, range.start, options),
    statistics,
  );
  let sample = chunk.firstSample;
  let skipRemaining = 0;
  // The axis is walked from the chunk's start; decoding begins with packet `first`.
  for (let i = own; i < items.length && sample < end; i++) {
    const item = items[i]!;
    if (i > own && item.segment !== undefined) skipRemaining = item.preSkip;
    const skip = i === own ? chunk.trimHead : Math.min(skipRemaining, item.frames);
    if (i > own) skipRemaining -= skip;
    const keptEnd = sample + Math.max(0, item.frames - skip - item.trim);
    if (i >= first) {
      decodeItem(item, decoder, segments, statistics);
      const from = Math.max(sample, range.start);
      const to = Math.min(keptEnd, end);
      if (to > from) sink(decoder.pcm, skip + from - sample, skip + to - sample, from);
    }
    sample = keptEnd;
  }
  if (sample < end) throw corrupt(chunk, `holds fewer packets than its ${chunk.validFrames} frames need`);
}

/** Number of the latest point at or before `start` from which decoding can begin. */
function choosePoint(chunk: Chunk, start: number, options: ChunkReadOptions): number {
  const latest = options.forceChunkHead ? 0 : Math.floor((start - chunk.firstSample) / options.pointFrames);
  for (let number = Math.min(latest, chunk.points.length - 1); number >= 0; number--) {
    const point = chunk.points[number]!;
    const stored = (point.flags & pointFlags.stateStored) !== 0 && chunk.states.has(number);
    if (stored || point.runUpFloat !== unproven) return number;
  }
  throw corrupt(chunk, "has no seek point to start from");
}

/** Loads the point's state or decodes its run-up; returns the packet whose output counts first. */
function startDecoder(
  chunk: Chunk,
  items: readonly StoredPacket[],
  decoder: SegmentDecoder,
  segments: SegmentTable,
  number: number,
  statistics: ReadStatistics,
): number {
  const point = chunk.points[number]!;
  const target = chunk.preRollCount + point.packet;
  const firstPacket = chunk.firstPacket - chunk.preRollCount;
  const state = (point.flags & pointFlags.stateStored) === 0 ? undefined : chunk.states.get(number);
  if (state !== undefined) {
    decoder.start(segments.head(segments.at(firstPacket + target)));
    decoder.decoder.loadState(state);
    return target;
  }
  const first = target - point.runUpFloat;
  if (first < 0) throw corrupt(chunk, `has a run-up of ${point.runUpFloat} packets that it does not hold`);
  decoder.start(segments.head(segments.at(firstPacket + first)));
  for (const item of items.slice(first, target)) decodeItem(item, decoder, segments, statistics);
  return target;
}

function decodeItem(
  item: StoredPacket,
  decoder: SegmentDecoder,
  segments: SegmentTable,
  statistics: ReadStatistics,
): void {
  if (item.segment !== undefined) decoder.start(segments.head(item.segment));
  if (decoder.decode(item.data, item.frames, item.concealed)) statistics.exact = false;
  statistics.packetsDecoded++;
}

function corrupt(chunk: Chunk, what: string): ArchiveError {
  return new ArchiveError(
    "archive/chunk-corrupt",
    `The chunk at sample ${chunk.firstSample} ${what}; run repair.`,
  );
}
