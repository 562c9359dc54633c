import type { DecoderFactory, OpusHead } from "@longwave/media";
import { SegmentDecoder } from "./decode-run.ts";
import type { TimedPacket } from "./packet-item.ts";
import { XxHash64 } from "./xxhash64.ts";

/** Fingerprint of a decoder's state between two packets. */
export interface StateMark {
  /** Over the live state: four words. */
  readonly live: Uint32Array;
  /** Over everything, concealment included: two words. */
  readonly whole: Uint32Array;
}

/** A run-up that leads to the sequential decoder's state. */
export interface ProvenStart {
  /** Packet (counted in the recording) at which a fresh decoder starts. */
  readonly start: number;
  /** The state was equal before this packet. */
  readonly provenAt: number;
  readonly wholeStateEqual: boolean;
}

/** Where a proof is wanted: before packet `index`, with the packets in front of it. */
export interface ProofRequest {
  readonly index: number;
  readonly segmentStart: number;
  readonly head: OpusHead;
  readonly mark: StateMark;
  /** The packet with this number in the recording; only asked for kept ones. */
  readonly packetAt: (index: number) => TimedPacket;
  readonly oldestKept: number;
  /** A chunk starts here: worth more trials than a point inside. */
  readonly important: boolean;
}

/** Run-up lengths that are tried, in units of 20 ms. */
const ladder = [8, 16, 24, 32, 40, 48, 64] as const;
const unitFrames = 960;
/** CELT music needs 22 to 33 packets of 20 ms to agree in float32. */
const firstGuess = 3;
/** A proven start serves later points too, as long as the run-up stays this short. */
const longestReuseUnits = 96;
/** Trials may decode this share of what the sequential decoder decodes. */
const trialShare = 0.38;
/** Give up for so many points at the most after repeated failures. */
const longestPause = 64;

/**
 * Searches run-ups: how many packets before a place must a fresh decoder decode until its state equals the sequential
 * decoder's? Equal state proves everything that follows. The search adapts to the stream and keeps its own cost bounded;
 * it depends on nothing but the packets, so the same stream always gets the same index.
 */
export class RunUpProver {
  readonly #trial: SegmentDecoder;
  readonly #marker: StateMarker;
  #guess = firstGuess;
  #successes = 0;
  #failures = 0;
  #pause = 0;
  /** Frames that trials may still decode. */
  #budget = 64 * unitFrames;
  #last: ProvenStart | undefined;

  constructor(create: DecoderFactory, profile: string, channels: number) {
    this.#trial = new SegmentDecoder(create, profile, channels);
    this.#marker = new StateMarker();
  }

  /** What the search has learnt; with it, a resumed import continues as if it had not been interrupted. */
  exportState(): number[] {
    const last = this.#last ?? { start: -1, provenAt: -1, wholeStateEqual: false };
    const proof = [last.start, last.provenAt, last.wholeStateEqual ? 1 : 0];
    return [this.#guess, this.#successes, this.#failures, this.#pause, this.#budget, ...proof];
  }

  importState(state: readonly number[]): void {
    const [
      guess = firstGuess,
      successes = 0,
      failures = 0,
      pause = 0,
      budget = 0,
      start = -1,
      provenAt = -1,
      whole,
    ] = state;
    this.#guess = Math.min(ladder.length - 1, Math.max(0, guess));
    this.#successes = successes;
    this.#failures = failures;
    this.#pause = pause;
    this.#budget = budget;
    this.#last = start < 0 ? undefined : { start, provenAt, wholeStateEqual: whole === 1 };
  }

  /** Tells that the sequential decoder decoded this many frames: trials may cost a share of it. */
  earn(frames: number): void {
    this.#budget = Math.min(this.#budget + trialShare * frames, 400 * unitFrames);
  }

  /** Forgets proofs: a reset or an unknown history stands between them and what follows. */
  forget(): void {
    this.#last = undefined;
  }

  /** The shortest run-up found, or undefined. */
  prove(request: ProofRequest): ProvenStart | undefined {
    const { index, segmentStart } = request;
    const reachable = this.#oldestWithin(request, longestReuseUnits);
    if (reachable <= segmentStart) {
      // From the segment's own start: the very same operations, so nothing needs to be compared.
      return { start: segmentStart, provenAt: segmentStart, wholeStateEqual: true };
    }
    const last = this.#last;
    if (last !== undefined && last.start >= reachable && last.start >= request.oldestKept) {
      if (last.wholeStateEqual || !this.#concealsBetween(request, last.provenAt, index)) return last;
    }
    if (this.#pause > 0 && !request.important) {
      this.#pause--;
      return undefined;
    }
    return this.#search(request);
  }

  #search(request: ProofRequest): ProvenStart | undefined {
    const rungs = request.important ? 3 : 2;
    for (let rung = this.#guess; rung < Math.min(ladder.length, this.#guess + rungs); rung++) {
      const start = this.#oldestWithin(request, ladder[rung]!);
      if (start < request.oldestKept || start <= request.segmentStart) break;
      if (this.#concealsBetween(request, start, request.index)) break;
      if (this.#budget < 0 && !request.important) return undefined;
      const proven = this.#try(request, start);
      if (proven === undefined) continue;
      this.#guess = rung;
      this.#failures = 0;
      this.#successes++;
      // Now and then see whether less would do.
      if (this.#successes % 8 === 0 && rung > 0) this.#guess = rung - 1;
      this.#last = proven;
      return proven;
    }
    this.#failures++;
    this.#pause = Math.min(longestPause, 2 ** this.#failures);
    if (this.#failures > 2) this.#guess = Math.min(this.#guess + 1, ladder.length - 2);
    return undefined;
  }

  #try(request: ProofRequest, start: number): ProvenStart | undefined {
    this.#trial.start(request.head);
    for (let i = start; i < request.index; i++) {
      const packet = request.packetAt(i);
      this.#trial.decode(packet.data, packet.frames, packet.concealed);
      this.#budget -= packet.frames;
    }
    const mark = this.#marker.mark(this.#trial);
    if (!equalWords(mark.live, request.mark.live)) return undefined;
    return { start, provenAt: request.index, wholeStateEqual: equalWords(mark.whole, request.mark.whole) };
  }

  /** First packet of a run-up of at least `units` before `index`, or the oldest kept one. */
  #oldestWithin(request: ProofRequest, units: number): number {
    let frames = 0;
    let start = request.index;
    while (start > request.oldestKept && start > request.segmentStart && frames < units * unitFrames) {
      start--;
      frames += request.packetAt(start).frames;
    }
    return frames < units * unitFrames && start > request.segmentStart ? start + 1 : start;
  }

  #concealsBetween(request: ProofRequest, start: number, end: number): boolean {
    for (let i = Math.max(start, request.oldestKept); i < end; i++) {
      if (request.packetAt(i).usesConcealment) return true;
    }
    return false;
  }

  close(): void {
    this.#trial.close();
  }
}

/** Takes marks of decoder states without allocating a buffer each time. */
export class StateMarker {
  #buffer = new Uint8Array(0);
  readonly #hash = new XxHash64();

  mark(decoder: SegmentDecoder): StateMark {
    const live = new Uint32Array(4);
    const whole = new Uint32Array(2);
    decoder.decoder.liveStateDigest(live);
    if (this.#buffer.length < decoder.decoder.maxStateBytes)
      this.#buffer = new Uint8Array(decoder.decoder.maxStateBytes);
    const bytes = decoder.decoder.saveState(this.#buffer, "all");
    this.#hash.reset();
    this.#hash.update(this.#buffer, 0, bytes).digest(whole);
    return { live, whole };
  }

  /** A copy of the state. */
  save(decoder: SegmentDecoder, sections: "live" | "all"): Uint8Array {
    if (this.#buffer.length < decoder.decoder.maxStateBytes)
      this.#buffer = new Uint8Array(decoder.decoder.maxStateBytes);
    return this.#buffer.slice(0, decoder.decoder.saveState(this.#buffer, sections));
  }
}

function equalWords(a: Uint32Array, b: Uint32Array): boolean {
  return a.every((word, i) => word === b[i]);
}
