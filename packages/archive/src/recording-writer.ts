import type { ObjectStore } from "@longwave/base";
import { ChunkBuilder } from "./chunk-builder.ts";
import type { ChunkBuilderOptions } from "./chunk-builder-options.ts";
import { type Chunk, chunkBytes } from "./chunk-format.ts";
import { ArchiveError, asWriteFailure } from "./errors.ts";
import { encodeJournal, type ImportJournal, SkippedStart } from "./import-journal.ts";
import {
  arrayKey,
  arrayMetadata,
  blobArray,
  chunkKey,
  metaKey,
  partKey,
  recordingKey,
  recordingMetadata,
  shardKey,
  tailKey,
  v2Metadata,
} from "./layout.ts";
import type { Lease } from "./lease.ts";
import { combinedHash, PacketHash } from "./packet-hash.ts";
import type { PacketItem } from "./packet-item.ts";
import type { RecordingInfo, RecordingStart, SourceInfo } from "./recording-info.ts";
import type { SealedChunk } from "./sealed-chunk.ts";
import { SeekArray } from "./seek-array.ts";
import { unproven } from "./seek-point.ts";
import type { Sha256Factory } from "./sha256.ts";
import { type InnerChunk, shardIndexBytes } from "./shard.ts";
import { ShardWriter } from "./shard-writer.ts";
import { storeAnchors } from "./time-anchors.ts";

export interface RecordingWriterOptions extends ChunkBuilderOptions {
  readonly id: string;
  readonly chunksPerShard: number;
  readonly source?: SourceInfo;
  readonly anchors?: RecordingInfo["anchors"];
  readonly start?: RecordingStart;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly rawMetadata?: ReadonlyMap<string, Uint8Array>;
  /** Make every chunk readable at once, and the open one every `publishFrames`; otherwise nothing is visible before `close`. */
  readonly live?: { readonly publishFrames: number };
  /** Keep a journal at every whole shard, so that an interrupted import can go on there. */
  readonly journal?: boolean;
  readonly sha256: Sha256Factory;
  /** Chunks become objects of their own. */
  readonly v2Twin?: boolean;
  /** Append to this recording. */
  readonly append?: AppendStart;
  /** Held while the recording is written, and given back at its end. */
  readonly lease?: Lease;
  /** Seek points that are stored already (append, resume). */
  readonly seek?: SeekArray;
  /** Go on where a journal ends: the same items are pushed again from the first one and skipped up to there. */
  readonly resume?: ImportJournal;
}

/** Where an append goes on. */
export interface AppendStart {
  readonly info: RecordingInfo;
  /** Chunks of the last shard, where that has room left, and where they lie in it. */
  readonly places: readonly InnerChunk[];
  /** The last chunk where it is not full. */
  readonly last: Chunk | undefined;
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
  readonly #shardBytes: number[] = [];
  /** The shard that is being filled. */
  #shard: ShardWriter;
  readonly #seek: SeekArray;
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
  #sourceAmendment: SourceInfo = {};
  #metadataAmendment: Readonly<Record<string, unknown>> = {};

  constructor(store: ObjectStore, options: RecordingWriterOptions) {
    this.#store = store;
    this.#options = options;
    this.#builder = new ChunkBuilder(options);
    this.#anchors = [...(options.anchors ?? [])];
    this.#seek = options.seek ?? new SeekArray();
    if (options.append !== undefined) this.#continue(options.append);
    if (options.resume !== undefined) {
      this.#shardSha256.push(...options.resume.shardSha256);
      this.#shardBytes.push(...options.resume.shardBytes);
      this.#counts = { ...options.resume.counts };
      this.#skipping = new SkippedStart(options.resume.checkpoint);
    }
    this.#shard = this.#newShard();
  }

  #newShard(): ShardWriter {
    const key = shardKey(this.id, this.#shardSha256.length);
    return new ShardWriter(this.#store, key, this.#options.chunksPerShard, this.#options.sha256);
  }

  #continue(append: AppendStart): void {
    const { info, places, last } = append;
    this.#anchors.push(...info.anchors);
    const { packetBytes, preRollBytes, indexBytes, points, provenPoints, checkpoints, maxRunUp } =
      info.counts;
    this.#counts = { packetBytes, preRollBytes, indexBytes, points, provenPoints, checkpoints, maxRunUp };
    const kept = info.sealedShards - (places.length > 0 ? 1 : 0);
    this.#shardSha256.push(...info.shardSha256.slice(0, kept));
    this.#shardBytes.push(...info.shardBytes.slice(0, kept));
    this.#segmentHashes.push(...info.segments.map((each) => each.packetsSha256));
    this.#publishedFrames = info.frames;
    if (places.length > 0) this.#counts.indexBytes -= shardIndexBytes(info.chunksPerShard);
    if (last === undefined) {
      this.#builder.continueAfter(info);
      return;
    }
    // The last chunk is written again; take its share out of the counts.
    this.#builder.reopen(last, info);
    const bytes = chunkBytes(last);
    this.#counts.packetBytes -= bytes.packetBytes;
    this.#counts.preRollBytes -= bytes.preRollBytes;
    this.#counts.indexBytes -= bytes.indexBytes;
    this.#counts.points -= last.points.length;
    this.#counts.provenPoints -= last.points.filter((point) => point.runUpFloat !== unproven).length;
    this.#counts.checkpoints -= last.states.size + last.differences.size + last.seeds.size;
    this.#seek.dropFrom(last.firstSample / info.chunkFrames);
  }

  /**
   * Makes an append ready: takes the last shard's chunks over, and out of it where the recording shall be readable while it
   * grows.
   */
  async begin(): Promise<void> {
    const { append, live } = this.#options;
    if (append === undefined) return;
    const { info, places, last } = append;
    const shard = this.#shardSha256.length;
    if (places.length > 0) {
      const key = shardKey(this.id, shard);
      if (live !== undefined) {
        for (const [i, place] of places.entries()) {
          const stored = await this.#store.get(key, { start: place.offset, end: place.offset + place.size });
          if (stored === undefined) break;
          await this.#store.put(tailKey(this.id, shard * info.chunksPerShard + i), stored);
        }
        this.#tailChunks = places.length;
      }
      const staying = last === undefined ? places : places.slice(0, -1);
      await this.#shard.continueStored(
        staying,
        info.shardBytes[shard]! - shardIndexBytes(info.chunksPerShard),
      );
    }
    if (live !== undefined) await this.#writeMetadata("recording");
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
    return this.#builder.hasSealed || this.#isPublicationDue()
      ? this.#enqueue(() => this.#drain())
      : this.#writing;
  }

  /** Adds to what is known of the source. */
  amendSource(more: SourceInfo): void {
    this.#sourceAmendment = { ...this.#sourceAmendment, ...more };
  }

  /** Adds to what the recording says about itself; it is stored with the next publication, or at the end. */
  amendMetadata(more: Readonly<Record<string, unknown>>): void {
    this.#metadataAmendment = { ...this.#metadataAmendment, ...more };
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
      this.#counts.indexBytes += await this.#seek.finish(this.#store, this.id);
      await this.#writeMetadata("complete");
      await this.#store.delete(partKey(this.id));
      await this.#options.lease?.release();
    });
    this.#builder.close();
    return this.info("complete");
  }

  /** Gives up: what was not published is dropped. */
  abandon(): void {
    this.#closed = true;
    this.#builder.close();
    // Nobody waits for it, and the store may be the reason for giving up.
    void this.#shard.abort().catch(() => undefined);
    void this.#options.lease?.release().catch(() => undefined);
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
      version: o.overlap === true ? 2 : 1,
      id: o.id,
      state,
      profile: o.profile,
      channels: o.channels,
      frames: state === "complete" ? builder.frames : this.#publishedFrames,
      packets: builder.packets,
      chunkFrames: o.chunkFrames,
      chunksPerShard: o.chunksPerShard,
      pointFrames: o.pointFrames,
      ...(o.checkpointFrames === undefined ? {} : { checkpointFrames: o.checkpointFrames }),
      segments: builder.segments.map((each, i) => ({ ...each, packetsSha256: hashes[i]! })),
      sealedShards: this.#shardSha256.length,
      shardSha256: [...this.#shardSha256],
      shardBytes: [...this.#shardBytes],
      tailChunks: this.#tailChunks,
      ...(o.v2Twin === true ? { v2Twin: true } : {}),
      ...(o.overlap === true ? { overlap: true } : {}),
      counts: { ...this.#counts, ...builder.counts },
      packetsSha256: combinedHash(hashes),
      source: { ...o.source, ...this.#sourceAmendment },
      anchors: [...this.#anchors],
      ...(o.start === undefined ? {} : { start: o.start }),
      metadata: { ...o.metadata, ...this.#metadataAmendment },
      rawMetadata: [...(o.rawMetadata?.keys() ?? [])],
    };
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#writing = this.#writing.then(work).catch((error: unknown) => {
      throw asWriteFailure(error);
    });
    return this.#writing;
  }

  #requireOpen(): void {
    if (this.#closed)
      throw new ArchiveError("archive/closed", `Recording ${this.id} is closed; append to it instead.`);
  }

  #hashItem(item: PacketItem): void {
    if (item.type === "segment") {
      if (this.#packetHash !== undefined) this.#segmentHashes.push(this.#packetHash.digest());
      this.#packetHash = new PacketHash(this.#options.sha256);
    } else if (item.type === "loss") this.#packetHash?.loss(item.frames);
    else this.#packetHash?.packet(item.data);
  }

  async #drain(): Promise<void> {
    for (let chunk = this.#builder.take(); chunk !== undefined; chunk = this.#builder.take()) {
      this.#count(chunk);
      const { stored, borrowedBytes } = chunk;
      if (this.#options.v2Twin === true) await this.#store.put(chunkKey(this.id, chunk.index), stored);
      else await this.#shard.push(stored, borrowedBytes);
      this.#seek.add(chunk, this.#options.pointFrames);
      if (this.#options.live !== undefined) {
        await this.#store.put(tailKey(this.id, chunk.index), stored);
        this.#tailChunks = this.#shard.length;
        this.#publishedFrames = chunk.index * this.#options.chunkFrames + chunk.validFrames;
      }
      if (this.#shard.length === this.#options.chunksPerShard) await this.#sealShard();
      if (this.#options.live !== undefined && !this.#closed) await this.#writeMetadata("recording");
    }
    if (this.#isPublicationDue()) await this.#publish();
  }

  #isPublicationDue(): boolean {
    const live = this.#options.live;
    if (live === undefined || this.#closed) return false;
    return this.#builder.frames - this.#publishedFrames >= live.publishFrames;
  }

  async #publish(): Promise<void> {
    const open = this.#builder.snapshotOpenChunk();
    if (open === undefined) return;
    await this.#store.put(tailKey(this.id, open.index), open.stored);
    this.#publishedFrames = open.index * this.#options.chunkFrames + open.validFrames;
    this.#tailChunks = this.#shard.length + 1;
    await this.#writeMetadata("recording");
  }

  async #sealShard(): Promise<void> {
    const number = this.#shardSha256.length;
    const chunks = this.#shard.length;
    await this.#options.lease?.check();
    const shard = await this.#shard.seal();
    this.#counts.indexBytes += shard.indexBytes + (await this.#seek.writeFull(this.#store, this.id));
    this.#shardSha256.push(shard.sha256);
    this.#shardBytes.push(shard.bytes);
    this.#shard = this.#newShard();
    this.#tailChunks = 0;
    if (this.#options.live === undefined) {
      const checkpoint = this.#builder.checkpoint;
      if (this.#options.journal !== true || this.#closed || checkpoint === undefined) return;
      const journal = encodeJournal({
        shardSha256: this.#shardSha256,
        shardBytes: this.#shardBytes,
        counts: this.#counts,
        ...(this.#options.overlap === true ? { overlap: true } : {}),
        checkpoint,
      });
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
    counts.indexBytes += chunk.stored.length - chunk.borrowedBytes - chunk.packetBytes - chunk.preRollBytes;
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
    if (info.v2Twin === true)
      for (const [key, bytes] of v2Metadata(info, info.frames)) await this.#store.put(key, bytes);
    await this.#options.lease?.check();
    const described = await storeAnchors(this.#store, info);
    await this.#store.put(recordingKey(this.id), recordingMetadata(described));
  }
}
