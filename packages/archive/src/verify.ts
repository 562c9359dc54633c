import { isLongwaveError, type ObjectStore } from "@longwave/base";
import type { DecoderFactory } from "@longwave/media";
import type { Chunk } from "./chunk-format.ts";
import { changesMode, packetConceals } from "./concealing-packet.ts";
import { SegmentDecoder } from "./decode-run.ts";
import { ArchiveError } from "./errors.ts";
import { shardKey } from "./layout.ts";
import { readOriginal } from "./original.ts";
import { packetsOf, type StoredPacket, type StoredPackets } from "./packet-source.ts";
import type { RecordingInfo } from "./recording-info.ts";
import { emptyReport, RecordingReader } from "./recording-reader.ts";
import { StateSaver } from "./run-up-prover.ts";
import { SampleDigest } from "./sample-digest.ts";
import { followSeed, type SeededStart } from "./seeded-start.ts";
import { isSeekArrayStored, SeekArray } from "./seek-array.ts";
import { pointFlags, unproven } from "./seek-point.ts";
import { SegmentHashes } from "./segment-hashes.ts";
import { SegmentTable } from "./segment-table.ts";
import { portableSha256, type Sha256Factory } from "./sha256.ts";
import { followDifference, type StateDifference } from "./state-difference.ts";

/** How much to check: metadata and presence; every hash as well; every sample and proof as well. */
export type VerifyLevel = "structure" | "hashes" | "decode";

/** Something that does not hold. */
export interface VerifyFinding {
  readonly code: string;
  readonly chunk: number | undefined;
  readonly point: number | undefined;
  readonly message: string;
}

export interface VerifyReport {
  readonly id: string;
  readonly level: VerifyLevel;
  readonly findings: readonly VerifyFinding[];
  readonly chunks: number;
  readonly points: number;
}

/**
 * Checks one recording. `decode` runs the sequential decoder over the whole recording, compares every interval's digest, and
 * tries every seek point: its run-up or stored state must lead to the sequential decoder's state.
 */
export async function verifyRecording(
  store: ObjectStore,
  info: RecordingInfo,
  create: DecoderFactory,
  level: VerifyLevel,
  signal?: AbortSignal,
  sha256: Sha256Factory = portableSha256,
): Promise<VerifyReport> {
  const findings: VerifyFinding[] = [];
  const add = (error: unknown, chunk?: number, point?: number) => {
    if (!isLongwaveError(error)) throw error;
    findings.push({ code: error.code, chunk, point, message: error.message });
  };
  const chunks = Math.ceil(info.frames / info.chunkFrames);
  let points = 0;
  if (level !== "structure") {
    await verifyShards(store, info, add, sha256, signal);
    await verifyOriginal(store, info, add, sha256, signal);
  }
  const reader = new RecordingReader(store, info, create);
  const sequential = level === "decode" ? new SequentialCheck(info, create, add) : undefined;
  try {
    const hashes = new SegmentHashes(sha256);
    const seek = new SeekArray();
    for (let number = 0; number < chunks; number++) {
      signal?.throwIfAborted();
      let chunk: Chunk;
      try {
        chunk = await reader.chunk(number, emptyReport(info), signal);
      } catch (error) {
        add(error, number);
        sequential?.lose();
        hashes.complete = false;
        continue;
      }
      points += chunk.points.length;
      seek.addStored(number, chunk, info.pointFrames);
      const expected = Math.min(info.chunkFrames, info.frames - number * info.chunkFrames);
      if (chunk.validFrames !== expected) {
        add(
          new ArchiveError(
            "archive/chunk-corrupt",
            `Chunk ${number} holds ${chunk.validFrames} frames, not ${expected}.`,
          ),
          number,
        );
      }
      try {
        hashes.add(chunk);
        sequential?.chunk(number, chunk);
      } catch (error) {
        // Its hash holds, its tables do not: a packet without duration, a segment that nobody knows.
        add(error, number);
        sequential?.lose();
        hashes.complete = false;
      }
    }
    if (level !== "structure" && hashes.complete && hashes.digest() !== info.packetsSha256) {
      add(
        new ArchiveError(
          "archive/chunk-corrupt",
          `The packets of ${info.id} are not the ones that were recorded.`,
        ),
      );
    }
    // The array is written when the recording is finished; with a chunk lost there is nothing to compare it with.
    const isComparable = info.state === "complete" && hashes.complete;
    if (isComparable && !(await isSeekArrayStored(store, info.id, seek))) {
      add(
        new ArchiveError(
          "archive/metadata",
          `The seek array of ${info.id} is not what its chunks tell; no read depends on it. Run repair --reprove.`,
        ),
      );
    }
  } finally {
    reader.close();
    sequential?.close();
  }
  return { id: info.id, level, findings, chunks, points };
}

async function verifyOriginal(
  store: ObjectStore,
  info: RecordingInfo,
  add: (error: unknown) => void,
  sha256: Sha256Factory,
  signal?: AbortSignal,
): Promise<void> {
  const { original } = info.source;
  if (original === undefined) return;
  try {
    for await (const _ of readOriginal(store, info.id, original, sha256, signal));
  } catch (error) {
    add(error);
  }
}

async function verifyShards(
  store: ObjectStore,
  info: RecordingInfo,
  add: (error: unknown, chunk?: number) => void,
  sha256: Sha256Factory,
  signal?: AbortSignal,
): Promise<void> {
  for (let shard = 0; shard < info.sealedShards; shard++) {
    const key = shardKey(info.id, shard);
    const first = shard * info.chunksPerShard;
    const found = await hashObject(store, key, info.shardBytes[shard]!, sha256, signal);
    if (found === undefined)
      add(new ArchiveError("archive/chunk-missing", `${key} is missing; restore it from a copy.`), first);
    else if (found !== info.shardSha256[shard]) {
      add(
        new ArchiveError(
          "archive/chunk-corrupt",
          `${key} is damaged (its SHA-256 differs); restore it from a copy.`,
        ),
        first,
      );
    }
  }
}

/** Read at once when a shard is hashed. */
const hashedBytes = 1 << 22;

/** SHA-256 of an object, piece by piece; one byte more than expected is asked for, so that a longer one differs too. */
async function hashObject(
  store: ObjectStore,
  key: string,
  bytes: number,
  sha256: Sha256Factory,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const hash = sha256();
  for (let at = 0; at <= bytes; at += hashedBytes) {
    const piece = await store.get(key, { start: at, end: Math.min(bytes + 1, at + hashedBytes) }, signal);
    if (piece === undefined) return undefined;
    hash.update(piece);
  }
  return hash.digest();
}

/** A decoder's state, both ways of saving it. */
type States = Readonly<Record<"live" | "all", Uint8Array>>;

/** The sequential decode beside which every claim of the index is judged. */
class SequentialCheck {
  readonly #info: RecordingInfo;
  readonly #add: (error: unknown, chunk?: number, point?: number) => void;
  readonly #segments: SegmentTable;
  readonly #sequential: SegmentDecoder;
  readonly #trial: SegmentDecoder;
  readonly #saver = new StateSaver();
  #nextPacket = 0;
  #broken = false;
  /** The state in front of the last chunk's last packet, which may straddle the border and start the next chunk. */
  #beforeLast: { readonly packet: number; readonly states: States } | undefined;
  /** Of the interval so far. */
  readonly #digest: SampleDigest;

  constructor(
    info: RecordingInfo,
    create: DecoderFactory,
    add: (error: unknown, chunk?: number, point?: number) => void,
  ) {
    this.#info = info;
    this.#add = add;
    this.#segments = new SegmentTable(info.segments, info.channels);
    this.#sequential = new SegmentDecoder(create, info.profile, info.channels);
    this.#trial = new SegmentDecoder(create, info.profile, info.channels);
    this.#digest = new SampleDigest(info.channels);
  }

  /** A chunk could not be read: from here on there is nothing to compare with. */
  lose(): void {
    this.#broken = true;
  }

  chunk(number: number, chunk: Chunk): void {
    if (this.#broken) return;
    const items = packetsOf(chunk);
    const own = chunk.preRollCount;
    const pointAt = new Map(chunk.points.map((point, i) => [own + point.packet, i]));
    const { pointFrames } = this.#info;
    const end = chunk.firstSample + chunk.validFrames;
    for (let i = own; i < items.length; i++) {
      const item = items.at(i)!;
      const inRecording = chunk.firstPacket - own + i;
      const point = pointAt.get(i);
      const decodesNow = inRecording >= this.#nextPacket;
      if (decodesNow) {
        // Packets of the pre-roll that no chunk owned (inside a pre-skip) come first.
        while (this.#nextPacket < inRecording)
          this.#decode(items.at(own + this.#nextPacket - chunk.firstPacket));
        if (i === items.length - 1 && this.#nextPacket > 0)
          this.#beforeLast = { packet: inRecording, states: this.#states() };
      }
      const states = this.#beforeLast?.packet === inRecording ? this.#beforeLast.states : undefined;
      if (point !== undefined && item.segment === undefined && (decodesNow || states !== undefined)) {
        this.#checkPoint(number, point, chunk, items, states ?? this.#states());
      }
      if (decodesNow) this.#decode(item);
      const keptEnd = Math.min(end, items.sampleAt(i + 1));
      this.#digestRange(number, chunk, items.sampleAt(i), keptEnd, items.skipAt(i), pointFrames, end);
    }
  }

  #decode(item: StoredPacket | undefined): void {
    this.#nextPacket++;
    if (item === undefined) return;
    if (item.segment !== undefined) this.#sequential.start(this.#segments.head(item.segment));
    this.#sequential.decode(item.data, item.frames, item.concealed);
  }

  #states(): States {
    return {
      live: this.#saver.save(this.#sequential, "live"),
      all: this.#saver.save(this.#sequential, "all"),
    };
  }

  #digestRange(
    number: number,
    chunk: Chunk,
    from: number,
    to: number,
    skip: number,
    pointFrames: number,
    end: number,
  ): void {
    const pcm = this.#sequential.pcm;
    for (let at = from; at < to; ) {
      const stop = Math.min(to, (Math.floor(at / pointFrames) + 1) * pointFrames);
      const base = skip - from;
      this.#digest.add(pcm, base + at, base + stop);
      if (stop % pointFrames === 0 || stop === end) {
        const point = Math.floor((stop - 1 - chunk.firstSample) / pointFrames);
        if (chunk.points[point]?.digest !== this.#digest.value()) {
          this.#fail(number, point, "the decoded samples differ from the ones that were proven");
        }
        this.#digest.begin();
      }
      at = stop;
    }
  }

  #checkPoint(number: number, index: number, chunk: Chunk, items: StoredPackets, wantedStates: States): void {
    const point = chunk.points[index]!;
    const target = chunk.preRollCount + point.packet;
    const segment = this.#segments.at(chunk.firstPacket + point.packet);
    const difference = chunk.differences.get(index);
    const seed = chunk.seeds.get(index);
    const sections =
      seed !== undefined || difference?.whole === true || chunkHasConcealment(items, target) ? "all" : "live";
    if ((point.flags & pointFlags.stateStored) !== 0 && seed !== undefined) {
      if (!this.#seededRunUp(number, index, chunk, items, target, seed)) return;
    } else if ((point.flags & pointFlags.stateStored) !== 0 && difference !== undefined) {
      if (!this.#differenceRunUp(number, index, chunk, items, target, difference)) return;
    } else if ((point.flags & pointFlags.stateStored) !== 0) {
      const state = chunk.states.get(index);
      if (state === undefined) {
        this.#fail(number, index, "its state is missing");
        return;
      }
      this.#trial.start(this.#segments.head(segment));
      try {
        this.#trial.decoder.loadState(state);
      } catch (error) {
        if (!isLongwaveError(error)) throw error;
        this.#fail(number, index, `its state is refused (${error.message})`);
        return;
      }
    } else if (point.runUpFloat === unproven) {
      return;
    } else {
      if (!this.#runUp(number, index, chunk, items, target, point.runUpFloat)) return;
    }
    const found = this.#saver.save(this.#trial, sections);
    const wanted = wantedStates[sections];
    if (found.length !== wanted.length || found.some((byte, i) => byte !== wanted[i])) {
      this.#fail(number, index, "decoding from it does not lead to the sequential decoder's state");
    }
  }

  /** Decodes the `count` packets in front of `target` with a fresh decoder; false where there are not so many. */
  #runUp(
    number: number,
    index: number,
    chunk: Chunk,
    items: StoredPackets,
    target: number,
    count: number,
  ): boolean {
    const first = target - count;
    if (!this.#startTrial(number, index, chunk, first)) return false;
    for (let i = first; i < target; i++) this.#try(items.at(i)!);
    return true;
  }

  /** The same along a seeded start. */
  #seededRunUp(
    number: number,
    index: number,
    chunk: Chunk,
    items: StoredPackets,
    target: number,
    seed: SeededStart,
  ): boolean {
    const first = target - seed.runUp;
    if (!this.#startTrial(number, index, chunk, first)) return false;
    const follows = followSeed(
      this.#trial,
      seed,
      (i) => items.at(first + i)!,
      (item) => this.#try(item),
    );
    if (!follows) this.#fail(number, index, "its seed is refused");
    return follows;
  }

  /** The same along the run-up of a difference. */
  #differenceRunUp(
    number: number,
    index: number,
    chunk: Chunk,
    items: StoredPackets,
    target: number,
    difference: StateDifference,
  ): boolean {
    const first = target - difference.runUp;
    if (!this.#startTrial(number, index, chunk, first)) return false;
    const follows = followDifference(
      this.#trial,
      difference,
      (i) => items.at(first + i)!,
      (item) => this.#try(item),
    );
    if (!follows) this.#fail(number, index, "its state is refused");
    return follows;
  }

  #startTrial(number: number, index: number, chunk: Chunk, first: number): boolean {
    if (first < 0) {
      this.#fail(number, index, "its run-up starts before the chunk");
      return false;
    }
    this.#trial.start(this.#segments.head(this.#segments.at(chunk.firstPacket - chunk.preRollCount + first)));
    return true;
  }

  #try(item: StoredPacket): void {
    if (item.segment !== undefined) this.#trial.start(this.#segments.head(item.segment));
    this.#trial.decode(item.data, item.frames, item.concealed, false);
  }

  #fail(chunk: number, point: number, reason: string): void {
    const message = `Seek point ${point} of chunk ${chunk}: ${reason}. Run repair --reprove.`;
    this.#add(new ArchiveError("archive/proof-failed", message), chunk, point);
  }

  close(): void {
    this.#sequential.close();
    this.#trial.close();
  }
}

/** Whether concealment runs behind `from`, before a reset makes it irrelevant. */
function chunkHasConcealment(items: StoredPackets, from: number): boolean {
  let before = items.decodedBefore(from);
  for (let i = from; i < items.length; i++) {
    const { data, concealed, segment } = items.at(i)!;
    if (i > from && segment !== undefined) return false;
    if (concealed || data === undefined || packetConceals(data) || changesMode(before, data)) return true;
    before = data;
  }
  return false;
}
