import type { RecordingInfo } from "./recording-info.ts";
import { emptyReport, type RecordingReader } from "./recording-reader.ts";
import type { AppendStart } from "./recording-writer.ts";

/**
 * Where an append to a complete recording goes on: behind its last shard, or inside it, where its last chunk is taken up again if
 * it is not full.
 * @throws ArchiveError `archive/chunk-missing`, `archive/chunk-corrupt`
 */
export async function appendStart(info: RecordingInfo, reader: RecordingReader): Promise<AppendStart> {
  const { frames, chunkFrames, chunksPerShard, sealedShards, v2Twin } = info;
  if (frames % (chunkFrames * chunksPerShard) === 0) return { info, places: [], last: undefined };
  const stored = v2Twin === true ? [] : await reader.places(sealedShards - 1, emptyReport(info));
  const places = stored.filter((place) => place !== undefined);
  const isFull = frames % chunkFrames === 0;
  const last = isFull ? undefined : await reader.chunk(Math.floor(frames / chunkFrames), emptyReport(info));
  return { info, places, last };
}
