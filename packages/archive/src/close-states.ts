import type { OpusHead } from "@longwave/media";
import type { ChunkBuilderOptions } from "./chunk-builder-options.ts";
import type { SegmentDecoder } from "./decode-run.ts";
import type { TimedPacket } from "./packet-item.ts";
import { type RunUpProver, StateSaver } from "./run-up-prover.ts";
import { NearState, type StateAhead, type StateDifference } from "./state-difference.ts";
import { differenceSpacing, isWorthwhile, usualStateFrames } from "./stored-states.ts";

/** The decoder's state at a point, with and without what only concealment uses. */
export interface PointStates {
  readonly live: Uint8Array;
  readonly all: Uint8Array;
}

/** The packets in front of a point. */
export interface PacketsBefore {
  readonly head: OpusHead;
  /** Those of the segment, as far as they are kept. */
  readonly segment: readonly TimedPacket[];
  /** No more than a resumed import knows. */
  readonly recent: readonly TimedPacket[];
}

/**
 * Where run-ups come near but never arrive: which points get a state, and that as a difference to what a short run-up gives. A difference is
 * smallest of the state one packet in front of the point, which is kept in time.
 */
export class CloseStates {
  readonly #options: ChunkBuilderOptions;
  readonly #prover: RunUpProver;
  readonly #near: NearState;
  readonly #saver = new StateSaver();
  /** How far apart differences may be in this chunk, and where the next one may be. */
  #spacing: number | undefined;
  #next = 0;
  #ahead: StateAhead | undefined;

  constructor(options: ChunkBuilderOptions, prover: RunUpProver) {
    this.#options = options;
    this.#prover = prover;
    this.#near = new NearState(options.decoder, options.profile, options.channels);
  }

  /** What a resumed import needs of it at the first point of a chunk. */
  get ahead(): StateAhead | undefined {
    return this.#ahead;
  }

  resume(ahead: StateAhead | undefined): void {
    this.#ahead = ahead;
  }

  beginChunk(): void {
    this.#spacing = undefined;
  }

  /** Whether a point may have a state, with the chunk's last one at `last`: they are stored at some distance from each other. */
  isFar(sample: number, last: number | undefined): boolean {
    const told = this.#options.checkpointFrames;
    if (told === undefined && this.#spacing !== undefined) return sample >= this.#next;
    return last === undefined || sample - last >= (told ?? usualStateFrames) / 2;
  }

  /**
   * Called in front of every packet, behind its own point.
   * @param end sample at which the packet ends
   * @param frames of the packet; the next one is taken to be as long
   */
  before(end: number, frames: number, sequential: SegmentDecoder, last: number | undefined): void {
    this.#ahead = undefined;
    if (!this.#prover.isLost || this.#prover.expectsConcealment) return;
    const { pointFrames, chunkFrames } = this.#options;
    const point = Math.ceil(end / pointFrames) * pointFrames;
    if (point - end >= frames) return;
    if (point % chunkFrames === 0 || this.isFar(point, last))
      this.#ahead = { state: this.#saver.save(sequential, "live"), reach: 0 };
  }

  /** Called right behind the decode of every packet. */
  after(sequential: SegmentDecoder): void {
    if (this.#ahead === undefined) return;
    const reach = sequential.decoder.historyReach?.();
    this.#ahead = reach === undefined ? undefined : { ...this.#ahead, reach };
  }

  /** The state at a point as a difference, where that is what the point should have. */
  differenceAt(
    sample: number,
    states: PointStates,
    { head, segment, recent }: PacketsBefore,
    sequential: SegmentDecoder,
  ): StateDifference | undefined {
    const { chunkFrames, pointFrames } = this.#options;
    // With concealment behind it the whole state is needed: dear, so only a chunk's start gets it. Without, run-ups that arrive are the better way.
    const whole = this.#prover.expectsConcealment;
    if (whole ? sample % chunkFrames !== 0 : !this.#prover.isLost) return undefined;
    const difference =
      (!whole && this.#ahead !== undefined
        ? this.#near.leanDifference(segment, head, this.#ahead, sequential)
        : undefined) ?? this.#near.difference(segment, head, whole ? states.all : states.live, whole);
    if (difference === undefined) return undefined;
    for (const { frames } of segment.slice(-difference.runUp)) this.#prover.charge(frames);
    if (whole) return isWorthwhile(difference, states.all) ? difference : undefined;
    if (this.#spacing === undefined) {
      this.#spacing = differenceSpacing(difference, recent);
      this.#next = sample;
    }
    // Points are on a grid: what one was late the next one may come sooner.
    this.#next = Math.max(this.#next, sample - pointFrames) + this.#spacing;
    return difference;
  }

  close(): void {
    this.#near.close();
  }
}
