import { isLongwaveError } from "@longwave/base";
import type { Chunk } from "./chunk-format.ts";
import { changesMode, packetConceals } from "./concealing-packet.ts";
import type { SegmentDecoder } from "./decode-run.ts";
import { ArchiveError } from "./errors.ts";
import { packetsOf, type StoredPacket, type StoredPackets } from "./packet-source.ts";
import { followSeed } from "./seeded-start.ts";
import { pointFlags, unproven } from "./seek-point.ts";
import type { SegmentTable } from "./segment-table.ts";
import { followDifference, type StateDifference } from "./state-difference.ts";

/** What decoding a range cost and whether it is what the sequential decode gives. */
export interface ReadStatistics {
  packetsDecoded: number;
  exact: boolean;
}

/** Gets pieces of the decoder's own buffer: sample frames `[from, to)` of `pcm`, the first of them at `sample`. */
export type SampleSink = (pcm: Float32Array, from: number, to: number, sample: number) => void;

/**
 * Where decoding begins: at the latest proven point (`point`), there with a run-up longer by so many packets (`longer`), or
 * at the head of the chunk (`head`).
 */
export type ChunkStart =
  | { readonly at: "point" }
  | { readonly at: "longer"; readonly packets: number }
  | { readonly at: "head" };

/** Where a decoder stands behind a range that was decoded exactly. */
export interface DecoderPosition {
  /** Sample at which the range ended. */
  readonly sample: number;
  /** Last packet decoded, counted in the recording; its samples are still there. */
  readonly packet: number;
  /** All of the decoder's state is that of the sequential decode, also what only concealment uses. */
  readonly whole: boolean;
}

export interface ChunkReadOptions {
  readonly pointFrames: number;
  readonly start?: ChunkStart;
  /** Go on here instead of starting anew, where that is exact. */
  readonly position?: DecoderPosition | undefined;
  /** Stored states are of another profile: begin with the pre-roll, as well as it goes. */
  readonly withoutStates?: boolean;
}

/** A stored state could not be loaded, or the chunk holds no such start: begin elsewhere. */
export class StartRefused extends Error {}

/**
 * Decodes `[start, end)`, which lies inside the chunk, into `sink`.
 * @returns where the decoder stands then
 * @throws StartRefused where decoding cannot begin as `options.start` says
 * @throws ArchiveError `archive/chunk-corrupt`
 */
export function decodeChunkRange(
  chunk: Chunk,
  decoder: SegmentDecoder,
  segments: SegmentTable,
  range: { readonly start: number; readonly end: number },
  sink: SampleSink,
  statistics: ReadStatistics,
  options: ChunkReadOptions,
): DecoderPosition {
  const items = packetsOf(chunk);
  const chunkEnd = chunk.firstSample + chunk.validFrames;
  const end = Math.min(range.end, chunkEnd);
  const goesOn = continuation(chunk, items, { start: range.start, end }, options.position);
  const { first, whole } =
    goesOn ?? startDecoder(chunk, items, decoder, segments, range.start, statistics, options);
  let last = first - 1;
  const decode = (item: StoredPacket, i: number) => {
    // A packet that the range before ended in is in the decoder's buffer still.
    if (i < first) return goesOn !== undefined && i === first - 1 ? decoder.pcm : undefined;
    const wanted = items.sampleAt(i + 1) > range.start;
    decodeItem(item, decoder, segments, statistics, wanted);
    last = i;
    return wanted ? decoder.pcm : undefined;
  };
  const from = Math.max(chunk.preRollCount, first - 1);
  const reached = walkChunk(items, from, { start: range.start, end }, decode, sink);
  if (reached < end) throw corrupt(chunk, `holds fewer packets than its ${chunk.validFrames} frames need`);
  return { sample: end, packet: chunk.firstPacket + last - chunk.preRollCount, whole };
}

/** The first packet to decode where the decoder can simply go on; undefined where it has to start anew. */
function continuation(
  chunk: Chunk,
  items: StoredPackets,
  range: { readonly start: number; readonly end: number },
  position: DecoderPosition | undefined,
): { readonly first: number; readonly whole: boolean } | undefined {
  if (position === undefined || position.sample !== range.start || range.end <= range.start) return undefined;
  const first = position.packet + 1 - chunk.firstPacket + chunk.preRollCount;
  if (first < chunk.preRollCount || first > items.length) return undefined;
  if (!position.whole && (first === 0 || concealsWithin(items, first, range.end))) return undefined;
  return { first, whole: position.whole };
}

/** Whether concealment runs from packet `first` on, up to the one with the sample before `end`. */
function concealsWithin(items: StoredPackets, first: number, end: number): boolean {
  let conceals = false;
  let before = items.decodedBefore(first);
  for (let i = first; i < items.length && items.sampleAt(i) < end && !conceals; i++) {
    const { data, concealed } = items.at(i)!;
    conceals = concealed || data === undefined || packetConceals(data) || changesMode(before, data);
    before = data;
  }
  return conceals;
}

/**
 * Walks a chunk's own packets from number `first` on along the sample axis and hands their part of the range to `sink`.
 * `decode` returns where the packet's samples are, or undefined where they do not matter.
 * @returns the sample reached
 */
export function walkChunk(
  items: StoredPackets,
  first: number,
  range: { readonly start: number; readonly end: number },
  decode: (item: StoredPacket, index: number) => Float32Array | undefined,
  sink: SampleSink,
): number {
  let i = first;
  for (; i < items.length && items.sampleAt(i) < range.end; i++) {
    const pcm = decode(items.at(i)!, i);
    if (pcm === undefined) continue;
    const from = Math.max(items.sampleAt(i), range.start);
    const to = Math.min(items.sampleAt(i + 1), range.end);
    const base = items.skipAt(i) - items.sampleAt(i);
    if (to > from) sink(pcm, base + from, base + to, from);
  }
  return items.sampleAt(i);
}

/** Brings the decoder in front of the packet whose output counts first; tells which, and whether its state is whole. */
function startDecoder(
  chunk: Chunk,
  items: StoredPackets,
  decoder: SegmentDecoder,
  segments: SegmentTable,
  sample: number,
  statistics: ReadStatistics,
  options: ChunkReadOptions,
): { readonly first: number; readonly whole: boolean } {
  const start = options.start ?? { at: "point" };
  const number =
    start.at === "head"
      ? headPoint(chunk, options)
      : choosePoint(chunk, Math.floor((sample - chunk.firstSample) / options.pointFrames), options);
  const point = chunk.points[number];
  if (point === undefined) throw corrupt(chunk, "has no seek point");
  const target = chunk.preRollCount + point.packet;
  const firstPacket = chunk.firstPacket - chunk.preRollCount;
  const state = stateOf(chunk, number, options);
  if (state !== undefined && start.at !== "longer") {
    decoder.start(segments.head(segments.at(firstPacket + target)));
    try {
      decoder.decoder.loadState(state);
    } catch (error) {
      if (!isLongwaveError(error)) throw error;
      throw new StartRefused(`its state is refused (${error.message})`, { cause: error });
    }
    return { first: target, whole: false };
  }
  const difference = differenceOf(chunk, number, options);
  if (difference !== undefined && start.at !== "longer") {
    const first = target - difference.runUp;
    if (first < 0) throw new StartRefused("the run-up of its state begins in front of the chunk");
    decoder.start(segments.head(segments.at(firstPacket + first)));
    const decode = (item: StoredPacket) => decodeItem(item, decoder, segments, statistics, false);
    if (!followDifference(decoder, difference, (i) => items.at(first + i)!, decode))
      throw new StartRefused("its state is refused");
    return { first: target, whole: difference.whole };
  }
  const seed = hasState(chunk, number, options) ? chunk.seeds.get(number) : undefined;
  if (seed !== undefined && start.at !== "longer") {
    const first = target - seed.runUp;
    if (first < 0) throw new StartRefused("the run-up of its seed begins in front of the chunk");
    decoder.start(segments.head(segments.at(firstPacket + first)));
    const decode = (item: StoredPacket) => decodeItem(item, decoder, segments, statistics, false);
    if (!followSeed(decoder, seed, (i) => items.at(first + i)!, decode))
      throw new StartRefused("its seed is refused");
    return { first: target, whole: true };
  }
  let runUp = point.runUpFloat === unproven ? target : point.runUpFloat;
  if (start.at === "longer") runUp += start.packets;
  const first = target - runUp;
  if (first < 0) throw new StartRefused(`a run-up of ${runUp} packets is more than the chunk holds`);
  decoder.start(segments.head(segments.at(firstPacket + first)));
  for (let i = first; i < target; i++) decodeItem(items.at(i)!, decoder, segments, statistics, false);
  return { first: target, whole: (point.flags & pointFlags.wholeStateEqual) !== 0 };
}

/** Whether something is stored for the point that this decoder may use. */
function hasState(chunk: Chunk, number: number, options: ChunkReadOptions): boolean {
  return options.withoutStates !== true && (chunk.points[number]!.flags & pointFlags.stateStored) !== 0;
}

function stateOf(chunk: Chunk, number: number, options: ChunkReadOptions): Uint8Array | undefined {
  return hasState(chunk, number, options) ? chunk.states.get(number) : undefined;
}

function differenceOf(chunk: Chunk, number: number, options: ChunkReadOptions): StateDifference | undefined {
  return hasState(chunk, number, options) ? chunk.differences.get(number) : undefined;
}

/** Whether decoding can begin at a point. */
function isStart(chunk: Chunk, number: number, options: ChunkReadOptions): boolean {
  if (chunk.points[number]!.runUpFloat !== unproven) return true;
  const { states, differences, seeds } = chunk;
  return hasState(chunk, number, options) && [states, differences, seeds].some((each) => each.has(number));
}

/** Number of the latest point at or before `latest` from which decoding can begin. */
function choosePoint(chunk: Chunk, latest: number, options: ChunkReadOptions): number {
  for (let number = Math.min(latest, chunk.points.length - 1); number >= 0; number--) {
    if (isStart(chunk, number, options)) return number;
  }
  return headPoint(chunk, options);
}

function headPoint(chunk: Chunk, options: ChunkReadOptions): number {
  const head = chunk.points[0];
  if (head === undefined) throw corrupt(chunk, "has no seek point to start from");
  if (!isStart(chunk, 0, options) && options.withoutStates !== true)
    throw new StartRefused("its head has neither run-up nor state");
  return 0;
}

/**
 * Decodes one packet; the first one of a segment resets the decoder.
 * @param wanted false: nobody reads its samples
 */
export function decodeItem(
  item: StoredPacket,
  decoder: SegmentDecoder,
  segments: SegmentTable,
  statistics: ReadStatistics,
  wanted: boolean,
): void {
  if (item.segment !== undefined) decoder.start(segments.head(item.segment));
  if (decoder.decode(item.data, item.frames, item.concealed, wanted)) statistics.exact = false;
  statistics.packetsDecoded++;
}

function corrupt(chunk: Chunk, what: string): ArchiveError {
  return new ArchiveError(
    "archive/chunk-corrupt",
    `The chunk at sample ${chunk.firstSample} ${what}; run repair.`,
  );
}
