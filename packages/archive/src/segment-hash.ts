import type { ObjectStore } from "@longwave/base";
import { ArchiveError } from "./errors.ts";
import { PacketHash } from "./packet-hash.ts";
import { chunkItems } from "./packet-source.ts";
import type { RecordingInfo } from "./recording-info.ts";
import { emptyReport, RecordingReader } from "./recording-reader.ts";
import type { Sha256Factory } from "./sha256.ts";

/**
 * The hash of a recording's last segment, from the packets as they are stored. A writer that was killed between storing a chunk and
 * storing the metadata leaves a hash of fewer packets than there are.
 * @throws ArchiveError `archive/chunk-missing`, `archive/chunk-corrupt`
 */
export async function lastSegmentHash(
  store: ObjectStore,
  info: RecordingInfo,
  sha256: Sha256Factory,
): Promise<string> {
  const segment = info.segments.at(-1)!;
  const reader = new RecordingReader(store, info, () => {
    throw new ArchiveError("archive/closed", "Packets are only copied here.");
  });
  const hash = new PacketHash(sha256);
  let next = segment.firstPacket;
  const firstChunk = Math.floor(segment.firstSample / info.chunkFrames);
  for (let number = firstChunk; number * info.chunkFrames < info.frames; number++) {
    const chunk = await reader.chunk(number, emptyReport(info));
    let packet = chunk.firstPacket - chunk.preRollCount;
    for (const item of chunkItems(chunk)) {
      if (packet++ !== next) continue;
      next++;
      if (item.data === undefined) hash.loss(item.frames);
      else hash.packet(item.data);
    }
  }
  return hash.digest();
}
