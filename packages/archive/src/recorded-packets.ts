import { opusPacketFrames } from "@longwave/media";
import type { Chunk } from "./chunk-format.ts";
import type { PacketItem } from "./packet-item.ts";
import { packetsOf } from "./packet-source.ts";
import type { RecordingInfo } from "./recording-info.ts";
import { SegmentTable } from "./segment-table.ts";

/** The packets of a recording as they were recorded, each once, though chunks hold those of their run-ups again. */
export async function* recordedPackets(
  info: RecordingInfo,
  chunkAt: (number: number) => Promise<Chunk>,
): AsyncGenerator<PacketItem> {
  const segments = new SegmentTable(info.segments, info.channels);
  let next = 0;
  for (let number = 0; number * info.chunkFrames < info.frames; number++) {
    const chunk = await chunkAt(number);
    let at = chunk.firstPacket - chunk.preRollCount;
    for (const item of packetsOf(chunk)) {
      if (at++ < next) continue;
      next = at;
      if (item.segment !== undefined) yield { type: "segment", head: segments.head(item.segment) };
      if (item.data === undefined) yield { type: "loss", frames: item.frames };
      else {
        const { data, trim, frames } = item;
        // A packet that tells no duration needs the one that it was given.
        const told = opusPacketFrames(data) === 0 ? { frames } : {};
        yield { type: "packet", data, ...told, ...(trim > 0 ? { trimEnd: trim } : {}) };
      }
    }
  }
}
