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

/** The journal as stored; decoder states are base64. */
export function encodeJournal(journal: ImportJournal): Uint8Array {
  const { checkpoint } = journal;
  const state = base64(checkpoint.state);
  const ahead = checkpoint.ahead && { ...checkpoint.ahead, state: base64(checkpoint.ahead.state) };
  return json({ version: 4, ...journal, checkpoint: { ...checkpoint, state, ahead } });
}

/** @throws ArchiveError `archive/metadata`, `archive/version` */
export function decodeJournal(bytes: Uint8Array, where: string): ImportJournal {
  try {
    const value = JSON.parse(new TextDecoder().decode(bytes));
    if (value.version === 4) {
      const { checkpoint } = value;
      const state = fromBase64(checkpoint.state);
      const ahead = checkpoint.ahead && { ...checkpoint.ahead, state: fromBase64(checkpoint.ahead.state) };
      return { ...value, checkpoint: { ...checkpoint, state, ahead } };
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

function base64(bytes: Uint8Array): string {
  let characters = "";
  for (const byte of bytes) characters += String.fromCharCode(byte);
  return btoa(characters);
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
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
