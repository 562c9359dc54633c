import { isLongwaveError } from "@longwave/base";
import type { DecoderFactory, OpusHead } from "@longwave/media";
import { SegmentDecoder } from "./decode-run.ts";
import { ArchiveError } from "./errors.ts";
import type { TimedPacket } from "./packet-item.ts";
import { StateSaver } from "./run-up-prover.ts";

/**
 * A decoder's state, live or whole, told by what it differs in from that of a fresh decoder behind a short run-up. Where run-ups come near but
 * never arrive (sustained voice in SILK) that takes half the bytes of the state itself.
 */
export interface StateDifference {
  /** Packets in front of the point that the fresh decoder decodes. */
  readonly runUp: number;
  /** As `stateDifference` gives it. */
  readonly bytes: Uint8Array;
  /** It is one of whole states, with what only concealment uses. */
  readonly whole: boolean;
  /** Version of the states' form that it was taken of, where that is an older one. */
  readonly version?: number;
}

const saver = new StateSaver();
/** Run-up behind which a state is near the sequential one: 10 units of 20 ms; three times as many come hardly nearer. */
const nearRunUpFrames = 10 * 960;

/** Makes the differences of an import, with a decoder of its own. */
export class NearState {
  readonly #decoder: SegmentDecoder;

  constructor(create: DecoderFactory, profile: string, channels: number) {
    this.#decoder = new SegmentDecoder(create, profile, channels);
  }

  /**
   * @param before the packets of the segment up to the point, as far as they are kept
   * @param state the sequential decoder's state there
   * @param whole it is the whole state
   * @returns undefined where there are too few packets, or the states have different forms
   */
  difference(
    before: readonly TimedPacket[],
    head: OpusHead,
    state: Uint8Array,
    whole: boolean,
  ): StateDifference | undefined {
    let first = before.length;
    for (let frames = 0; frames < nearRunUpFrames; ) {
      const packet = before[--first];
      if (packet === undefined) return undefined;
      frames += packet.frames;
    }
    this.#decoder.start(head);
    for (const { data, frames, concealed } of before.slice(first))
      this.#decoder.decode(data, frames, concealed);
    const bytes = stateDifference(state, saver.view(this.#decoder, whole ? "all" : "live"));
    return bytes && { runUp: before.length - first, bytes, whole };
  }

  close(): void {
    this.#decoder.close();
  }
}

/**
 * Little-endian 16-bit words of `state` minus those of `near`, each minus the one before (neighbouring samples differ alike), zigzag; all
 * low bytes, then all high ones, then an odd last byte.
 * @returns undefined where the states have different forms
 */
export function stateDifference(state: Uint8Array, near: Uint8Array): Uint8Array | undefined {
  if (state.length !== near.length) return undefined;
  const words = state.length >> 1;
  const bytes = new Uint8Array(state.length);
  let before = 0;
  for (let i = 0; i < words; i++) {
    const word = wordAt(state, i) - wordAt(near, i);
    const step = ((word - before) << 16) >> 16;
    const folded = (step << 1) ^ (step >> 15);
    bytes[i] = folded;
    bytes[words + i] = folded >> 8;
    before = word;
  }
  if (state.length % 2 === 1) bytes[state.length - 1] = state.at(-1)! ^ near.at(-1)!;
  return bytes;
}

/** The inverse. @param difference of the length of `near` */
export function addDifference(near: Uint8Array, difference: Uint8Array): Uint8Array {
  const words = near.length >> 1;
  const state = new Uint8Array(near.length);
  let word = 0;
  for (let i = 0; i < words; i++) {
    const folded = difference[i]! | (difference[words + i]! << 8);
    word += (folded >> 1) ^ -(folded & 1);
    const sum = wordAt(near, i) + word;
    state[2 * i] = sum;
    state[2 * i + 1] = sum >> 8;
  }
  if (near.length % 2 === 1) state[near.length - 1] = near.at(-1)! ^ difference.at(-1)!;
  return state;
}

/**
 * Brings a decoder that stands behind the run-up to the stored state.
 * @throws LongwaveError where the difference does not fit, or the decoder refuses the state
 */
export function loadDifference(decoder: SegmentDecoder, difference: StateDifference): void {
  const near = saver.view(decoder, difference.whole ? "all" : "live", difference.version);
  if (near.length !== difference.bytes.length) {
    throw new ArchiveError(
      "archive/proof-failed",
      `A stored difference of ${difference.bytes.length} bytes does not fit a state of ${near.length}.`,
    );
  }
  decoder.decoder.loadState(addDifference(near, difference.bytes));
}

/** The same, but false instead of an error. */
export function takesDifference(decoder: SegmentDecoder, difference: StateDifference): boolean {
  try {
    loadDifference(decoder, difference);
    return true;
  } catch (error) {
    if (!isLongwaveError(error)) throw error;
    return false;
  }
}

function wordAt(bytes: Uint8Array, i: number): number {
  return bytes[2 * i]! | (bytes[2 * i + 1]! << 8);
}
