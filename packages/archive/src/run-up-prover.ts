import type { DecoderFactory, OpusHead } from "@longwave/media";
import { isSilk, packetConceals, startsInactive } from "./concealing-packet.ts";
import { SegmentDecoder } from "./decode-run.ts";
import type { TimedPacket } from "./packet-item.ts";
import { followSeed, inactiveFramesKept, isGathered, type SeededStart } from "./seeded-start.ts";

/** A run-up that leads to the sequential decoder's state. */
export interface ProvenStart {
  /** Packet (counted in the recording) at which a fresh decoder starts. */
  readonly start: number;
  /** The states were equal before this packet. */
  readonly provenAt: number;
  /** What only concealment uses was equal too. */
  readonly wholeStateEqual: boolean;
  /** What the fresh decoder was given on its way. */
  readonly seed: Seed | undefined;
}

/** See SeededStart. */
type Seed = Pick<SeededStart, "gathered" | "lasting">;

/** Where the sequential decoder stands before a packet. */
export interface ProverPosition {
  readonly index: number;
  readonly head: OpusHead;
  /** Sample frames from here to the next seek point, and to the next chunk. */
  readonly toPoint: number;
  readonly toChunk: number;
  /** Packet at which the segment begins, or from which on packets are kept. */
  readonly oldest: number;
  readonly packetAt: (index: number) => TimedPacket;
  readonly sequential: SegmentDecoder;
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
/** Encoders send one packet in 400 ms of a pause; one that comes so long before a point, or up to that much more, is the last that will do. */
const pauseAim = 3 * unitFrames;
const pauseFrames = 22 * unitFrames;
/** A seed serves points so long behind it. */
const longestSeededWay = 48 * unitFrames;
/** How far back inactive packets are gathered; with the way behind the seed that is what a chunk's history holds. */
const longestGathering = 72 * unitFrames;
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
  /** The packet before used concealment. */
  #concealed = false;

  constructor(create: DecoderFactory, profile: string, channels: number, pointFrames: number) {
    this.#decoder = new SegmentDecoder(create, profile, channels);
    this.#pointFrames = pointFrames;
  }

  /** A segment starts with packet `index`: a fresh decoder does there what the sequential one does. */
  startSegment(index: number): void {
    this.#shadow = undefined;
    this.#starts = [{ start: index, provenAt: index, wholeStateEqual: true, seed: undefined }];
    this.#concealed = false;
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
    // A fresh decoder has nothing to conceal with.
    if (data === undefined || packetConceals(data)) return;
    if (this.#concealed && this.#inactivePackets === 1 && this.#budget >= quietBudget) {
      if (position.toPoint < pauseAim || position.toPoint > pauseAim + pauseFrames) return;
      this.#start(position, packetFrames);
      this.#isQuiet = true;
      return;
    }
    // The first one still has voice behind it, which its decoder smoothes over; from the second on every shadow arrives.
    if (this.#inactivePackets === 2 && this.#budget >= quietBudget) {
      this.#start(position, packetFrames);
      this.#isQuiet = true;
      return;
    }
    const toChunk = position.toChunk - this.#aim - chunkMargin;
    if (toChunk >= 0 && toChunk < packetFrames) {
      if (this.#budget > 0) this.#start(position, packetFrames);
      return;
    }
    const toPoint = position.toPoint - this.#aim;
    const phase = toPoint - Math.floor(toPoint / this.#pointFrames) * this.#pointFrames;
    if (phase >= packetFrames) return;
    if (this.#pause > 0) this.#pause--;
    else if (this.#budget >= 2 * this.#aim) this.#start(position, packetFrames);
  }

  /** Called behind every packet: the shadow follows and is compared with `sequential`. */
  after(index: number, packet: TimedPacket, sequential: SegmentDecoder): void {
    this.#budget = Math.min(this.#budget + shadowShare * packet.frames, largestBudget);
    this.#concealed = packet.usesConcealment;
    if (packet.usesConcealment) {
      this.#recentConcealment = 500;
      if (this.#starts.some((each) => !each.wholeStateEqual))
        this.#starts = this.#starts.filter((each) => each.wholeStateEqual);
    } else if (this.#recentConcealment > 0) this.#recentConcealment--;
    const shadow = this.#shadow;
    if (shadow === undefined) return;
    // In SILK comparing states is cheaper than making samples to compare.
    const isSilent = isSilk(packet.data);
    this.#decoder.decode(packet.data, packet.frames, packet.concealed, !isSilent);
    shadow.frames += packet.frames;
    this.#budget -= packet.frames;
    if (packet.usesConcealment) shadow.liveEqual = false;
    const samples = packet.frames * sequential.decoder.channels;
    if (index >= shadow.nextCheck && (isSilent || this.#samplesEqual(samples, sequential)))
      this.#compare(shadow, index, packet, sequential);
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
      if (each.provenAt > index || each.seed !== undefined) continue;
      if (each.start < oldestKept || framesBetween(each.start, index) > longestRunUp) return undefined;
      return each;
    }
    return undefined;
  }

  /** The latest proven start to packet `index` that takes a seed, no longer than 48 units behind it. */
  seededStartFor(
    index: number,
    oldestKept: number,
    framesBetween: (start: number, end: number) => number,
  ): SeededStart | undefined {
    const latest = this.#starts.findLast((each) => each.seed !== undefined && each.provenAt <= index);
    if (latest?.seed === undefined || latest.start < oldestKept) return undefined;
    const { gathered, lasting } = latest.seed;
    if (framesBetween(latest.start + gathered, index) > longestSeededWay) return undefined;
    return { runUp: index - latest.start, gathered, lasting };
  }

  /** What the search has learnt; with it, a resumed import continues as if it had not been interrupted. */
  exportState(): number[] {
    const shadow = this.#shadow;
    const running =
      shadow === undefined
        ? [-1, 0, 0, 0, -1]
        : [
            shadow.start,
            shadow.nextCheck,
            shadow.frames,
            shadow.liveEqual ? 1 : 0,
            ...seedNumbers(shadow.seed),
          ];
    const own = [this.#aim, this.#failures, this.#pause, this.#budget, this.#recentConcealment];
    const quiet = [this.#isQuiet ? 1 : 0, this.#inactivePackets, this.#concealed ? 1 : 0];
    const starts = this.#starts.flatMap(({ start, provenAt, wholeStateEqual, seed }) => [
      start,
      provenAt,
      wholeStateEqual ? 1 : 0,
      ...seedNumbers(seed),
    ]);
    return [...own, ...quiet, ...running, ...starts];
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
    let at = 0;
    const next = (otherwise = 0) => state[at++] ?? otherwise;
    const nextSeed = (): Seed | undefined => {
      const gathered = next(-1);
      if (gathered < 0) return undefined;
      return { gathered, lasting: Uint8Array.from({ length: next() }, () => next()) };
    };
    this.#aim = Math.min(longestAim, Math.max(shortestAim, next(firstAim)));
    this.#failures = next();
    this.#pause = next();
    this.#budget = next();
    this.#recentConcealment = next();
    this.#isQuiet = next() === 1;
    this.#inactivePackets = next();
    this.#concealed = next() === 1;
    const [start, nextCheck, frames, liveEqual] = [next(-1), next(), next(), next() === 1];
    const seed = nextSeed();
    this.#starts = [];
    while (at < state.length) {
      this.#starts.push({ start: next(), provenAt: next(), wholeStateEqual: next() === 1, seed: nextSeed() });
    }
    this.#shadow = undefined;
    if (start < 0) return;
    this.#shadow = { start, nextCheck, frames, liveEqual, seed };
    this.#decoder.start(head);
    if (seed === undefined) for (let i = start; i < index; i++) this.#follow(packetAt(i));
    else this.#followSeed({ ...seed, runUp: index - start }, (i) => packetAt(start + i));
  }

  close(): void {
    this.#decoder.close();
  }

  #start(position: ProverPosition, packetFrames: number): void {
    this.#decoder.start(position.head);
    const { index } = position;
    const seed = this.#recentConcealment > 0 ? this.#seedAt(position, packetFrames) : undefined;
    const start = index - (seed?.gathered ?? 0);
    this.#shadow = { start, nextCheck: index + 1, frames: 0, liveEqual: false, seed };
    this.#isQuiet = false;
  }

  /** Brings the shadow's decoder behind a gathered run-up and gives it what the sequential one has of what lasts. */
  #seedAt({ index, oldest, packetAt, sequential }: ProverPosition, packetFrames: number): Seed | undefined {
    let wanted = inactiveFramesKept - Math.min(1, this.#inactivePackets);
    let frames = 0;
    let start = index;
    for (let i = index - 1; i >= oldest && wanted > 0; i--) {
      const packet = packetAt(i);
      frames += packet.frames;
      if (frames > longestGathering) break;
      if (!isGathered(packet)) continue;
      start = i;
      wanted--;
    }
    // Too few of them: then the noise is stored instead.
    if (wanted > 0) start = index;
    const lasting = this.#saver.lasting(sequential, wanted > 0);
    if (lasting === undefined) return undefined;
    if (wanted === 0) this.#budget -= inactiveFramesKept * packetFrames;
    const seed = { gathered: index - start, lasting };
    return this.#followSeed({ ...seed, runUp: seed.gathered }, (i) => packetAt(start + i)) ? seed : undefined;
  }

  #followSeed(seed: SeededStart, packetAt: (index: number) => TimedPacket): boolean {
    return followSeed(this.#decoder, seed, packetAt, (packet) => this.#follow(packet));
  }

  #follow({ data, frames, concealed }: TimedPacket): void {
    this.#decoder.decode(data, frames, concealed, false);
  }

  #compare(shadow: Shadow, index: number, packet: TimedPacket, sequential: SegmentDecoder): void {
    if (shadow.seed !== undefined) {
      this.#compareWhole(shadow, index, packet, sequential);
      return;
    }
    const [mine, theirs] = this.#digests;
    this.#decoder.decoder.liveStateDigest(mine);
    sequential.decoder.liveStateDigest(theirs);
    if (mine.some((word, i) => word !== theirs[i])) {
      shadow.nextCheck = index + recheckPackets(packet);
      return;
    }
    const wholeStateEqual = this.#wholeStatesEqual(sequential);
    if (!shadow.liveEqual || wholeStateEqual)
      this.#keep({ start: shadow.start, provenAt: index + 1, wholeStateEqual, seed: undefined });
    if (!shadow.liveEqual) this.#arrive(shadow);
    shadow.liveEqual = true;
    shadow.nextCheck = index + recheckPackets(packet);
    if (wholeStateEqual || this.#recentConcealment === 0) this.#shadow = undefined;
  }

  /** A seeded shadow is there when the whole state is equal. */
  #compareWhole(shadow: Shadow, index: number, packet: TimedPacket, sequential: SegmentDecoder): void {
    if (!this.#wholeStatesEqual(sequential)) {
      shadow.nextCheck = index + recheckPackets(packet);
      return;
    }
    this.#keep({ start: shadow.start, provenAt: index + 1, wholeStateEqual: true, seed: shadow.seed });
    this.#arrive(shadow);
    this.#shadow = undefined;
  }

  /** Adapts the moment to set out. */
  #arrive(shadow: Shadow): void {
    if (this.#isQuiet) return;
    const late = shadow.frames > this.#aim;
    this.#aim = late
      ? Math.min(longestAim, this.#aim + missSteps * aimStep)
      : Math.max(shortestAim, this.#aim - aimStep);
    this.#failures = 0;
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
  readonly seed: Seed | undefined;
}

/** For the checkpoint: packets gathered, bytes and the bytes; -1 = no seed. */
function seedNumbers(seed: Seed | undefined): number[] {
  return seed === undefined ? [-1] : [seed.gathered, seed.lasting.length, ...seed.lasting];
}

/** Saves decoder states without a new buffer each time. */
export class StateSaver {
  #buffer = new Uint8Array(0);

  /** The state in the saver's own buffer, valid until the next call. */
  view(decoder: SegmentDecoder, sections: "live" | "all", version?: number): Uint8Array {
    const { maxStateBytes } = decoder.decoder;
    if (this.#buffer.length < maxStateBytes) this.#buffer = new Uint8Array(maxStateBytes);
    return this.#buffer.subarray(0, decoder.decoder.saveState(this.#buffer, sections, version));
  }

  /** A copy of what no run-up brings back; undefined where there is nothing of the kind, or the decoder does not tell. */
  lasting(decoder: SegmentDecoder, withNoise: boolean): Uint8Array | undefined {
    const { maxStateBytes, saveLasting } = decoder.decoder;
    if (saveLasting === undefined) return undefined;
    if (this.#buffer.length < maxStateBytes) this.#buffer = new Uint8Array(maxStateBytes);
    const bytes = saveLasting.call(decoder.decoder, this.#buffer, withNoise);
    return bytes === 0 ? undefined : this.#buffer.slice(0, bytes);
  }

  /** A copy of the state. */
  save(decoder: SegmentDecoder, sections: "live" | "all", version?: number): Uint8Array {
    return this.view(decoder, sections, version).slice();
  }
}
