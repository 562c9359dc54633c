import type { DecoderFactory, OpusHead } from "@longwave/media";
import { startsInactive } from "./concealing-packet.ts";
import { SegmentDecoder } from "./decode-run.ts";
import type { TimedPacket } from "./packet-item.ts";

/** A run-up that leads to the sequential decoder's state. */
export interface ProvenStart {
  /** Packet (counted in the recording) at which a fresh decoder starts. */
  readonly start: number;
  /** The states were equal before this packet. */
  readonly provenAt: number;
  /** What only concealment uses was equal too. */
  readonly wholeStateEqual: boolean;
}

/** Where the sequential decoder stands before a packet. */
export interface ProverPosition {
  readonly index: number;
  readonly head: OpusHead;
  /** Sample frames from here to the next seek point, and to the next chunk. */
  readonly toPoint: number;
  readonly toChunk: number;
}

const unitFrames = 960;
/** A proven start serves later points too, as long as the run-up stays this short: 96 units of 20 ms. */
const longestRunUp = 96 * unitFrames;
/** CELT music needs 22 to 33 packets of 20 ms to agree in float32. */
const firstAim = 32 * unitFrames;
const shortestAim = 4 * unitFrames;
const longestAim = 72 * unitFrames;
/** A miss lengthens the aim seven times as much as a hit shortens it: seven of eight shadows arrive in time. */
const aimStep = 384;
const missSteps = 7;
/** Where a chunk starts a miss costs a stored state, so those shadows set out earlier. */
const chunkMargin = 8 * unitFrames;
/** Shadows may decode this share of what the sequential decoder decodes. */
const shadowShare = 0.24;
const largestBudget = 400 * unitFrames;
/** Give up for so many points at the most after repeated failures. */
const longestPause = 64;
const keptStarts = 4;
const hopelessFailures = 2;
/** A shadow that sets out where speech pauses arrives within a few packets or not soon; it may cost this much. */
const quietBudget = 32 * unitFrames;
/** Equal samples with unequal states (silence, history that is not yet overwritten): look again this much later. */
const recheckFrames = unitFrames;

/**
 * Finds run-ups: how many packets before a place must a fresh decoder start so that its state equals the sequential
 * decoder's there? A *shadow* starts some packets before a seek point, decodes along with the sequential decoder, and ends
 * where the states have become equal: equal state proves everything that follows. The moment to set out adapts to the
 * stream, the work is a bounded share of the sequential decode, and all of it depends on nothing but the packets, so the
 * same stream always gets the same index.
 */
export class RunUpProver {
  readonly #decoder: SegmentDecoder;
  readonly #pointFrames: number;
  readonly #digests = [new Uint32Array(4), new Uint32Array(4)] as const;
  readonly #saver = new StateSaver();
  readonly #otherSaver = new StateSaver();
  #aim = firstAim;
  #failures = 0;
  #pause = 0;
  #budget = 128 * unitFrames;
  /** Packets that concealed within the last stretch: then it pays to wait until the whole state is equal. */
  #recentConcealment = 0;
  /** Proven starts, oldest first. */
  #starts: ProvenStart[] = [];
  #shadow: Shadow | undefined;
  /** The shadow set out where speech paused, not at its time in front of a seek point. */
  #isQuiet = false;
  #inactivePackets = 0;

  constructor(create: DecoderFactory, profile: string, channels: number, pointFrames: number) {
    this.#decoder = new SegmentDecoder(create, profile, channels);
    this.#pointFrames = pointFrames;
  }

  /** A segment starts with packet `index`: a fresh decoder does there what the sequential one does. */
  startSegment(index: number): void {
    this.#shadow = undefined;
    this.#starts = [{ start: index, provenAt: index, wholeStateEqual: true }];
  }

  /** There was concealment not long ago, so there may be more. */
  get expectsConcealment(): boolean {
    return this.#recentConcealment > 0;
  }

  /** One shadow after the other did not arrive: this sound may have no run-up. */
  get isLost(): boolean {
    return this.#failures >= hopelessFailures;
  }

  /** Takes so many decoded frames from what the search may cost. */
  charge(frames: number): void {
    this.#budget -= frames;
  }

  /** Called in front of every packet: may start a shadow. */
  before(position: ProverPosition, packetFrames: number, data: Uint8Array | undefined): void {
    this.#inactivePackets = startsInactive(data) ? this.#inactivePackets + 1 : 0;
    if (this.#shadow !== undefined) return;
    // The first one still has voice behind it, which its decoder smoothes over; from the second on every shadow arrives.
    if (this.#inactivePackets === 2 && this.#budget >= quietBudget) {
      this.#start(position);
      this.#isQuiet = true;
      return;
    }
    const toChunk = position.toChunk - this.#aim - chunkMargin;
    if (toChunk >= 0 && toChunk < packetFrames) {
      if (this.#budget > 0) this.#start(position);
      return;
    }
    const toPoint = position.toPoint - this.#aim;
    const phase = toPoint - Math.floor(toPoint / this.#pointFrames) * this.#pointFrames;
    if (phase >= packetFrames) return;
    if (this.#pause > 0) this.#pause--;
    else if (this.#budget >= 2 * this.#aim) this.#start(position);
  }

  /** Called behind every packet: the shadow follows and is compared with `sequential`. */
  after(index: number, packet: TimedPacket, sequential: SegmentDecoder): void {
    this.#budget = Math.min(this.#budget + shadowShare * packet.frames, largestBudget);
    if (packet.usesConcealment) {
      this.#recentConcealment = 500;
      if (this.#starts.some((each) => !each.wholeStateEqual))
        this.#starts = this.#starts.filter((each) => each.wholeStateEqual);
    } else if (this.#recentConcealment > 0) this.#recentConcealment--;
    const shadow = this.#shadow;
    if (shadow === undefined) return;
    this.#decoder.decode(packet.data, packet.frames, packet.concealed);
    shadow.frames += packet.frames;
    this.#budget -= packet.frames;
    if (packet.usesConcealment) shadow.liveEqual = false;
    if (index >= shadow.nextCheck) this.#compare(shadow, index, packet, sequential);
    const most = this.#isQuiet ? quietBudget : Math.min(longestRunUp, 2 * this.#aim + longestAim / 4);
    if (this.#shadow !== undefined && shadow.frames > most) this.#giveUp(shadow);
  }

  /** The shortest proven run-up to packet `index`, no longer than 96 units; `framesBetween` counts decoded frames. */
  startFor(
    index: number,
    oldestKept: number,
    framesBetween: (start: number, end: number) => number,
  ): ProvenStart | undefined {
    for (let i = this.#starts.length - 1; i >= 0; i--) {
      const each = this.#starts[i]!;
      if (each.provenAt > index) continue;
      if (each.start < oldestKept || framesBetween(each.start, index) > longestRunUp) return undefined;
      return each;
    }
    return undefined;
  }

  /** What the search has learnt; with it, a resumed import continues as if it had not been interrupted. */
  exportState(): number[] {
    const shadow = this.#shadow;
    const running =
      shadow === undefined
        ? [-1, 0, 0, 0]
        : [shadow.start, shadow.nextCheck, shadow.frames, shadow.liveEqual ? 1 : 0];
    const own = [this.#aim, this.#failures, this.#pause, this.#budget, this.#recentConcealment];
    const quiet = [this.#isQuiet ? 1 : 0, this.#inactivePackets];
    const starts = this.#starts.flatMap((each) => [each.start, each.provenAt, each.wholeStateEqual ? 1 : 0]);
    return [...own, ...running, ...quiet, ...starts];
  }

  /**
   * Takes up what `exportState` gave in front of packet `index`; a shadow that was on its way decodes its packets again.
   * @param packetAt the packets in front of `index`, as far as they are kept
   */
  importState(
    state: readonly number[],
    index: number,
    head: OpusHead,
    packetAt: (index: number) => TimedPacket,
  ): void {
    const number = (i: number, otherwise = 0) => state[i] ?? otherwise;
    this.#aim = Math.min(longestAim, Math.max(shortestAim, number(0, firstAim)));
    this.#failures = number(1);
    this.#pause = number(2);
    this.#budget = number(3);
    this.#recentConcealment = number(4);
    this.#starts = [];
    this.#isQuiet = state[9] === 1;
    this.#inactivePackets = number(10);
    for (let i = 11; i + 2 < state.length; i += 3)
      this.#starts.push({ start: state[i]!, provenAt: state[i + 1]!, wholeStateEqual: state[i + 2] === 1 });
    const start = number(5, -1);
    this.#shadow = undefined;
    if (start < 0) return;
    this.#shadow = { start, nextCheck: number(6), frames: number(7), liveEqual: number(8) === 1 };
    this.#decoder.start(head);
    for (let i = start; i < index; i++) {
      const packet = packetAt(i);
      this.#decoder.decode(packet.data, packet.frames, packet.concealed);
    }
  }

  close(): void {
    this.#decoder.close();
  }

  #start(position: ProverPosition): void {
    this.#decoder.start(position.head);
    this.#shadow = { start: position.index, nextCheck: position.index + 1, frames: 0, liveEqual: false };
    this.#isQuiet = false;
  }

  #compare(shadow: Shadow, index: number, packet: TimedPacket, sequential: SegmentDecoder): void {
    if (!this.#samplesEqual(packet.frames * sequential.decoder.channels, sequential)) return;
    const [mine, theirs] = this.#digests;
    this.#decoder.decoder.liveStateDigest(mine);
    sequential.decoder.liveStateDigest(theirs);
    if (mine.some((word, i) => word !== theirs[i])) {
      shadow.nextCheck = index + recheckPackets(packet);
      return;
    }
    const wholeStateEqual = this.#wholeStatesEqual(sequential);
    if (!shadow.liveEqual || wholeStateEqual)
      this.#keep({ start: shadow.start, provenAt: index + 1, wholeStateEqual });
    if (!shadow.liveEqual && !this.#isQuiet) {
      const late = shadow.frames > this.#aim;
      this.#aim = late
        ? Math.min(longestAim, this.#aim + missSteps * aimStep)
        : Math.max(shortestAim, this.#aim - aimStep);
      this.#failures = 0;
    }
    shadow.liveEqual = true;
    shadow.nextCheck = index + recheckPackets(packet);
    if (wholeStateEqual || this.#recentConcealment === 0) this.#shadow = undefined;
  }

  #keep(proven: ProvenStart): void {
    this.#starts = this.#starts.filter((each) => each.start !== proven.start);
    this.#starts.push(proven);
    if (this.#starts.length > keptStarts) this.#starts.shift();
  }

  #samplesEqual(values: number, sequential: SegmentDecoder): boolean {
    const mine = this.#decoder.pcmBits;
    const theirs = sequential.pcmBits;
    for (let i = 0; i < values; i++) if (mine[i] !== theirs[i]) return false;
    return true;
  }

  #wholeStatesEqual(sequential: SegmentDecoder): boolean {
    const [one, other] = this.#digests;
    if (sequential.decoder.wholeStateDigest !== undefined) {
      this.#decoder.decoder.wholeStateDigest?.(one);
      sequential.decoder.wholeStateDigest(other);
      return one.every((word, i) => word === other[i]);
    }
    const mine = this.#saver.view(this.#decoder, "all");
    const theirs = this.#otherSaver.view(sequential, "all");
    if (mine.length !== theirs.length) return false;
    for (let i = 0; i < mine.length; i++) if (mine[i] !== theirs[i]) return false;
    return true;
  }

  #giveUp(shadow: Shadow): void {
    this.#shadow = undefined;
    if (shadow.liveEqual || this.#isQuiet) return;
    this.#failures++;
    this.#pause = Math.min(longestPause, 2 ** this.#failures);
    if (this.#failures > 2) this.#aim = Math.min(longestAim, this.#aim + missSteps * aimStep);
  }
}

function recheckPackets(packet: TimedPacket): number {
  return Math.max(1, Math.round(recheckFrames / packet.frames));
}

/** A fresh decoder on its way to the sequential one's state. */
interface Shadow {
  readonly start: number;
  /** Packet behind which to compare next. */
  nextCheck: number;
  /** Frames decoded. */
  frames: number;
  liveEqual: boolean;
}

/** Saves decoder states without a new buffer each time. */
export class StateSaver {
  #buffer = new Uint8Array(0);

  /** The state in the saver's own buffer, valid until the next call. */
  view(decoder: SegmentDecoder, sections: "live" | "all"): Uint8Array {
    const { maxStateBytes } = decoder.decoder;
    if (this.#buffer.length < maxStateBytes) this.#buffer = new Uint8Array(maxStateBytes);
    return this.#buffer.subarray(0, decoder.decoder.saveState(this.#buffer, sections));
  }

  /** A copy of the state. */
  save(decoder: SegmentDecoder, sections: "live" | "all"): Uint8Array {
    return this.view(decoder, sections).slice();
  }
}
