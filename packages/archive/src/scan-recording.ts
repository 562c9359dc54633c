import { type Chunk, chunkBytes } from "./chunk-format.ts";
import { packetConceals } from "./concealing-packet.ts";
import { packetsOf } from "./packet-source.ts";
import type { RecordingInfo } from "./recording-info.ts";
import { emptyReport, type RecordingReader } from "./recording-reader.ts";
import { SeekArray } from "./seek-array.ts";
import { unproven } from "./seek-point.ts";
import { SegmentHashes } from "./segment-hashes.ts";
import type { Sha256Factory } from "./sha256.ts";
import { shardIndexBytes } from "./shard.ts";

/** What only the chunks themselves tell for sure. */
export interface RecordingScan {
  /** One hash a segment. */
  readonly segmentSha256: readonly string[];
  readonly packetsSha256: string;
  readonly counts: RecordingInfo["counts"];
  readonly seek: SeekArray;
}

/** Reads all chunks of a recording and takes its counts and hashes anew. */
export async function scanRecording(
  reader: RecordingReader,
  chunks: number,
  sha256: Sha256Factory,
): Promise<RecordingScan> {
  const { info } = reader;
  const hashes = new SegmentHashes(sha256);
  const seek = new SeekArray();
  const counts = { packetBytes: 0, preRollBytes: 0, indexBytes: 0, points: 0, provenPoints: 0 };
  const more = { checkpoints: 0, lost: 0, malformed: 0, dtx: 0, maxRunUp: 0 };
  let next = 0;
  for (let number = 0; number < chunks; number++) {
    const chunk = await reader.chunk(number, emptyReport(info));
    hashes.add(chunk);
    seek.addStored(number, chunk, info.pointFrames);
    next = countPackets(chunk, next, more);
    const bytes = chunkBytes(chunk);
    counts.packetBytes += bytes.packetBytes;
    counts.preRollBytes += bytes.preRollBytes;
    counts.indexBytes += bytes.indexBytes;
    counts.points += chunk.points.length;
    for (const { runUpFloat } of chunk.points) {
      if (runUpFloat === unproven) continue;
      counts.provenPoints++;
      more.maxRunUp = Math.max(more.maxRunUp, runUpFloat);
    }
    more.checkpoints += chunk.states.size + chunk.differences.size + chunk.seeds.size;
  }
  counts.indexBytes += info.sealedShards * shardIndexBytes(info.chunksPerShard);
  return {
    segmentSha256: hashes.list(),
    packetsSha256: hashes.digest(),
    counts: { ...counts, ...more },
    seek,
  };
}

/** Counts irregular packets from recording packet `next` on; returns the first one behind the chunk. */
function countPackets(
  chunk: Chunk,
  next: number,
  into: { lost: number; malformed: number; dtx: number },
): number {
  const first = chunk.firstPacket - chunk.preRollCount;
  const items = packetsOf(chunk);
  for (let i = Math.max(0, next - first); i < items.length; i++) {
    const { data, concealed } = items.at(i)!;
    if (data === undefined) into.lost++;
    else if (concealed) into.malformed++;
    else if (packetConceals(data)) into.dtx++;
  }
  return Math.max(next, first + items.length);
}
