import { isLongwaveError } from "@longwave/base";
import type { DecoderFactory, OpusHead } from "@longwave/media";
import { SegmentDecoder } from "./decode-run.ts";
import { decodeDifference, encodeDifference } from "./difference-code.ts";
import { ArchiveError } from "./errors.ts";
import type { TimedPacket } from "./packet-item.ts";
import { StateSaver } from "./run-up-prover.ts";

/**
 * A decoder's state, live or whole, told by what it differs in from that of a fresh decoder behind a short run-up. Where run-ups come near but
 * never arrive (sustained voice in SILK) that takes half the bytes of the state itself.
 */
export interface StateDifference {
  /** Packets in front of the point at which the fresh decoder begins. */
  readonly runUp: number;
  /** So many of these, the last ones, come behind the state: they replace what it leaves out. Default none. */
  readonly settle?: number;
  /** As `encodeDifference` gives it, or where it is not `coded` as `stateDifference` does. */
  readonly bytes: Uint8Array;
  readonly coded?: boolean;
  /** It is one of whole states, with what only concealment uses. */
  readonly whole: boolean;
  /** Version of the states' form that it was taken of, where that is an older one. */
  readonly version?: number;
}

/** Where the decoder was one packet in front of a point that may need a state. */
export interface StateAhead {
  /** Live. */
  readonly state: Uint8Array;
  /** What that packet referred to of it, as the decoder tells. */
  readonly reach: number;
}

const saver = new StateSaver();
/** Run-up behind which a state is near the sequential one: 10 units of 20 ms; three times as many come hardly nearer. */
const nearRunUpFrames = 10 * 960;
/** In front of a state that leaves out what the next packet replaces fewer do: what they could come near to is mostly left out. */
const leanRunUpFrames = 4 * 960;

/** Makes the differences of an import, with a decoder of its own. */
export class NearState {
  readonly #decoder: SegmentDecoder;
  readonly #digests = [new Uint32Array(4), new Uint32Array(4)] as const;

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
    const runUp = this.#runUp(before, head, nearRunUpFrames);
    if (runUp === undefined) return undefined;
    const near = saver.view(this.#decoder, whole ? "all" : "live");
    const bytes = whole ? stateDifference(state, near) : encodeDifference(state, near);
    return bytes && { runUp, bytes, whole, coded: !whole };
  }

  /**
   * The live state in front of the last packet, without what that packet replaces, so that behind it the state is the sequential decoder's.
   * @param before the packets of the segment up to the point, as far as they are kept
   * @param ahead where the sequential decoder was in front of the last of them
   * @param sequential stands behind that packet
   * @returns undefined where that packet does not bring the state back, or as `difference`
   */
  leanDifference(
    before: readonly TimedPacket[],
    head: OpusHead,
    { state, reach }: StateAhead,
    sequential: SegmentDecoder,
  ): StateDifference | undefined {
    const last = before.at(-1);
    if (last === undefined || last.usesConcealment) return undefined;
    const decoder = this.#decoder.select(head);
    if (decoder.forgetReplaced === undefined) return undefined;
    decoder.loadState(state);
    decoder.forgetReplaced(reach);
    const lean = saver.save(this.#decoder, "live");
    this.#decoder.decode(last.data, last.frames, false, false);
    const [mine, theirs] = this.#digests;
    decoder.liveStateDigest(mine);
    sequential.decoder.liveStateDigest(theirs);
    if (mine.some((word, i) => word !== theirs[i])) return undefined;
    const runUp = this.#runUp(before.slice(0, -1), head, leanRunUpFrames);
    if (runUp === undefined) return undefined;
    const bytes = encodeDifference(lean, saver.view(this.#decoder, "live"));
    return bytes && { runUp: runUp + 1, settle: 1, bytes, whole: false, coded: true };
  }

  /** Takes a fresh decoder along the last packets, so many `frames` of them at the least; returns how many, undefined where there are fewer. */
  #runUp(before: readonly TimedPacket[], head: OpusHead, atLeast: number): number | undefined {
    let first = before.length;
    for (let frames = 0; frames < atLeast; ) {
      const packet = before[--first];
      if (packet === undefined) return undefined;
      frames += packet.frames;
    }
    this.#decoder.start(head);
    for (let i = first; i < before.length; i++) {
      const { data, frames, concealed } = before[i]!;
      this.#decoder.decode(data, frames, concealed, false);
    }
    return before.length - first;
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
  const { bytes, coded, whole, version } = difference;
  const near = saver.view(decoder, whole ? "all" : "live", version);
  let state: Uint8Array | undefined;
  if (coded === true) state = decodeDifference(near, bytes);
  else if (near.length === bytes.length) state = addDifference(near, bytes);
  if (state === undefined) {
    throw new ArchiveError(
      "archive/proof-failed",
      `A stored difference of ${bytes.length} bytes does not fit a state of ${near.length}.`,
    );
  }
  decoder.decoder.loadState(state);
}

/**
 * Takes a fresh decoder along the run-up of a difference to the point.
 * @param packetAt packets of the run-up by number, from 0 on
 * @param decode decodes one of them
 * @returns false where the difference does not fit or the decoder refuses the state
 */
export function followDifference<Packet>(
  decoder: SegmentDecoder,
  difference: StateDifference,
  packetAt: (index: number) => Packet,
  decode: (packet: Packet) => void,
): boolean {
  const { runUp, settle = 0 } = difference;
  if (settle > runUp) return false;
  for (let i = 0; i < runUp - settle; i++) decode(packetAt(i));
  if (!takesDifference(decoder, difference)) return false;
  for (let i = runUp - settle; i < runUp; i++) decode(packetAt(i));
  return true;
}

/** As `loadDifference`, but false instead of an error. */
function takesDifference(decoder: SegmentDecoder, difference: StateDifference): boolean {
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
