import type { OpusHead } from "@longwave/media";
import type { BuilderCheckpoint } from "./builder-checkpoint.ts";
import type { ChunkBuilder } from "./chunk-builder.ts";
import { ArchiveError } from "./errors.ts";
import { json } from "./layout.ts";
import { lossPieces, type PacketItem } from "./packet-item.ts";
import type { RecordingInfo } from "./recording-info.ts";

/** How far an import has come: everything up to a whole shard is in the store. */
export interface ImportJournal {
  readonly shardSha256: readonly string[];
  readonly shardBytes: readonly number[];
  readonly counts: Omit<RecordingInfo["counts"], "lost" | "malformed" | "dtx">;
  /** Its chunks overlap; a resume goes on like that. */
  readonly overlap?: boolean;
  readonly checkpoint: BuilderCheckpoint;
}

/** The journal as stored; the decoder state is base64. */
export function encodeJournal(journal: ImportJournal): Uint8Array {
  let state = "";
  for (const byte of journal.checkpoint.state) state += String.fromCharCode(byte);
  return json({ version: 3, ...journal, checkpoint: { ...journal.checkpoint, state: btoa(state) } });
}

/** @throws ArchiveError `archive/metadata`, `archive/version` */
export function decodeJournal(bytes: Uint8Array, where: string): ImportJournal {
  try {
    const value = JSON.parse(new TextDecoder().decode(bytes));
    if (value.version === 3) {
      const state = Uint8Array.from(atob(value.checkpoint.state), (character) => character.charCodeAt(0));
      return { ...value, checkpoint: { ...value.checkpoint, state } };
    }
  } catch (cause) {
    throw new ArchiveError(
      "archive/metadata",
      `${where} is damaged; run repair to remove it and import again.`,
      { cause },
    );
  }
  throw new ArchiveError(
    "archive/version",
    `${where} was written by another version; run repair and import again.`,
  );
}

/** Swallows the items that an interrupted import already had, and keeps what the rest needs of them. */
export class SkippedStart {
  readonly #checkpoint: BuilderCheckpoint;
  readonly #recent: (Uint8Array | undefined)[] = [];
  #packets = 0;
  #head: OpusHead | undefined;
  /** A segment item waits for its first packet. */
  #pending: PacketItem | undefined;

  constructor(checkpoint: BuilderCheckpoint) {
    this.#checkpoint = checkpoint;
  }

  /** True while the item belongs to the part that is done; with the first other one the builder is made ready. */
  skip(item: PacketItem, builder: ChunkBuilder): boolean {
    if (item.type === "segment") {
      this.#pending = item;
      return true;
    }
    if (this.#packets >= this.#checkpoint.packet) {
      const before = this.#head ?? (this.#pending?.type === "segment" ? this.#pending.head : undefined);
      if (before === undefined || this.#packets > this.#checkpoint.packet) {
        throw new ArchiveError(
          "archive/metadata",
          "The source is not the one whose import was interrupted; import it anew.",
        );
      }
      builder.resume(this.#checkpoint, this.#recent, before);
      if (this.#pending !== undefined) builder.push(this.#pending);
      return false;
    }
    if (this.#pending?.type === "segment") this.#head = this.#pending.head;
    this.#pending = undefined;
    // A long loss counts as several packets, as the builder counts it.
    const count = item.type === "loss" ? [...lossPieces(item.frames)].length : 1;
    for (let i = 0; i < count; i++) {
      this.#recent.push(item.type === "packet" ? item.data : undefined);
      if (this.#recent.length > this.#checkpoint.history.length) this.#recent.shift();
    }
    this.#packets += count;
    return true;
  }
}
