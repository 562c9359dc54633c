import { sha256 } from "@noble/hashes/sha2.js";
import { lossPieces } from "./packet-item.ts";

/**
 * SHA-256 over a list of packets: per packet its length (u32, little-endian) and bytes; per piece of a loss 2^32 - 1 and its frames. Two
 * recordings with equal hashes hold the same sound, whatever file it came in.
 */
export class PacketHash {
  #hash = sha256.create();
  readonly #prefix = new Uint8Array(8);
  readonly #view = new DataView(this.#prefix.buffer);

  packet(data: Uint8Array): void {
    this.#view.setUint32(0, data.length, true);
    this.#hash.update(this.#prefix.subarray(0, 4));
    this.#hash.update(data);
  }

  loss(frames: number): void {
    for (const piece of lossPieces(frames)) {
      this.#view.setUint32(0, 0xffff_ffff, true);
      this.#view.setUint32(4, piece, true);
      this.#hash.update(this.#prefix);
    }
  }

  /** The hash so far, hexadecimal; more may follow. */
  digest(): string {
    return hex(this.#hash.clone().digest());
  }
}

/** Hash of a recording from those of its segments: the only one's own, or the hash of all of them in order. */
export function combinedHash(segmentHashes: readonly string[]): string {
  if (segmentHashes.length === 1) return segmentHashes[0]!;
  return hex(sha256(new TextEncoder().encode(segmentHashes.join("\n"))));
}

export function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}
