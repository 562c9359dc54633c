import type { DecoderFactory } from "@longwave/media";
import type { Chunk } from "./chunk-format.ts";
import {
  type ChunkStart,
  type DecoderPosition,
  decodeChunkRange,
  decodeItem,
  type ReadStatistics,
  type SampleSink,
  StartRefused,
  walkChunk,
} from "./chunk-reader.ts";
import { SegmentDecoder } from "./decode-run.ts";
import { ArchiveError } from "./errors.ts";
import { packetsOf } from "./packet-source.ts";
import type { StoredForm } from "./recording-info.ts";
import { SampleDigest } from "./sample-digest.ts";
import { SegmentTable } from "./segment-table.ts";

/** What a read had to do besides. */
export interface RangeStatistics extends ReadStatistics {
  /** Starts that did not hold, so that decoding began elsewhere. */
  fallbacks: number;
}

/** Gives a parsed chunk by its number. */
export type ChunkSource = (number: number) => Promise<Chunk>;

/** Starts in the order in which they are tried; behind them there is the start of the segment. */
const starts: readonly ChunkStart[] = [
  { at: "point" },
  { at: "longer", packets: 32 },
  { at: "longer", packets: 96 },
  { at: "head" },
];

/**
 * Decodes ranges inside chunks with one decoder. A range that begins where the last one ended goes on with the decoder as it
 * is, also over the border of a chunk, unless concealment follows that the start was not proven for. A start that turns out wrong (a state that the decoder refuses; with
 * `verify`, samples whose digest differs from the proven one) is replaced by a longer run-up, then the chunk's head, then the
 * segment's first packet, from which decoding is exact by definition. What cannot be had exactly is an error, never silence.
 */
export class RangeDecoder {
  readonly #form: StoredForm;
  readonly #decoder: SegmentDecoder;
  readonly #segments: SegmentTable;
  readonly #digest: SampleDigest;
  readonly #isForeign: boolean;
  /** Where the decoder stands, if what it gives from there on is exact. */
  #position: DecoderPosition | undefined;
  /** Ends with the decode that is on its way: there is one decoder. */
  #busy: Promise<unknown> = Promise.resolve();

  /** @param profile of the decoder; where it is not the recording's, stored states are not used and nothing is exact */
  constructor(form: StoredForm, create: DecoderFactory, profile: string) {
    this.#form = form;
    this.#decoder = new SegmentDecoder(create, profile, form.channels);
    this.#segments = new SegmentTable(form.segments, form.channels);
    this.#digest = new SampleDigest(form.channels);
    this.#isForeign = profile !== form.profile;
  }

  /** Calls are carried out one after the other. @throws ArchiveError `archive/proof-failed`, `archive/chunk-corrupt` */
  decode(...parameters: Parameters<RangeDecoder["decodeNow"]>): Promise<void> {
    const done = this.#busy.then(() => this.decodeNow(...parameters));
    this.#busy = done.catch(() => undefined);
    return done;
  }

  /** As `decode`, for a caller who knows that nothing else is on its way. */
  async decodeNow(
    chunk: Chunk,
    range: { readonly start: number; readonly end: number },
    statistics: RangeStatistics,
    sink: SampleSink,
    verify: boolean,
    source: ChunkSource,
  ): Promise<void> {
    const position = this.#position;
    this.#position = undefined;
    if (this.#isForeign) statistics.exact = false;
    const checks = verify && !this.#isForeign;
    let reason = "";
    for (const start of starts) {
      try {
        if (!checks) {
          const reached = this.#decodeFrom(chunk, range, statistics, sink, start, position);
          if (start.at === "point" && statistics.exact) this.#position = reached;
          return;
        }
        const wrong = this.#decodeChecked(chunk, range, sink, (whole, into) =>
          this.#decodeFrom(chunk, whole, statistics, into, start),
        );
        if (wrong === undefined) return;
        reason = wrong;
      } catch (error) {
        if (!(error instanceof StartRefused)) throw error;
        reason = error.message;
      }
      statistics.fallbacks++;
    }
    const fromSegment = await this.#fromSegmentStart(chunk, range, checks, statistics, sink, source);
    if (fromSegment === undefined) return;
    throw new ArchiveError(
      "archive/proof-failed",
      `Samples [${range.start}, ${range.end}) cannot be had exactly: ${fromSegment || reason}. Run repair with reprove.`,
    );
  }

  close(): void {
    this.#decoder.close();
  }

  #decodeFrom(
    chunk: Chunk,
    range: { readonly start: number; readonly end: number },
    statistics: RangeStatistics,
    sink: SampleSink,
    start: ChunkStart,
    position?: DecoderPosition,
  ): DecoderPosition {
    const options = {
      pointFrames: this.#form.pointFrames,
      start,
      position: start.at === "point" ? position : undefined,
      withoutStates: this.#isForeign,
    };
    return decodeChunkRange(chunk, this.#decoder, this.#segments, range, sink, statistics, options);
  }

  /** Decodes whole intervals and compares their digests. Returns what is wrong, or undefined. */
  #decodeChecked(
    chunk: Chunk,
    range: { readonly start: number; readonly end: number },
    sink: SampleSink,
    decode: (whole: { start: number; end: number }, into: SampleSink) => void,
  ): string | undefined {
    const { pointFrames } = this.#form;
    const intervalOf = (sample: number) => Math.floor((sample - chunk.firstSample) / pointFrames);
    const chunkEnd = chunk.firstSample + chunk.validFrames;
    const start = chunk.firstSample + intervalOf(range.start) * pointFrames;
    const lastInterval = intervalOf(range.end - 1);
    const end = Math.min(chunkEnd, chunk.firstSample + (lastInterval + 1) * pointFrames);
    this.#digest.begin();
    let wrong: string | undefined;
    decode({ start, end }, (pcm, from, to, sample) => {
      for (let at = sample; at < sample + to - from; ) {
        const interval = intervalOf(at);
        const stop = Math.min(sample + to - from, chunk.firstSample + (interval + 1) * pointFrames);
        this.#digest.add(pcm, from + at - sample, from + stop - sample);
        if (stop === end || stop === chunk.firstSample + (interval + 1) * pointFrames) {
          if (this.#digest.value() !== chunk.points[interval]?.digest) {
            wrong ??= `the second at sample ${chunk.firstSample + interval * pointFrames} differs from what was proven`;
          }
          this.#digest.begin();
        }
        at = stop;
      }
      const first = Math.max(sample, range.start);
      const last = Math.min(sample + to - from, range.end);
      if (last > first) sink(pcm, from + first - sample, from + last - sample, first);
    });
    return wrong;
  }

  /** Decodes from the first packet of the segment on. Returns what is wrong, or undefined. */
  async #fromSegmentStart(
    chunk: Chunk,
    range: { readonly start: number; readonly end: number },
    checks: boolean,
    statistics: RangeStatistics,
    sink: SampleSink,
    source: ChunkSource,
  ): Promise<string | undefined> {
    const segment = this.#form.segments[this.#segments.at(chunk.firstPacket)];
    if (segment === undefined) return "its segment is unknown";
    const { chunkFrames } = this.#form;
    const last = Math.floor(chunk.firstSample / chunkFrames);
    let next = segment.firstPacket;
    for (let number = Math.floor(segment.firstSample / chunkFrames); number < last; number++) {
      const before = await source(number);
      const items = packetsOf(before);
      const ownEnd = before.firstPacket - before.preRollCount + items.length;
      for (; next < ownEnd; next++) {
        const item = items.at(next - before.firstPacket + before.preRollCount);
        // A packet that straddles into the chunk is decoded there.
        if (item === undefined || next >= chunk.firstPacket) break;
        decodeItem(item, this.#decoder, this.#segments, statistics, false);
      }
    }
    const items = packetsOf(chunk);
    const firstIndex = next - chunk.firstPacket + chunk.preRollCount;
    if (firstIndex < 0) return "packets in front of it are missing";
    for (let i = firstIndex; i < chunk.preRollCount; i++)
      decodeItem(items.at(i)!, this.#decoder, this.#segments, statistics, false);
    const decode = (whole: { start: number; end: number }, into: SampleSink) => {
      walkChunk(
        items,
        chunk.preRollCount,
        whole,
        (item, i) => {
          const wanted = items.sampleAt(i + 1) > whole.start;
          decodeItem(item, this.#decoder, this.#segments, statistics, wanted);
          return wanted ? this.#decoder.pcm : undefined;
        },
        into,
      );
    };
    if (checks) return this.#decodeChecked(chunk, range, sink, decode);
    decode(range, sink);
    return undefined;
  }
}
