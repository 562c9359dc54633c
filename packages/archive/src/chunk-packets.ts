import type { TimedPacket } from "./packet-item.ts";
import type { PacketEvent } from "./seek-point.ts";

/** The packets of a chunk as it lists them. */
export interface ChunkPackets {
  /** Their bytes; undefined where lost. */
  readonly list: readonly (Uint8Array | undefined)[];
  readonly events: readonly PacketEvent[];
  /** Where each begins in the packet section. */
  readonly byteOffsets: Float64Array;
  /** Bytes that the chunk before holds, of the run-ups behind them, and of the chunk's own packets. */
  readonly sharedBytes: number;
  readonly preRollBytes: number;
  readonly packetBytes: number;
}

/**
 * Lists a chunk's packets, run-ups in front, with what happens at each: a segment starts, samples are concealed or trimmed.
 * @param sharedCount packets at the start that the chunk before holds
 * @param preRollCount packets in front of the first one with samples of this chunk
 */
export function listPackets(
  packets: readonly TimedPacket[],
  sharedCount: number,
  preRollCount: number,
): ChunkPackets {
  const list: (Uint8Array | undefined)[] = [];
  const events: PacketEvent[] = [];
  const byteOffsets = new Float64Array(packets.length);
  let sharedBytes = 0;
  let preRollBytes = 0;
  let packetBytes = 0;
  for (const [packet, { data, frames, trim, concealed, preSkip, segmentStart }] of packets.entries()) {
    list.push(data);
    byteOffsets[packet] = sharedBytes + preRollBytes + packetBytes;
    const bytes = data?.length ?? 0;
    if (packet < sharedCount) sharedBytes += bytes;
    else if (packet < preRollCount) preRollBytes += bytes;
    else packetBytes += bytes;
    if (segmentStart !== undefined)
      events.push({ packet, type: "segment-start", frames: preSkip, segment: segmentStart });
    if (concealed) events.push({ packet, type: "loss", frames, segment: 0 });
    if (trim > 0) events.push({ packet, type: "end-trim", frames: trim, segment: 0 });
  }
  return { list, events, byteOffsets, sharedBytes, preRollBytes, packetBytes };
}
