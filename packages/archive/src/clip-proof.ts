import type { Chunk } from "./chunk-format.ts";
import { changesMode, packetConceals } from "./concealing-packet.ts";
import { ArchiveError } from "./errors.ts";
import type { StoredPacket } from "./packet-source.ts";
import { pointFlags, unproven } from "./seek-point.ts";

/** OpusHead tells the pre-skip in 16 bits (RFC 7845 section 5.1). */
const longestPreSkip = 65_535;

/**
 * Decides whether a clip can be exact as packets alone: a proven run-up that the pre-skip can hide, no stored state, nothing
 * lost, no concealment that the run-up was not proven for.
 */
export class ClipProof {
  readonly #id: string;
  readonly #pointFrames: number;
  #isWhole = false;
  #before: Uint8Array | undefined;

  constructor(id: string, pointFrames: number) {
    this.#id = id;
    this.#pointFrames = pointFrames;
  }

  /**
   * Chooses the run-up to sample `start` of the chunk.
   * @returns the packet of the chunk at which it begins
   * @throws ArchiveError `archive/no-export` where none is proven
   */
  begin(chunk: Chunk, start: number): number {
    let number = Math.floor((start - chunk.firstSample) / this.#pointFrames);
    for (number = Math.min(number, chunk.points.length - 1); number >= 0; number--) {
      const point = chunk.points[number]!;
      if (point.runUpFloat === unproven) continue;
      this.#isWhole = (point.flags & pointFlags.wholeStateEqual) !== 0;
      const first = chunk.preRollCount + point.packet - point.runUpFloat;
      if (first < 0) break;
      return first;
    }
    throw this.#refusal("needs a stored decoder state");
  }

  /** Called for every packet that sounds; with the first one comes its run-up. */
  packet(item: StoredPacket, runUp: readonly { readonly data: Uint8Array | undefined }[] | undefined): void {
    // Concealment in a run-up is part of its proof; a loss cannot be written down.
    for (const { data } of runUp ?? []) this.#before = this.#present(data);
    const data = this.#present(item.concealed ? undefined : item.data);
    const conceals = packetConceals(data) || changesMode(this.#before, data);
    this.#before = data;
    if (conceals && !this.#isWhole)
      throw this.#refusal("has pauses or changes of mode that depend on earlier sound");
  }

  /** A segment begins with the packet that follows: what was before does not matter any more. */
  segment(): void {
    this.#isWhole = true;
    this.#before = undefined;
  }

  /** @throws ArchiveError `archive/no-export` */
  checkPreSkip(frames: number): void {
    if (frames > longestPreSkip)
      throw this.#refusal(`needs ${frames} frames in front of it, and Ogg can hide ${longestPreSkip}`);
  }

  #present(data: Uint8Array | undefined): Uint8Array {
    if (data === undefined) throw this.#refusal("has lost packets");
    return data;
  }

  #refusal(reason: string): ArchiveError {
    return new ArchiveError(
      "archive/no-export",
      `This part of ${this.#id} cannot be exact as packets alone: it ${reason}. Extract it as WAV.`,
    );
  }
}
