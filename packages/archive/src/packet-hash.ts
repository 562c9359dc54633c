import { sha256 } from "@noble/hashes/sha2.js";
import { lossPieces } from "./packet-item.ts";
import { hex, portableSha256, type Sha256, type Sha256Factory } from "./sha256.ts";

const blockBytes = 1 << 14;

/**
 * SHA-256 over a list of packets: per packet its length (u32, little-endian) and bytes; per piece of a loss 2^32 - 1 and its frames. Two
 * recordings with equal hashes hold the same sound, whatever file it came in.
 */
export class PacketHash {
  readonly #hash: Sha256;
  /** Packets are gathered: a call of the platform's hash costs more than a small packet. */
  readonly #block = new Uint8Array(blockBytes);
  readonly #view = new DataView(this.#block.buffer);
  #length = 0;

  constructor(create: Sha256Factory = portableSha256) {
    this.#hash = create();
  }

  packet(data: Uint8Array): void {
    this.#reserve(4 + data.length);
    this.#view.setUint32(this.#length, data.length, true);
    this.#length += 4;
    if (4 + data.length > blockBytes) {
      this.#flush();
      this.#hash.update(data);
      return;
    }
    this.#block.set(data, this.#length);
    this.#length += data.length;
  }

  loss(frames: number): void {
    for (const piece of lossPieces(frames)) {
      this.#reserve(8);
      this.#view.setUint32(this.#length, 0xffff_ffff, true);
      this.#view.setUint32(this.#length + 4, piece, true);
      this.#length += 8;
    }
  }

  /** The hash so far, hexadecimal; more may follow. */
  digest(): string {
    this.#flush();
    return this.#hash.digest();
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes > blockBytes) this.#flush();
  }

  #flush(): void {
    if (this.#length > 0) this.#hash.update(this.#block.subarray(0, this.#length));
    this.#length = 0;
  }
}

/** Hash of a recording from those of its segments: the only one's own, or the hash of all of them in order. */
export function combinedHash(segmentHashes: readonly string[]): string {
  if (segmentHashes.length === 1) return segmentHashes[0]!;
  return hex(sha256(new TextEncoder().encode(segmentHashes.join("\n"))));
}
