import type { Chunk } from "./chunk-format.ts";
import { combinedHash, PacketHash } from "./packet-hash.ts";
import { packetsOf } from "./packet-source.ts";
import type { Sha256Factory } from "./sha256.ts";

/** Hashes every packet of a recording once, segment by segment, from its chunks in order; chunks overlap. */
export class SegmentHashes {
  readonly #done: string[] = [];
  readonly #sha256: Sha256Factory;
  #hash: PacketHash | undefined;
  #next = 0;
  /** False once a chunk was missing: then there is nothing to compare. */
  complete = true;

  constructor(sha256: Sha256Factory) {
    this.#sha256 = sha256;
  }

  add(chunk: Chunk): void {
    let number = chunk.firstPacket - chunk.preRollCount;
    for (const item of packetsOf(chunk)) {
      if (number++ < this.#next) continue;
      this.#next = number;
      if (item.segment !== undefined) {
        if (this.#hash !== undefined) this.#done.push(this.#hash.digest());
        this.#hash = new PacketHash(this.#sha256);
      }
      if (item.data === undefined) this.#hash?.loss(item.frames);
      else this.#hash?.packet(item.data);
    }
  }

  /** One hash a segment. */
  list(): string[] {
    return [...this.#done, ...(this.#hash === undefined ? [] : [this.#hash.digest()])];
  }

  digest(): string {
    return combinedHash(this.list());
  }
}
