import { type OpusHead, opusPacketFrames } from "@longwave/media";
import type { BuilderCheckpoint, PacketCounts, SegmentStart } from "./builder-checkpoint.ts";
import { type ChunkBuilderOptions, checkChunkForm } from "./chunk-builder-options.ts";
import { type Chunk, encodeChunk } from "./chunk-format.ts";
import { ChunkOverlaps } from "./chunk-overlaps.ts";
import { listPackets } from "./chunk-packets.ts";
import { CloseStates, type PacketsBefore } from "./close-states.ts";
import { changesMode, packetConceals } from "./concealing-packet.ts";
import { SegmentDecoder } from "./decode-run.ts";
import { ArchiveError } from "./errors.ts";
import {
  lossPieces,
  maxPacketFrames,
  type PacketItem,
  roundToGrid,
  type TimedPacket,
} from "./packet-item.ts";
import { packetsOf } from "./packet-source.ts";
import { concealmentBehind, type Draft, draftsOf } from "./point-draft.ts";
import type { RecordingInfo } from "./recording-info.ts";
import { RunUpProver, StateSaver } from "./run-up-prover.ts";
import { SampleDigest } from "./sample-digest.ts";
import type { SealedChunk } from "./sealed-chunk.ts";
import { SeedAccount } from "./seed-account.ts";
import type { SeededStart } from "./seeded-start.ts";
import { pointFlags, type SeekPoint, unproven } from "./seek-point.ts";
import { withChecksum } from "./shard.ts";
import { chooseStates } from "./stored-states.ts";

interface OpenChunk {
  readonly index: number;
  readonly first: Draft;
  readonly drafts: Draft[];
  /** Undefined in a chunk that was taken up again: what follows starts with a reset. */
  readonly checkpoint: BuilderCheckpoint | undefined;
}

/** Foreign readers get at least 80 ms of run-up even where a chunk starts from a state (RFC 7845 section 4.6). */
const courtesyPreRollFrames = 3840;
/** Seeds are never closer than this unless told. */
const nearestSeedFrames = 48_000;
/**
 * A search that is on its way reaches back 96 units of 20 ms, and in front of these 72 with the packets of its seed (`RunUpProver`); a chunk's
 * pre-roll and what a resumed import goes on with need no more.
 */
const historyFrames = (98 + 72) * 960 + maxPacketFrames;

/**
 * Turns a sequence of packets into chunks with proven seek points: one sequential decode, and beside it the search for
 * run-ups. Synchronous and pure: the same items give the same bytes. Push items, then take what is sealed.
 */
export class ChunkBuilder {
  readonly #options: ChunkBuilderOptions;
  readonly #decoder: SegmentDecoder;
  readonly #prover: RunUpProver;
  readonly #saver = new StateSaver();
  readonly #closeStates: CloseStates;
  readonly #seeds = new SeedAccount();
  /** Over the samples behind the last seek point. */
  readonly #digest: SampleDigest;
  readonly #overlaps: ChunkOverlaps | undefined;
  readonly #sealed: SealedChunk[] = [];
  readonly #segments: SegmentStart[] = [];
  readonly #counts: PacketCounts = { lost: 0, malformed: 0, dtx: 0 };
  /** Packets from `#oldest` on. */
  #packets: TimedPacket[] = [];
  #oldest = 0;
  #nextPacket = 0;
  #axis = 0;
  #skipRemaining = 0;
  #segmentStartPacket = 0;
  #pendingSegment: OpusHead | undefined;
  #head: OpusHead | undefined;
  #lastFrames = 960;
  /** The last packet that was decoded. */
  #lastData: Uint8Array | undefined;
  #chunk: OpenChunk | undefined;

  constructor(options: ChunkBuilderOptions) {
    checkChunkForm(options);
    this.#options = options;
    this.#decoder = new SegmentDecoder(options.decoder, options.profile, options.channels);
    this.#prover = new RunUpProver(options.decoder, options.profile, options.channels, options.pointFrames);
    this.#digest = new SampleDigest(options.channels);
    this.#closeStates = new CloseStates(options, this.#prover);
    if (options.overlap === true) this.#overlaps = new ChunkOverlaps(options.chunksPerShard);
  }

  /** Sample frames so far. */
  get frames(): number {
    return this.#axis;
  }

  get packets(): number {
    return this.#nextPacket;
  }

  get segments(): readonly SegmentStart[] {
    return this.#segments;
  }

  get counts(): Readonly<PacketCounts> {
    return this.#counts;
  }

  /** State at the start of the chunk that is open now, to resume from. */
  get checkpoint(): BuilderCheckpoint | undefined {
    return this.#chunk?.checkpoint;
  }

  /**
   * Adds one item.
   * @throws ArchiveError `archive/append-mismatch` for a segment with other channels, `archive/multistream`
   */
  push(item: PacketItem): void {
    if (item.type === "segment") {
      this.#startSegment(item.head);
      return;
    }
    if (this.#head === undefined)
      throw new ArchiveError("archive/options", "A recording starts with a segment.");
    if (item.type === "loss") {
      for (const piece of lossPieces(item.frames)) this.#add(undefined, piece, 0, true);
      return;
    }
    const frames = opusPacketFrames(item.data);
    const malformed = frames === 0;
    const declared = roundToGrid(item.frames ?? this.#lastFrames);
    this.#add(item.data, malformed ? declared : frames, item.trimEnd ?? 0, malformed);
  }

  /** Ends the recording: seals the last chunk. */
  finish(): void {
    const chunk = this.#chunk;
    if (chunk === undefined) return;
    this.#endInterval();
    this.#seal(chunk, this.#nextPacket - 1, this.#axis, true);
    this.#chunk = undefined;
  }

  /** The open chunk as it is now, without closing it; undefined where nothing is in it. */
  snapshotOpenChunk(): SealedChunk | undefined {
    const chunk = this.#chunk;
    if (chunk === undefined || this.#axis <= chunk.first.sample) return undefined;
    this.#endInterval();
    return this.#encode(chunk, this.#nextPacket - 1, this.#axis, true);
  }

  /** Whether a finished chunk waits to be taken. */
  get hasSealed(): boolean {
    return this.#sealed.length > 0;
  }

  /** The oldest chunk that is finished and not yet taken. */
  take(): SealedChunk | undefined {
    return this.#sealed.shift();
  }

  /**
   * Continues at a checkpoint as if nothing had happened in between.
   * @param bytes the packets of `checkpoint.history`, undefined where lost
   * @param head of the segment in force in front of the checkpoint
   */
  resume(checkpoint: BuilderCheckpoint, bytes: readonly (Uint8Array | undefined)[], head: OpusHead): void {
    const history = checkpoint.history.map((packet, i): TimedPacket => ({ ...packet, data: bytes[i] }));
    this.#segments.push(...checkpoint.segments);
    Object.assign(this.#counts, checkpoint.counts);
    this.#packets = history;
    this.#oldest = checkpoint.packet - history.length;
    this.#nextPacket = checkpoint.packet;
    this.#axis = checkpoint.axis;
    this.#skipRemaining = checkpoint.skipRemaining;
    this.#segmentStartPacket = checkpoint.segmentStartPacket;
    this.#head = head;
    this.#lastFrames = history.at(-1)?.frames ?? 960;
    this.#lastData = history.findLast((packet) => !packet.concealed)?.data;
    this.#seeds.bytes = checkpoint.seedBytes;
    this.#decoder.start(head);
    this.#decoder.decoder.loadState(checkpoint.state);
    this.#closeStates.resume(checkpoint.ahead);
    this.#prover.importState(
      checkpoint.prover,
      checkpoint.packet,
      head,
      (at) => this.#packets[at - this.#oldest]!,
    );
  }

  /**
   * Takes a recording's last chunk up again, to append a segment. Its points stay as they were proven: the segment begins
   * with a reset, so nothing that follows depends on what the decoder knew.
   */
  reopen(chunk: Chunk, info: Pick<RecordingInfo, "frames" | "packets" | "segments" | "counts">): void {
    const items = packetsOf(chunk);
    this.#oldest = chunk.firstPacket - chunk.preRollCount;
    this.#packets = Array.from(items, (item) => ({
      data: item.data?.slice(),
      frames: item.frames,
      skip: 0,
      trim: item.trim,
      concealed: item.concealed,
      preSkip: item.preSkip,
      usesConcealment: item.concealed || item.data === undefined || packetConceals(item.data),
      segmentStart: item.segment,
    }));
    this.#nextPacket = info.packets;
    this.#axis = info.frames;
    this.#segments.push(...info.segments);
    this.#counts.lost = info.counts.lost;
    this.#counts.malformed = info.counts.malformed;
    this.#counts.dtx = info.counts.dtx;
    this.#lastFrames = items.at(-1)?.frames ?? 960;
    const drafts = draftsOf(chunk, this.#options.pointFrames);
    this.#digest.begin(drafts.at(-1)!.digest);
    this.#chunk = {
      index: chunk.firstSample / this.#options.chunkFrames,
      first: drafts[0]!,
      drafts,
      checkpoint: undefined,
    };
  }

  /** Goes on behind a recording whose last chunk is full; a segment must follow. */
  continueAfter(info: Pick<RecordingInfo, "frames" | "packets" | "segments" | "counts">): void {
    this.#oldest = info.packets;
    this.#nextPacket = info.packets;
    this.#axis = info.frames;
    this.#segments.push(...info.segments);
    this.#counts.lost = info.counts.lost;
    this.#counts.malformed = info.counts.malformed;
    this.#counts.dtx = info.counts.dtx;
  }

  close(): void {
    this.#decoder.close();
    this.#prover.close();
    this.#closeStates.close();
  }

  #startSegment(head: OpusHead): void {
    if (head.family !== 0) {
      throw new ArchiveError(
        "archive/multistream",
        `Channel mapping family ${head.family} is not supported; only 0 is.`,
      );
    }
    if (head.channels !== this.#options.channels) {
      throw new ArchiveError(
        "archive/append-mismatch",
        `A segment with ${head.channels} channels cannot follow in a recording of ${this.#options.channels}.`,
      );
    }
    this.#pendingSegment = head;
    this.#head = head;
  }

  #add(data: Uint8Array | undefined, frames: number, trimEnd: number, concealed: boolean): void {
    const index = this.#nextPacket;
    const head = this.#head!;
    const starts = this.#pendingSegment !== undefined;
    if (starts) {
      this.#pendingSegment = undefined;
      this.#skipRemaining = head.preSkip;
      this.#segmentStartPacket = index;
      this.#segments.push({
        firstPacket: index,
        firstSample: this.#axis,
        preSkip: head.preSkip,
        gainQ8: head.gainQ8,
        inputSampleRate: head.inputSampleRate,
      });
      this.#prover.startSegment(index);
      this.#decoder.start(head);
    }
    const skipBefore = this.#skipRemaining;
    const skip = Math.min(skipBefore, frames);
    const trim = Math.min(trimEnd, frames - skip);
    const keptStart = this.#axis;
    const keptEnd = keptStart + frames - skip - trim;
    const { pointFrames, chunkFrames } = this.#options;
    const sample = Math.ceil(keptStart / pointFrames) * pointFrames;
    const draft =
      sample < keptEnd
        ? this.#draftPoint(index, sample, sample - keptStart + skip, starts, skipBefore)
        : undefined;
    this.#prover.before(
      {
        index,
        head,
        toPoint: sample - keptStart,
        toChunk: chunkFrames - (keptStart % chunkFrames),
        oldest: Math.max(this.#oldest, this.#segmentStartPacket),
        packetAt: this.#packetAt,
        sequential: this.#decoder,
      },
      frames,
      concealed ? undefined : data,
    );
    this.#closeStates.before(keptEnd, frames, this.#decoder, this.#lastStateSample(draft));

    const refused = this.#decoder.decode(data, frames, concealed);
    this.#closeStates.after(this.#decoder);
    if (data === undefined) this.#counts.lost++;
    else if (concealed || refused) this.#counts.malformed++;
    const dtx = data !== undefined && !concealed && !refused && packetConceals(data);
    const fades = !starts && data !== undefined && changesMode(this.#lastData, data);
    if (data !== undefined && !concealed && !refused) this.#lastData = data;
    if (dtx) this.#counts.dtx++;
    const packet: TimedPacket = {
      data,
      frames,
      skip,
      trim,
      concealed: concealed || refused,
      usesConcealment: concealed || refused || dtx || fades,
      segmentStart: starts ? this.#segments.length - 1 : undefined,
      preSkip: starts ? head.preSkip : 0,
    };
    this.#packets.push(packet);
    this.#seeds.earn(data?.length ?? 0);
    this.#nextPacket++;
    this.#skipRemaining = skipBefore - skip;
    this.#axis = keptEnd;
    this.#lastFrames = frames;
    this.#prover.after(index, packet, this.#decoder);

    const pcm = this.#decoder.pcm;
    const border = draft === undefined ? skip + keptEnd - keptStart : draft.cut;
    this.#digest.add(pcm, skip, border);
    if (draft === undefined) return;
    this.#endInterval();
    this.#digest.begin();
    this.#digest.add(pcm, border, frames - trim);
    if (sample % chunkFrames !== 0) {
      this.#chunk?.drafts.push(draft);
      return;
    }
    const open = this.#chunk;
    const straddles = sample > keptStart;
    if (open !== undefined) this.#seal(open, straddles ? index : index - 1, sample, false);
    this.#chunk = this.#nextChunk!;
    this.#chunk.drafts.push(draft);
    this.#dropHistory(index);
  }

  /** Gives the last seek point the digest of what has followed it so far. */
  #endInterval(): void {
    const last = this.#chunk?.drafts.at(-1);
    if (last !== undefined) last.digest = this.#digest.value();
  }

  /** Set by `#draftPoint` when the point starts a chunk. */
  #nextChunk: OpenChunk | undefined;

  /** Looks for a run-up to packet `index`; the sequential decoder stands right before it. */
  #draftPoint(index: number, sample: number, cut: number, segmentStart: boolean, skipBefore: number): Draft {
    const startsChunk = sample % this.#options.chunkFrames === 0;
    if (startsChunk) this.#closeStates.beginChunk();
    const proverBefore = startsChunk ? this.#prover.exportState() : [];
    const seedBytes = this.#seeds.bytes;
    const framesBetween = (start: number, end: number) => {
      let frames = 0;
      for (let i = start; i < end; i++) frames += this.#packetAt(i).frames;
      return frames;
    };
    const proven = this.#prover.startFor(index, this.#oldest, framesBetween);
    const isUnsure = proven === undefined || (!proven.wholeStateEqual && this.#prover.expectsConcealment);
    const seed = isUnsure ? this.#seedFor(index, sample, framesBetween) : undefined;
    const mayNeedState = isUnsure && seed === undefined;
    const needsState =
      startsChunk || (mayNeedState && this.#closeStates.isFar(sample, this.#lastStateSample()));
    const states = needsState
      ? { live: this.#saver.save(this.#decoder, "live"), all: this.#saver.save(this.#decoder, "all") }
      : undefined;
    const ahead = this.#closeStates.ahead;
    const difference =
      states !== undefined && mayNeedState && !segmentStart
        ? this.#closeStates.differenceAt(sample, states, this.#packetsBefore(index), this.#decoder)
        : undefined;
    if (startsChunk && mayNeedState) this.#seeds.spendOnState(states!.all, difference);
    const draft: Draft = {
      sample,
      packet: index,
      cut,
      states,
      difference,
      seed,
      start: proven?.start,
      wholeStateEqual: proven?.wholeStateEqual ?? false,
      segmentStart,
      digest: 0,
    };
    if (startsChunk) {
      this.#nextChunk = {
        index: sample / this.#options.chunkFrames,
        first: draft,
        drafts: [],
        checkpoint: {
          chunk: sample / this.#options.chunkFrames,
          packet: index,
          axis: this.#axis,
          skipRemaining: skipBefore,
          state: states!.all,
          ahead,
          prover: proverBefore,
          seedBytes,
          counts: { ...this.#counts },
          segments: segmentStart ? this.#segments.slice(0, -1) : [...this.#segments],
          segmentStartPacket: this.#segmentStartPacket,
          history: this.#packets
            .slice(this.#packets.length - this.#historyCount(index))
            .map(({ data: _, ...rest }) => rest),
        },
      };
    }
    return draft;
  }

  readonly #packetAt = (index: number): TimedPacket => this.#packets[index - this.#oldest]!;

  /** A seed for the point, where there is one and the index has room for it. */
  #seedFor(
    index: number,
    sample: number,
    framesBetween: (start: number, end: number) => number,
  ): SeededStart | undefined {
    const seed = this.#prover.seededStartFor(index, this.#oldest, framesBetween);
    if (seed === undefined) return undefined;
    const last = this.#chunk?.drafts.findLast((draft) => draft.seed !== undefined)?.sample;
    const isFirst = sample % this.#options.chunkFrames === 0;
    const told = this.#options.checkpointFrames;
    const isFar = isFirst || last === undefined || sample - last >= (told ?? nearestSeedFrames);
    return isFar && this.#seeds.spend(seed, isFirst || told !== undefined) ? seed : undefined;
  }

  /** Sample of the open chunk's last point whose state was kept; `draft` may be the newest one, not yet in it. */
  #lastStateSample(draft?: Draft): number | undefined {
    if (draft?.states !== undefined) return draft.sample;
    return this.#chunk?.drafts.findLast((each) => each.states !== undefined)?.sample;
  }

  #packetsBefore(index: number): PacketsBefore {
    return {
      head: this.#head!,
      segment: this.#packets.slice(Math.max(0, this.#segmentStartPacket - this.#oldest)),
      recent: this.#packets.slice(-this.#historyCount(index)),
    };
  }

  #seal(chunk: OpenChunk, lastPacket: number, endSample: number, last: boolean): void {
    const sealed = this.#encode(chunk, lastPacket, endSample, last);
    this.#overlaps?.sealed(chunk.index, sealed.firstListed, lastPacket, sealed.stored);
    this.#sealed.push(sealed);
  }

  #encode(chunk: OpenChunk, lastPacket: number, endSample: number, last: boolean): SealedChunk {
    const firstPacket = chunk.first.packet;
    const at = (index: number) => this.#packets[index - this.#oldest]!;
    const conceals = concealmentBehind(
      this.#packets.slice(firstPacket - this.#oldest, lastPacket + 1 - this.#oldest),
    );
    const concealsAfter = (packet: number) => conceals[packet - firstPacket] === 1;
    const isExact = (draft: Draft) =>
      draft.start !== undefined && (draft.wholeStateEqual || !concealsAfter(draft.packet));
    const startExact = isExact(chunk.first);
    let preRollStart = firstPacket;
    for (const draft of chunk.drafts) {
      if (isExact(draft) && draft.start !== undefined) preRollStart = Math.min(preRollStart, draft.start);
    }
    if (!startExact) preRollStart = Math.min(preRollStart, this.#courtesyStart(firstPacket));
    for (const draft of chunk.drafts) {
      const runUp = (isExact(draft) ? undefined : draft.seed?.runUp) ?? draft.difference?.runUp ?? 0;
      preRollStart = Math.min(preRollStart, draft.packet - runUp);
    }
    if (preRollStart < this.#oldest)
      throw new Error(`Packet ${preRollStart} of a run-up is not kept any more.`);

    const overlap = this.#overlaps?.of(chunk.index, preRollStart);
    const { list, events, byteOffsets, sharedBytes, preRollBytes, packetBytes } = listPackets(
      this.#packets.slice(preRollStart - this.#oldest, lastPacket + 1 - this.#oldest),
      overlap?.sharedCount ?? 0,
      firstPacket - preRollStart,
    );
    const candidates = chunk.drafts.map((draft) => {
      const states = concealsAfter(draft.packet) ? draft.states?.all : draft.states?.live;
      const serves = draft.difference?.whole === true || !concealsAfter(draft.packet);
      const difference = serves ? draft.difference : undefined;
      return { sample: draft.sample, exact: isExact(draft), state: states, difference, seed: draft.seed };
    });
    const { states, differences, seeds } = chooseStates(candidates, {
      every: this.#options.checkpointFrames,
      chunkFrames: endSample - chunk.first.sample,
      packetBytes,
    });
    let maxRunUp = 0;
    let provenPoints = 0;
    const points = chunk.drafts.map((draft, i): SeekPoint => {
      const exact = isExact(draft);
      const next = chunk.drafts[i + 1]?.packet ?? lastPacket;
      let flags = 0;
      if (exact) flags |= pointFlags.provenForEver;
      if (exact && draft.wholeStateEqual) flags |= pointFlags.wholeStateEqual;
      if (draft.segmentStart) flags |= pointFlags.segmentStart;
      for (let p = draft.packet; p <= next; p++)
        if (at(p).usesConcealment) flags |= pointFlags.concealmentInside;
      if (states.has(i) || differences.has(i) || seeds.has(i)) flags |= pointFlags.stateStored;
      const runUp = exact ? draft.packet - draft.start! : unproven;
      if (exact) {
        provenPoints++;
        maxRunUp = Math.max(maxRunUp, runUp);
      }
      return {
        packet: draft.packet - firstPacket,
        runUpFloat: runUp,
        runUpInt16: runUp,
        flags,
        byteOffset: byteOffsets[draft.packet - preRollStart]!,
        digest: draft.digest,
      };
    });
    const parts = {
      channels: this.#options.channels,
      profile: this.#options.profile,
      startsFromState: !startExact,
      startProvenFloat: startExact,
      preRollApproximate: !startExact,
      last,
      preRollCount: firstPacket - preRollStart,
      firstPacket,
      firstSample: chunk.first.sample,
      trimHead: chunk.first.cut,
      validFrames: endSample - chunk.first.sample,
      packetList: list,
      points,
      events,
      states,
      differences,
      seeds,
    };
    return {
      index: chunk.index,
      stored: withChecksum(encodeChunk(parts, overlap)),
      borrowedBytes: sharedBytes + (overlap?.between.length ?? 0),
      validFrames: endSample - chunk.first.sample,
      firstPacket,
      firstListed: preRollStart,
      firstSample: chunk.first.sample,
      seekPoints: points,
      packetBytes,
      preRollBytes,
      points: points.length,
      provenPoints,
      checkpoints: states.size + differences.size + seeds.size,
      maxRunUp,
    };
  }

  #courtesyStart(firstPacket: number): number {
    let start = firstPacket;
    for (let frames = 0; frames < courtesyPreRollFrames && start > this.#oldest; start--) {
      frames += this.#packets[start - 1 - this.#oldest]!.frames;
      if (this.#packets[start - 1 - this.#oldest]!.segmentStart !== undefined) return start - 1;
    }
    return start;
  }

  /** Keeps what run-ups of the chunk that starts at `index` and of later ones may need. */
  #dropHistory(index: number): void {
    const keep = index - this.#historyCount(index);
    this.#packets = this.#packets.slice(keep - this.#oldest);
    this.#oldest = keep;
  }

  /** How many packets in front of `index` are worth keeping. */
  #historyCount(index: number): number {
    let keep = index;
    for (let frames = 0; keep > this.#oldest && frames < historyFrames; ) {
      keep--;
      frames += this.#packets[keep - this.#oldest]!.frames;
    }
    return index - keep;
  }
}
