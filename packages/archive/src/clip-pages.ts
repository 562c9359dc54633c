import { OggOpusWriter, type OpusHead, type OpusTags, opusPacketFrames } from "@longwave/media";
import type { Archive } from "./archive.ts";
import { ClipProof } from "./clip-proof.ts";
import { silentPackets } from "./ogg-export.ts";
import { packetsOf } from "./packet-source.ts";
import { checkSampleRange, emptyReport } from "./recording-reader.ts";
import { SegmentTable } from "./segment-table.ts";

/** A packet of a clip. */
export interface ClipPacket {
  /** As it was recorded; undefined = lost. */
  readonly data: Uint8Array | undefined;
  /** Decoded frames. */
  readonly frames: number;
  /** Set on the first packet of each run that is decoded without a reset. */
  readonly run?: {
    readonly head: OpusHead;
    /** Decoded frames in front of the run's first sample: the packets of the run-up, and a part of one. */
    readonly preSkip: number;
    /** Samples of the clip that the run holds. */
    readonly frames: number;
  };
}

/** How a clip is cut. */
export interface ClipOptions {
  /**
   * Begin with the run-up that was proven, so that decoding gives exactly the samples of the recording; default 80 ms, which sounds
   * right.
   */
  readonly exact?: boolean;
}

/** A decoder has settled after 80 ms (RFC 7845 section 4.6). */
const runUpFrames = 3840;

/**
 * The packets behind samples `[start, end)` of a recording, byte for byte, with the run-up that a decoder needs (80 ms where the
 * recording has it).
 * @throws ArchiveError `archive/range`, `archive/chunk-missing`, `archive/chunk-corrupt`, `archive/not-found`; `archive/no-export` with
 *   `exact` where packets alone cannot give exactly these samples
 */
export async function* clipPackets(
  archive: Archive,
  id: string,
  range: { readonly start: number; readonly end: number },
  signal?: AbortSignal,
  options: ClipOptions = {},
): AsyncGenerator<ClipPacket> {
  const { start, end } = range;
  const info = await archive.info(id);
  checkSampleRange(info, start, end);
  const segments = new SegmentTable(info.segments, info.channels);
  const segmentEnd = (packet: number) => {
    const next = info.segments[segments.at(packet) + 1];
    return Math.min(end, next?.firstSample ?? info.frames);
  };
  /** Packets in front of the clip that are kept as a run-up. */
  let before: { data: Uint8Array | undefined; frames: number }[] = [];
  let hasBegun = false;
  let nextPacket = 0;
  const proof = options.exact === true ? new ClipProof(id, info.pointFrames) : undefined;
  for (let number = Math.floor(start / info.chunkFrames); number * info.chunkFrames < end; number++) {
    const chunk = await archive.reader(info).chunk(number, emptyReport(info), signal);
    const items = packetsOf(chunk);
    const runUpStart = hasBegun ? undefined : proof?.begin(chunk, start);
    for (let i = 0; i < items.length; i++) {
      const item = items.at(i)!;
      const packet = chunk.firstPacket - chunk.preRollCount + i;
      const data = item.concealed ? undefined : item.data;
      if (item.segment !== undefined && i >= (runUpStart ?? 0)) proof?.segment();
      if (i < chunk.preRollCount) {
        if (item.segment !== undefined || i === runUpStart) before = [];
        if (!hasBegun) before.push({ data, frames: item.frames });
        continue;
      }
      if (i === runUpStart) before = [];
      if (item.segment !== undefined) before = [];
      const sample = items.sampleAt(i);
      const isNewRun = item.segment !== undefined && hasBegun;
      // A packet that straddles the border of two chunks lies in both.
      const isRepeated = packet < nextPacket;
      if (items.sampleAt(i + 1) > start && sample < end && !isRepeated) {
        nextPacket = packet + 1;
        proof?.packet(item, hasBegun ? undefined : before);
        if (!hasBegun || isNewRun) {
          const from = Math.max(start, sample);
          const runUp = hasBegun ? [] : proof === undefined ? lastFrames(before, runUpFrames) : before;
          const head = segments.head(segments.at(packet));
          const preSkip = hasBegun
            ? item.preSkip
            : runUp.reduce((sum, each) => sum + each.frames, 0) + items.skipAt(i) + from - sample;
          proof?.checkPreSkip(preSkip);
          const run = { head, preSkip, frames: segmentEnd(packet) - from };
          hasBegun = true;
          for (const [at, each] of [...runUp, { data, frames: item.frames }].entries()) {
            yield at === 0 ? { ...each, run } : each;
          }
        } else yield { data, frames: item.frames };
      } else if (!hasBegun) before.push({ data, frames: item.frames });
    }
  }
}

/**
 * Samples `[start, end)` of a recording as Ogg Opus: the recorded packets byte for byte, cut to the sample by pre-skip and end trim. A
 * gap begins a new link. The same range gives the same bytes.
 */
export async function* clipPages(
  archive: Archive,
  id: string,
  range: { readonly start: number; readonly end: number },
  options: ClipOptions & { readonly tags?: OpusTags; readonly signal?: AbortSignal } = {},
): AsyncGenerator<Uint8Array> {
  const pages: Uint8Array[] = [];
  let writer: OggOpusWriter | undefined;
  let runFrames = 0;
  let toc = 0xfc;
  let runs = 0;
  for await (const { data, frames, run } of clipPackets(archive, id, range, options.signal, options)) {
    if (run !== undefined) {
      writer?.finish(runFrames);
      runFrames = run.frames;
      writer = new OggOpusWriter((bytes) => void pages.push(bytes.slice()), {
        head: { ...run.head, preSkip: run.preSkip },
        serial: (range.start + runs++) >>> 0,
        tags: options.tags,
      });
    }
    if (data === undefined || opusPacketFrames(data) === 0) {
      for (const packet of silentPackets(toc, frames)) writer?.write(packet);
    } else {
      toc = data[0]!;
      writer?.write(data);
    }
    yield* pages;
    pages.length = 0;
  }
  writer?.finish(runFrames);
  yield* pages;
}

/** The last packets that together last at least `frames`. */
function lastFrames<T extends { frames: number }>(packets: readonly T[], frames: number): T[] {
  let sum = 0;
  let first = packets.length;
  while (first > 0 && sum < frames) sum += packets[--first]!.frames;
  return packets.slice(first);
}
