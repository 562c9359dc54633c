import { ArchiveError } from "./errors.ts";

/** "Sample frame `sample` was heard at `unixNs`": nanoseconds since the Unix epoch. Between anchors time runs linearly. */
export interface TimeAnchor {
  readonly sample: number;
  readonly unixNs: bigint;
}

/** A stretch of samples with the wall-clock time of its first one. */
export interface TimedRange {
  readonly start: number;
  readonly end: number;
  readonly startNs: bigint;
}

/** A jump of the wall-clock time in a recording. */
export interface TimeGap {
  /** First sample frame behind it. */
  readonly sample: number;
  readonly ns: bigint;
}

/** Shorter ones are the rounding of clocks. */
const leastGapNs = 1_000_000n;
const nsPerSecond = 1_000_000_000n;
const rateHz = 48_000n;

/**
 * Piecewise wall-clock time of a recording. Each anchor starts a piece; a piece runs at the rate given by the next anchor
 * where that is a drift correction (`continuous`), otherwise at exactly 48 kHz, so that a jump between two pieces is a gap.
 */
export class TimeAxis {
  readonly #anchors: readonly (TimeAnchor & { readonly continuous?: boolean })[];
  readonly #frames: number;

  /** @param anchors ascending by sample; @param frames length of the recording */
  constructor(anchors: readonly (TimeAnchor & { continuous?: boolean })[], frames: number) {
    for (let i = 1; i < anchors.length; i++) {
      if (anchors[i]!.sample <= anchors[i - 1]!.sample || anchors[i]!.unixNs < anchors[i - 1]!.unixNs) {
        throw new ArchiveError("archive/metadata", `Time anchor ${i} does not come after the one before it.`);
      }
    }
    this.#anchors = anchors;
    this.#frames = frames;
  }

  /** False where nobody said when the recording was made. */
  get known(): boolean {
    return this.#anchors.length > 0;
  }

  /** Wall-clock time of a sample frame, rounded to the nearest nanosecond. Undefined without anchors. */
  timeOf(sample: number): bigint | undefined {
    const piece = this.#pieceAt(sample);
    if (piece === undefined) return undefined;
    return piece.startNs + divideRounded(BigInt(sample - piece.start) * piece.ns, piece.samples);
  }

  /**
   * The stretches of samples heard in the half-open interval of wall-clock time: none, one, or several where the recording
   * has gaps. A sample belongs to the instant at which it begins.
   */
  rangesBetween(fromNs: bigint, toNs: bigint): TimedRange[] {
    const ranges: TimedRange[] = [];
    for (let i = 0; i < this.#anchors.length; i++) {
      const piece = this.#piece(i);
      const first = ceilDivide((fromNs - piece.startNs) * piece.samples, piece.ns);
      const end = ceilDivide((toNs - piece.startNs) * piece.samples, piece.ns);
      const start = clamp(first + BigInt(piece.start), piece.start, piece.end);
      const stop = clamp(end + BigInt(piece.start), piece.start, piece.end);
      if (stop <= start) continue;
      const previous = ranges.at(-1);
      const startNs = piece.startNs + divideRounded(BigInt(start - piece.start) * piece.ns, piece.samples);
      if (previous !== undefined && previous.end === start && this.#isContinuous(i)) {
        ranges[ranges.length - 1] = { ...previous, end: stop };
      } else {
        ranges.push({ start, end: stop, startNs });
      }
    }
    return ranges;
  }

  /** Where wall-clock time jumps: nothing was recorded in front of `sample` for so long (negative: the clock was set back). */
  gaps(): TimeGap[] {
    const gaps: TimeGap[] = [];
    for (let i = 1; i < this.#anchors.length; i++) {
      if (this.#isContinuous(i)) continue;
      const { start, startNs, samples, ns } = this.#piece(i - 1);
      const { sample, unixNs } = this.#anchors[i]!;
      const length = unixNs - startNs - divideRounded(BigInt(sample - start) * ns, samples);
      if (length >= leastGapNs || length <= -leastGapNs) gaps.push({ sample, ns: length });
    }
    return gaps;
  }

  #isContinuous(i: number): boolean {
    return this.#anchors[i]?.continuous === true;
  }

  #pieceAt(sample: number): Piece | undefined {
    if (this.#anchors.length === 0) return undefined;
    let i = 0;
    while (i + 1 < this.#anchors.length && this.#anchors[i + 1]!.sample <= sample) i++;
    return this.#piece(i);
  }

  /** The first piece also covers the samples before its anchor. */
  #piece(i: number): Piece {
    const anchor = this.#anchors[i]!;
    const next = this.#anchors[i + 1];
    const drift = next !== undefined && this.#isContinuous(i + 1);
    const samples = drift ? BigInt(next.sample - anchor.sample) : rateHz;
    const ns = drift ? next.unixNs - anchor.unixNs : nsPerSecond;
    const end = Math.max(anchor.sample, Math.min(next?.sample ?? this.#frames, this.#frames));
    if (i > 0 || anchor.sample === 0)
      return { start: anchor.sample, end, startNs: anchor.unixNs, samples, ns };
    const startNs = anchor.unixNs - divideRounded(BigInt(anchor.sample) * ns, samples);
    return { start: 0, end, startNs, samples, ns };
  }
}

interface Piece {
  readonly start: number;
  readonly end: number;
  readonly startNs: bigint;
  /** `samples` sample frames last `ns` nanoseconds. */
  readonly samples: bigint;
  readonly ns: bigint;
}

function divideRounded(a: bigint, b: bigint): bigint {
  return floorDivide(2n * a + b, 2n * b);
}

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
}

function ceilDivide(a: bigint, b: bigint): bigint {
  return -floorDivide(-a, b);
}

function clamp(value: bigint, low: number, high: number): number {
  if (value < BigInt(low)) return low;
  return value > BigInt(high) ? high : Number(value);
}
