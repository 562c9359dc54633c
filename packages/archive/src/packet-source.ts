import { opusPacketFrames } from "@longwave/media";
import type { Chunk } from "./chunk-format.ts";
import { ArchiveError } from "./errors.ts";
import { maxPacketFrames } from "./packet-item.ts";

/** A packet as a chunk holds it. */
export interface StoredPacket {
  /** View of the chunk; undefined = lost. A malformed packet has bytes and is concealed all the same. */
  readonly data: Uint8Array | undefined;
  readonly frames: number;
  readonly concealed: boolean;
  readonly trim: number;
  /** Set on a segment's first packet. */
  readonly segment: number | undefined;
  readonly preSkip: number;
}

const parsed = new WeakMap<Chunk, readonly StoredPacket[]>();

/** All packets of a chunk, pre-roll first; parsed once. @throws ArchiveError `archive/chunk-corrupt` */
export function packetsOf(chunk: Chunk): readonly StoredPacket[] {
  let items = parsed.get(chunk);
  if (items === undefined) {
    items = [...chunkItems(chunk)];
    parsed.set(chunk, items);
  }
  return items;
}

/** All packets of a chunk, pre-roll first. @throws ArchiveError `archive/chunk-corrupt` for a packet without a duration */
export function* chunkItems(chunk: Chunk): Generator<StoredPacket> {
  let event = 0;
  const events = [...chunk.events].sort((a, b) => a.packet - b.packet);
  for (let i = 0; i < chunk.lengths.length; i++) {
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
    const bytes = chunk.packets.subarray(chunk.offsets[i]!, chunk.offsets[i + 1]!);
    const data = bytes.length === 0 ? undefined : bytes;
    const frames = lossFrames > 0 ? lossFrames : opusPacketFrames(bytes);
    if (frames === 0 || frames > maxPacketFrames) {
      throw new ArchiveError(
        "archive/chunk-corrupt",
        `Packet ${i} of the chunk at sample ${chunk.firstSample} has no sound duration; run repair.`,
      );
    }
    yield { data, frames, concealed: lossFrames > 0, trim, segment, preSkip };
  }
}
