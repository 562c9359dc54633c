import { opusPacketFrames } from "@longwave/media";
import type { Chunk } from "./chunk-format.ts";
import { ArchiveError } from "./errors.ts";
import { maxPacketFrames } from "./packet-item.ts";
import type { PacketEvent } from "./seek-point.ts";

/** Losses are kept in multiples of 2.5 ms: decoders conceal no finer. */
const concealedUnit = 120;

/** A packet as a chunk holds it. */
export interface StoredPacket {
  /** View of the chunk; undefined = lost. */
  readonly data: Uint8Array | undefined;
  readonly frames: number;
  /** Lost, or malformed: a malformed packet has bytes and is concealed all the same. */
  readonly concealed: boolean;
  readonly trim: number;
  /** Set on a segment's first packet. */
  readonly segment: number | undefined;
  readonly preSkip: number;
}

/** What events tell of a packet. */
interface Irregular {
  lossFrames: number;
  trim: number;
  segment: number | undefined;
  preSkip: number;
}

const regular: Readonly<Irregular> = { lossFrames: 0, trim: 0, segment: undefined, preSkip: 0 };

/** Duration by the first byte of a packet, where no second byte is needed to know it. */
const framesByToc = Uint16Array.from({ length: 256 }, (_, toc) => opusPacketFrames(Uint8Array.of(toc)));

/**
 * All packets of a chunk, pre-roll first, and where they lie on the sample axis. Only tables are made; a packet is an object
 * when it is asked for, because a read asks for a tenth of them.
 */
export class StoredPackets implements Iterable<StoredPacket> {
  readonly length: number;
  readonly #chunk: Chunk;
  readonly #frames: Uint16Array;
  /** Of each own packet, and one more for the end: sample frames of the chunk in front of it. */
  readonly #starts: Uint32Array;
  /** Decoded frames of each own packet in front of the first one that counts. */
  readonly #skips: Uint16Array;
  readonly #irregular: ReadonlyMap<number, Irregular>;

  /** @throws ArchiveError `archive/chunk-corrupt` for a packet without duration */
  constructor(chunk: Chunk) {
    const { lengths, offsets, packets, preRollCount: own } = chunk;
    this.#chunk = chunk;
    this.length = lengths.length;
    this.#frames = new Uint16Array(lengths.length);
    this.#starts = new Uint32Array(lengths.length - own + 1);
    this.#skips = new Uint16Array(lengths.length - own);
    this.#irregular = irregularPackets(chunk.events);
    const hasEvents = this.#irregular.size > 0;
    const head = new Uint8Array(2);
    let sample = 0;
    let skipRemaining = 0;
    for (let i = 0; i < lengths.length; i++) {
      const { lossFrames, trim, segment, preSkip } = (hasEvents && this.#irregular.get(i)) || regular;
      let frames = lossFrames;
      if (frames === 0 && lengths[i]! > 0) {
        // The duration depends on two bytes at the most; a view of every packet would cost more than all the rest.
        head[0] = packets[offsets[i]!]!;
        head[1] = lengths[i]! > 1 ? packets[offsets[i]! + 1]! : 0;
        frames = (head[0] & 3) === 3 ? opusPacketFrames(head) : framesByToc[head[0]]!;
      }
      if (frames === 0 || frames > maxPacketFrames || lossFrames % concealedUnit !== 0) {
        throw new ArchiveError(
          "archive/chunk-corrupt",
          `Packet ${i} of the chunk at sample ${chunk.firstSample} has no sound duration; run repair.`,
        );
      }
      this.#frames[i] = frames;
      if (i < own) continue;
      if (i > own && segment !== undefined) skipRemaining = preSkip;
      const skip = i === own ? chunk.trimHead : Math.min(skipRemaining, frames);
      if (i > own) skipRemaining -= skip;
      this.#skips[i - own] = skip;
      sample += Math.max(0, frames - skip - trim);
      this.#starts[i - own + 1] = sample;
    }
  }

  at(index: number): StoredPacket | undefined {
    if (index < 0 || index >= this.length) return undefined;
    const { packets, offsets } = this.#chunk;
    const [start, end] = [offsets[index]!, offsets[index + 1]!];
    const { lossFrames, trim, segment, preSkip } = this.#irregular.get(index) ?? regular;
    return {
      data: start === end ? undefined : packets.subarray(start, end),
      frames: this.#frames[index]!,
      concealed: lossFrames > 0,
      trim,
      segment,
      preSkip,
    };
  }

  /** The last packet in front of one that was decoded, not concealed: its mode is what the decoder knows. */
  decodedBefore(index: number): Uint8Array | undefined {
    for (let i = index - 1; i >= 0; i--) {
      const { data, concealed } = this.at(i)!;
      if (data !== undefined && !concealed) return data;
    }
    return undefined;
  }

  *[Symbol.iterator](): Generator<StoredPacket> {
    for (let i = 0; i < this.length; i++) yield this.at(i)!;
  }

  /**
   * Sample of the recording at which one of the chunk's own packets begins to sound; that of the one behind the last is the end.
   * @param index at least the chunk's `preRollCount`
   */
  sampleAt(index: number): number {
    return this.#chunk.firstSample + this.#starts[index - this.#chunk.preRollCount]!;
  }

  /** Decoded frames of that packet that lie in front of it: the rest of a straddling packet, or the pre-skip. */
  skipAt(index: number): number {
    return this.#skips[index - this.#chunk.preRollCount]!;
  }
}

function irregularPackets(events: readonly PacketEvent[]): Map<number, Irregular> {
  const packets = new Map<number, Irregular>();
  for (const { packet, type, frames, segment } of events) {
    const each: Irregular = packets.get(packet) ?? { ...regular };
    if (type === "loss") each.lossFrames = frames;
    else if (type === "end-trim") each.trim = frames;
    else {
      each.segment = segment;
      each.preSkip = frames;
    }
    packets.set(packet, each);
  }
  return packets;
}

const parsed = new WeakMap<Chunk, StoredPackets>();

/** The packets of a chunk; parsed once. @throws ArchiveError `archive/chunk-corrupt` for one without duration */
export function packetsOf(chunk: Chunk): StoredPackets {
  let items = parsed.get(chunk);
  if (items === undefined) {
    items = new StoredPackets(chunk);
    parsed.set(chunk, items);
  }
  return items;
}
