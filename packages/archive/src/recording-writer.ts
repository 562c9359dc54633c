import type { ObjectStore } from "@longwave/base";
import { sha256 } from "@noble/hashes/sha2.js";
import { ChunkBuilder, type ChunkBuilderOptions, type SealedChunk } from "./chunk-builder.ts";
import type { Chunk } from "./chunk-format.ts";
import { ArchiveError } from "./errors.ts";
import { encodeJournal, type ImportJournal, SkippedStart } from "./import-journal.ts";
import {
  arrayKey,
  arrayMetadata,
  blobArray,
  metaKey,
  partKey,
  recordingKey,
  recordingMetadata,
  shardKey,
  tailKey,
} from "./layout.ts";
import { combinedHash, hex, PacketHash } from "./packet-hash.ts";
import type { PacketItem } from "./packet-item.ts";
import type { RecordingInfo, SourceInfo } from "./recording-info.ts";
import { unproven } from "./seek-point.ts";
import { encodeShard, shardIndexBytes, withChecksum } from "./shard.ts";

export interface RecordingWriterOptions extends ChunkBuilderOptions {
  readonly id: string;
  readonly chunksPerShard: number;
  readonly source?: SourceInfo;
  readonly anchors?: RecordingInfo["anchors"];
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly rawMetadata?: ReadonlyMap<string, Uint8Array>;
  /** Make every chunk readable at once, and the open one every `publishFrames`; otherwise nothing is visible before `close`. */
  readonly live?: { readonly publishFrames: number };
  /** Keep a journal at every whole shard, so that an interrupted import can go on there. */
  readonly journal?: boolean;
  /** Append to this recording: what it is, the stored chunks of its last shard, and its last chunk parsed. */
  readonly append?: {
    readonly info: RecordingInfo;
    readonly shardChunks: readonly Uint8Array[];
    readonly lastChunk: Chunk | undefined;
  };
  /** Go on where a journal ends: the same items are pushed again from the first one and skipped up to there. */
  readonly resume?: ImportJournal;
}

/**
 * Writes one recording: packets in, shards and metadata out. The recording becomes visible by its `zarr.json`, which is written
 * last (live: first, and replaced as the recording grows). Killed at any moment, the store holds a whole recording or
 * none; a live one keeps what was published.
 */
export class RecordingWriter {
  readonly #store: ObjectStore;
  readonly #options: RecordingWriterOptions;
  readonly #builder: ChunkBuilder;
  /** Hashes of the segments before the current one. */
  readonly #segmentHashes: string[] = [];
  #packetHash: PacketHash | undefined;
  readonly #anchors: { sample: number; unixNs: string; continuous?: boolean }[];
  readonly #shardSha256: string[] = [];
  /** Chunks of the shard that is being filled, as stored. */
  #shard: (Uint8Array | undefined)[] = [];
  #counts = {
    packetBytes: 0,
    preRollBytes: 0,
    indexBytes: 0,
    points: 0,
    provenPoints: 0,
    checkpoints: 0,
    maxRunUp: 0,
  };
  #tailChunks = 0;
  #publishedFrames = 0;
  #closed = false;
  #writing: Promise<void> = Promise.resolve();
  #skipping: SkippedStart | undefined;

  constructor(store: ObjectStore, options: RecordingWriterOptions) {
    this.#store = store;
    this.#options = options;
    this.#builder = new ChunkBuilder(options);
    this.#anchors = [...(options.anchors ?? [])];
    if (options.append !== undefined) this.#continue(options.append);
    if (options.resume !== undefined) {
      this.#shardSha256.push(...options.resume.shardSha256);
      this.#counts = { ...options.resume.counts };
      this.#skipping = new SkippedStart(options.resume.checkpoint);
    }
  }

  #continue(append: NonNullable<RecordingWriterOptions["append"]>): void {
    const { info, shardChunks, lastChunk } = append;
    this.#anchors.push(...info.anchors);
    const { packetBytes, preRollBytes, indexBytes, points, provenPoints, checkpoints, maxRunUp } =
      info.counts;
    this.#counts = { packetBytes, preRollBytes, indexBytes, points, provenPoints, checkpoints, maxRunUp };
    this.#shard = [...shardChunks];
    this.#shardSha256.push(
      ...info.shardSha256.slice(0, info.sealedShards - (shardChunks.length > 0 ? 1 : 0)),
    );
    this.#segmentHashes.push(...info.segments.map((each) => each.packetsSha256));
    this.#publishedFrames = info.frames;
    if (shardChunks.length > 0) this.#counts.indexBytes -= shardIndexBytes(info.chunksPerShard);
    if (lastChunk === undefined) {
      this.#builder.continueAfter(info);
      return;
    }
    // The last chunk is written again; take its share out of the counts.
    const stored = this.#shard.pop()!;
    this.#builder.reopen(lastChunk, info);
    const preRoll = lastChunk.offsets[lastChunk.preRollCount]!;
    this.#counts.packetBytes -= lastChunk.packets.length - preRoll;
    this.#counts.preRollBytes -= preRoll;
    this.#counts.indexBytes -= stored.length - lastChunk.packets.length;
    this.#counts.points -= lastChunk.points.length;
    this.#counts.provenPoints -= lastChunk.points.filter((point) => point.runUpFloat !== unproven).length;
    this.#counts.checkpoints -= lastChunk.states.size;
  }

  /** Takes the chunks of an unfinished last shard out of it, so that the recording can grow while it is read. */
  async unseal(): Promise<void> {
    const append = this.#options.append;
    const first = this.#shardSha256.length * this.#options.chunksPerShard;
    for (const [i, stored] of (append?.shardChunks ?? []).entries())
      await this.#store.put(tailKey(this.id, first + i), stored);
    this.#tailChunks = append?.shardChunks.length ?? 0;
    await this.#writeMetadata("recording");
  }

  get id(): string {
    return this.#options.id;
  }

  /** Sample frames so far. */
  get frames(): number {
    return this.#builder.frames;
  }

  /** Adds an item; resolves when the store has taken what became final. Calls are carried out in order. */
  push(item: PacketItem): Promise<void> {
    this.#requireOpen();
    this.#hashItem(item);
    if (this.#skipping !== undefined) {
      if (this.#skipping.skip(item, this.#builder)) return this.#writing;
      this.#skipping = undefined;
    }
    this.#builder.push(item);
    return this.#enqueue(() => this.#drain());
  }

  /** Says at what wall-clock time the next sample was heard. `continuous` corrects drift; otherwise a gap ends here. */
  anchor(unixNs: bigint, continuous = false): void {
    this.#requireOpen();
    const sample = this.#builder.frames;
    const last = this.#anchors.at(-1);
    if (last !== undefined && (last.sample >= sample || BigInt(last.unixNs) > unixNs)) {
      if (last.sample !== sample) {
        throw new ArchiveError(
          "archive/options",
          `A time anchor at sample ${sample} must be later than the one before.`,
        );
      }
      this.#anchors.pop();
    }
    this.#anchors.push({ sample, unixNs: unixNs.toString(), ...(continuous ? { continuous } : {}) });
  }

  /** Makes everything pushed so far readable (live recordings). */
  publish(): Promise<void> {
    this.#requireOpen();
    return this.#enqueue(() => this.#publish());
  }

  /** Ends the recording and returns what it became. */
  async close(): Promise<RecordingInfo> {
    this.#requireOpen();
    this.#closed = true;
    this.#builder.finish();
    await this.#enqueue(async () => {
      await this.#drain();
      if (this.#shard.length > 0) await this.#sealShard();
      await this.#writeMetadata("complete");
      await this.#store.delete(partKey(this.id));
    });
    this.#builder.close();
    return this.info("complete");
  }

  /** Gives up: what was not published is dropped. */
  abandon(): void {
    this.#closed = true;
    this.#builder.close();
  }

  /** The recording as its metadata describes it. */
  info(state: RecordingInfo["state"]): RecordingInfo {
    const o = this.#options;
    const builder = this.#builder;
    const hashes = [
      ...this.#segmentHashes,
      ...(this.#packetHash === undefined ? [] : [this.#packetHash.digest()]),
    ];
    return {
      version: 1,
      id: o.id,
      state,
      profile: o.profile,
      channels: o.channels,
      frames: state === "complete" ? builder.frames : this.#publishedFrames,
      packets: builder.packets,
      chunkFrames: o.chunkFrames,
      chunksPerShard: o.chunksPerShard,
      pointFrames: o.pointFrames,
      segments: builder.segments.map((each, i) => ({ ...each, packetsSha256: hashes[i]! })),
      sealedShards: this.#shardSha256.length,
      shardSha256: [...this.#shardSha256],
      tailChunks: this.#tailChunks,
      counts: { ...this.#counts, ...builder.counts },
      packetsSha256: combinedHash(hashes),
      source: o.source ?? {},
      anchors: [...this.#anchors],
      metadata: o.metadata ?? {},
      rawMetadata: [...(o.rawMetadata?.keys() ?? [])],
    };
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#writing = this.#writing.then(work);
    return this.#writing;
  }

  #requireOpen(): void {
    if (this.#closed)
      throw new ArchiveError("archive/closed", `Recording ${this.id} is closed; append to it instead.`);
  }

  #hashItem(item: PacketItem): void {
    if (item.type === "segment") {
      if (this.#packetHash !== undefined) this.#segmentHashes.push(this.#packetHash.digest());
      this.#packetHash = new PacketHash();
    } else if (item.type === "loss") this.#packetHash?.loss(item.frames);
    else this.#packetHash?.packet(item.data);
  }

  async #drain(): Promise<void> {
    for (let chunk = this.#builder.take(); chunk !== undefined; chunk = this.#builder.take()) {
      this.#count(chunk);
      const stored = withChecksum(chunk.payload);
      this.#shard.push(stored);
      if (this.#options.live !== undefined) {
        await this.#store.put(tailKey(this.id, chunk.index), stored);
        this.#tailChunks = this.#shard.length;
        this.#publishedFrames = chunk.index * this.#options.chunkFrames + chunk.validFrames;
      }
      if (this.#shard.length === this.#options.chunksPerShard) await this.#sealShard();
      if (this.#options.live !== undefined && !this.#closed) await this.#writeMetadata("recording");
    }
    const live = this.#options.live;
    if (
      live !== undefined &&
      !this.#closed &&
      this.#builder.frames - this.#publishedFrames >= live.publishFrames
    ) {
      await this.#publish();
    }
  }

  async #publish(): Promise<void> {
    const open = this.#builder.snapshotOpenChunk();
    if (open === undefined) return;
    await this.#store.put(tailKey(this.id, open.index), withChecksum(open.payload));
    this.#publishedFrames = open.index * this.#options.chunkFrames + open.validFrames;
    this.#tailChunks = this.#shard.length + 1;
    await this.#writeMetadata("recording");
  }

  async #sealShard(): Promise<void> {
    const number = this.#shardSha256.length;
    const pieces = encodeShard(this.#shard, this.#options.chunksPerShard);
    const hash = sha256.create();
    let size = 0;
    for (const piece of pieces) {
      hash.update(piece);
      size += piece.length;
    }
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    const chunks = this.#shard.length;
    this.#shard = [];
    await this.#store.put(shardKey(this.id, number), bytes);
    this.#counts.indexBytes += pieces.at(-1)!.length;
    this.#shardSha256.push(hex(hash.digest()));
    this.#tailChunks = 0;
    if (this.#options.live === undefined) {
      const checkpoint = this.#builder.checkpoint;
      if (this.#options.journal !== true || this.#closed || checkpoint === undefined) return;
      const journal = encodeJournal({ shardSha256: this.#shardSha256, counts: this.#counts, checkpoint });
      await this.#store.put(partKey(this.id), journal);
      return;
    }
    await this.#writeMetadata("recording");
    for (let i = 0; i < chunks; i++)
      await this.#store.delete(tailKey(this.id, number * this.#options.chunksPerShard + i));
  }

  #count(chunk: SealedChunk): void {
    const counts = this.#counts;
    counts.packetBytes += chunk.packetBytes;
    counts.preRollBytes += chunk.preRollBytes;
    counts.indexBytes += chunk.payload.length + 4 - chunk.packetBytes - chunk.preRollBytes;
    counts.points += chunk.points;
    counts.provenPoints += chunk.provenPoints;
    counts.checkpoints += chunk.checkpoints;
    counts.maxRunUp = Math.max(counts.maxRunUp, chunk.maxRunUp);
  }

  async #writeMetadata(state: RecordingInfo["state"]): Promise<void> {
    const info = this.info(state);
    for (const [name, bytes] of this.#options.rawMetadata ?? []) {
      if (state === "recording") break;
      const { metadata, chunk } = blobArray(bytes);
      await this.#store.put(metaKey(this.id, name), chunk);
      await this.#store.put(`rec/${this.id}/meta/${name}/zarr.json`, metadata);
    }
    // While recording, the Zarr array ends with the last whole shard: its tail is not in shards yet, and other readers
    // would see zeros there.
    const sealedFrames = Math.min(info.frames, info.sealedShards * info.chunksPerShard * info.chunkFrames);
    await this.#store.put(
      arrayKey(this.id),
      arrayMetadata(info, state === "complete" ? info.frames : sealedFrames),
    );
    await this.#store.put(recordingKey(this.id), recordingMetadata(info));
  }
}
