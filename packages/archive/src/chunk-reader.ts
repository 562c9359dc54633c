import { type OpusHead, opusPacketFrames } from "@longwave/media";
import type { Chunk } from "./chunk-format.ts";
import { maxPacketFrames, type SegmentDecoder } from "./decode-run.ts";
import { ArchiveError } from "./errors.ts";
import { pointFlags, type SeekPoint, unproven } from "./seek-point.ts";

/** What decoding a range cost and whether it is what the sequential decode gives. */
export interface ReadStatistics {
  packetsDecoded: number;
  exact: boolean;
}

/** What happens around one packet of a chunk; positions count from the chunk's very first packet. */
interface PacketPlan {
  /** Segment that starts with this packet. */
  readonly segment: number | undefined;
  /** Frames to conceal instead of decoding. */
  readonly lossFrames: number;
  readonly trim: number;
  readonly preSkip: number;
}

/**
 * Decodes `[start, end)` (sample frames of the recording, inside this chunk) into `sink`, from the cheapest exact place on.
 *
 * @param headOf head of a segment by number
 * @param segment number of the segment in force at the chunk's first packet (pre-roll included)
 * @param sink gets pieces of the decoder's own buffer: copy what you keep
 * @param options.notBeforePoint start at this point or an earlier one, to widen a run-up
 */
export function decodeChunkRange(
  chunk: Chunk,
  decoder: SegmentDecoder,
  headOf: (segment: number) => OpusHead,
  segment: number,
  start: number,
  end: number,
  sink: (pcm: Float32Array, from: number, to: number, atSample: number) => void,
  statistics: ReadStatistics,
  options: { pointFrames: number; forceChunkHead?: boolean },
): void {
  const plans = planPackets(chunk);
  const point = choosePoint(chunk, start, options);
  const current = segmentBefore(plans, chunk, segment);
  const from = positionDecoder(chunk, decoder, headOf, current, point);
  const own = chunk.preRollCount;
  let sample = chunk.firstSample;
  let skipRemaining = 0;
  for (let i = own; i < chunk.lengths.length && sample < end; i++) {
    // Walk the axis from the chunk's start; decode from `from` on.
    const plan = plans[i]!;
    if (i > own && plan.segment !== undefined) skipRemaining = plan.preSkip;
    const frames = framesOf(chunk, i, plan);
    const skip = i === own ? chunk.trimHead : Math.min(skipRemaining, frames);
    if (i > own) skipRemaining -= skip;
    const keptEnd = sample + Math.max(0, frames - skip - plan.trim);
    if (i >= from) {
      decodePacket(chunk, decoder, headOf, i, plan, frames, statistics);
      const cutEnd = Math.min(keptEnd, end, chunk.firstSample + chunk.validFrames);
      const cutStart = Math.max(sample, start);
      if (cutEnd > cutStart) sink(decoder.pcm, skip + cutStart - sample, skip + cutEnd - sample, cutStart);
    }
    sample = keptEnd;
  }
  if (sample < Math.min(end, chunk.firstSample + chunk.validFrames)) {
    throw new ArchiveError(
      "archive/chunk-corrupt",
      `The chunk at sample ${chunk.firstSample} holds fewer packets than its ${chunk.validFrames} frames need; run repair.`,
    );
  }

  /** Decodes the run-up and returns the first own packet whose output counts. */
  function positionDecoder(
    chunkIn: Chunk,
    decoderIn: SegmentDecoder,
    headOfIn: (segment: number) => OpusHead,
    segmentAt: (packet: number) => number,
    at: { point: SeekPoint; number: number },
  ): number {
    const target = chunkIn.preRollCount + at.point.packet;
    const state = chunkIn.states.get(at.number);
    if ((at.point.flags & pointFlags.stateStored) !== 0 && state !== undefined) {
      decoderIn.start(headOfIn(segmentAt(target)));
      decoderIn.decoder.loadState(state);
      return target;
    }
    const first = target - at.point.runUpFloat;
    if (at.point.runUpFloat === unproven || first < 0) {
      throw new ArchiveError(
        "archive/chunk-corrupt",
        `The chunk at sample ${chunkIn.firstSample} has no place to start from; run repair.`,
      );
    }
    decoderIn.start(headOfIn(segmentAt(first)));
    for (let i = first; i < target; i++) {
      const plan = plans[i]!;
      decodePacket(chunkIn, decoderIn, headOfIn, i, plan, framesOf(chunkIn, i, plan), statistics);
    }
    return target;
  }
}

/** Points at or before `start` that can be started from; the latest of them, or the chunk's first. */
function choosePoint(
  chunk: Chunk,
  start: number,
  options: { pointFrames: number; forceChunkHead?: boolean },
): { point: SeekPoint; number: number } {
  const latest = options.forceChunkHead ? 0 : Math.floor((start - chunk.firstSample) / options.pointFrames);
  for (let number = Math.min(latest, chunk.points.length - 1); number >= 0; number--) {
    const point = chunk.points[number]!;
    const stored = (point.flags & pointFlags.stateStored) !== 0 && chunk.states.has(number);
    if (stored || point.runUpFloat !== unproven) return { point, number };
  }
  throw new ArchiveError(
    "archive/chunk-corrupt",
    `The chunk at sample ${chunk.firstSample} has no usable seek point; run repair.`,
  );
}

/** Per packet: what the events say. */
function planPackets(chunk: Chunk): PacketPlan[] {
  const plans: PacketPlan[] = Array.from({ length: chunk.lengths.length }, () => nothing);
  for (const event of chunk.events) {
    const plan = plans[event.packet]!;
    if (event.type === "loss") {
      plans[event.packet] = { ...plan, lossFrames: Math.min(event.frames, maxPacketFrames) };
    } else if (event.type === "end-trim") plans[event.packet] = { ...plan, trim: event.frames };
    else plans[event.packet] = { ...plan, segment: event.segment, preSkip: event.frames };
  }
  return plans;
}

const nothing: PacketPlan = { segment: undefined, lossFrames: 0, trim: 0, preSkip: 0 };

/** Number of the segment in force at a packet. */
function segmentBefore(
  plans: readonly PacketPlan[],
  chunk: Chunk,
  ownSegment: number,
): (packet: number) => number {
  // `ownSegment` holds at the first own packet; before a segment start inside the pre-roll it is the one before.
  return (packet) => {
    let segment = ownSegment;
    for (let i = chunk.preRollCount; i > packet; i--) {
      const starts = plans[i]?.segment;
      if (starts !== undefined) segment = Math.max(0, starts - 1);
    }
    for (let i = chunk.preRollCount + 1; i <= packet; i++) segment = plans[i]?.segment ?? segment;
    return segment;
  };
}

function framesOf(chunk: Chunk, i: number, plan: PacketPlan): number {
  if (plan.lossFrames > 0) return plan.lossFrames;
  return opusPacketFrames(chunk.packets.subarray(chunk.offsets[i]!, chunk.offsets[i + 1]!));
}

function decodePacket(
  chunk: Chunk,
  decoder: SegmentDecoder,
  headOf: (segment: number) => OpusHead,
  i: number,
  plan: PacketPlan,
  frames: number,
  statistics: ReadStatistics,
): void {
  if (plan.segment !== undefined) decoder.start(headOf(plan.segment));
  const lost = plan.lossFrames > 0;
  const data = lost ? undefined : chunk.packets.subarray(chunk.offsets[i]!, chunk.offsets[i + 1]!);
  if (frames === 0) {
    throw new ArchiveError(
      "archive/chunk-corrupt",
      `Packet ${i} of the chunk at sample ${chunk.firstSample} has no duration; run repair.`,
    );
  }
  if (decoder.decode(data, frames, lost)) statistics.exact = false;
  statistics.packetsDecoded++;
}
