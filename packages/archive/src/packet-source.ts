import { opusPacketFrames } from "@longwave/media";
import type { Chunk } from "./chunk-format.ts";
import { ArchiveError } from "./errors.ts";
import { maxPacketFrames } from "./packet-item.ts";

/** Losses are kept in multiples of 2.5 ms: decoders conceal no finer. */
const concealedUnit = 120;

/** A packet as a chunk holds it. */
export class StoredPacket {
  readonly #chunk: Chunk;
  readonly #index: number;
  readonly frames: number;
  /** Lost, or malformed: a malformed packet has bytes and is concealed all the same. */
  readonly concealed: boolean;
  readonly trim: number;
  /** Set on a segment's first packet. */
  readonly segment: number | undefined;
  readonly preSkip: number;

  constructor(
    chunk: Chunk,
    index: number,
    frames: number,
    concealed: boolean,
    trim: number,
    segment: number | undefined,
    preSkip: number,
  ) {
    this.#chunk = chunk;
    this.#index = index;
    this.frames = frames;
    this.concealed = concealed;
    this.trim = trim;
    this.segment = segment;
    this.preSkip = preSkip;
  }

  /** View of the chunk, made when it is asked for; undefined = lost. */
  get data(): Uint8Array | undefined {
    const { packets, offsets } = this.#chunk;
    const [start, end] = [offsets[this.#index]!, offsets[this.#index + 1]!];
    return start === end ? undefined : packets.subarray(start, end);
  }
}

const parsed = new WeakMap<Chunk, readonly StoredPacket[]>();

/** All packets of a chunk, pre-roll first; parsed once. @throws ArchiveError `archive/chunk-corrupt` for one without duration */
export function packetsOf(chunk: Chunk): readonly StoredPacket[] {
  let items = parsed.get(chunk);
  if (items === undefined) {
    items = parsePackets(chunk);
    parsed.set(chunk, items);
  }
  return items;
}

function parsePackets(chunk: Chunk): StoredPacket[] {
  const items: StoredPacket[] = [];
  const { lengths, offsets, packets } = chunk;
  const head = new Uint8Array(2);
  let event = 0;
  const events = [...chunk.events].sort((a, b) => a.packet - b.packet);
  for (let i = 0; i < lengths.length; i++) {
    let lossFrames = 0;
    let trim = 0;
    let preSkip = 0;
    let segment: number | undefined;
    for (; events[event]?.packet === i; event++) {
      const each = events[event]!;
      if (each.type === "loss") lossFrames = each.frames;
      else if (each.type === "end-trim") trim = each.frames;
      else {
        segment = each.segment;
        preSkip = each.frames;
      }
    }
    let frames = lossFrames;
    if (frames === 0 && lengths[i]! > 0) {
      // The duration depends on two bytes at the most; a view of every packet would cost more than all the rest.
      const at = offsets[i]!;
      head[0] = packets[at]!;
      head[1] = lengths[i]! > 1 ? packets[at + 1]! : 0;
      frames = opusPacketFrames(head);
    }
    if (frames === 0 || frames > maxPacketFrames || lossFrames % concealedUnit !== 0) {
      throw new ArchiveError(
        "archive/chunk-corrupt",
        `Packet ${i} of the chunk at sample ${chunk.firstSample} has no sound duration; run repair.`,
      );
    }
    items.push(new StoredPacket(chunk, i, frames, lossFrames > 0, trim, segment, preSkip));
  }
  return items;
}
