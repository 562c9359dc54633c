import type { OpusHead } from "@longwave/media";
import { ArchiveError } from "./errors.ts";

/** A segment as far as decoding goes. */
interface Segment {
  readonly firstPacket: number;
  readonly preSkip: number;
  readonly inputSampleRate: number;
  readonly gainQ8: number;
}

/** Which head holds at which packet of a recording. */
export class SegmentTable {
  readonly #segments: readonly Segment[];
  readonly #channels: number;

  constructor(segments: readonly Segment[], channels: number) {
    this.#segments = segments;
    this.#channels = channels;
  }

  /** Number of the segment that packet `packet` belongs to. */
  at(packet: number): number {
    let found = 0;
    for (const [i, segment] of this.#segments.entries()) if (segment.firstPacket <= packet) found = i;
    return found;
  }

  /** @throws ArchiveError `archive/chunk-corrupt` for a number that no segment has */
  head(number: number): OpusHead {
    const segment = this.#segments[number];
    if (segment === undefined) {
      throw new ArchiveError(
        "archive/chunk-corrupt",
        `A chunk speaks of segment ${number}, which is unknown; run repair.`,
      );
    }
    return {
      channels: this.#channels,
      preSkip: segment.preSkip,
      inputSampleRate: segment.inputSampleRate,
      gainQ8: segment.gainQ8,
      family: 0,
      streams: 1,
      coupled: this.#channels - 1,
      mapping: Uint8Array.from({ length: this.#channels }, (_, i) => i),
    };
  }
}
