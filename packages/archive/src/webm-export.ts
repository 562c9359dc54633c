import { opusPacketFrames, WebmOpusWriter } from "@longwave/media";
import { ArchiveError } from "./errors.ts";
import type { PacketItem } from "./packet-item.ts";
import type { RecordingInfo } from "./recording-info.ts";

/**
 * A recording as WebM: the original packets byte for byte. What was lost, and packets without a duration, show as gaps of the time
 * stamps.
 * @throws ArchiveError `archive/no-export` for a recording of several segments: WebM knows no chains
 */
export async function* webmPieces(
  info: RecordingInfo,
  items: AsyncIterable<PacketItem>,
): AsyncGenerator<Uint8Array> {
  if (info.segments.length > 1) {
    throw new ArchiveError(
      "archive/no-export",
      `Recording ${info.id} has ${info.segments.length} segments, and WebM holds one; export it as ogg.`,
    );
  }
  const pieces: Uint8Array[] = [];
  let writer: WebmOpusWriter | undefined;
  for await (const item of items) {
    if (item.type === "segment")
      writer = new WebmOpusWriter((bytes) => void pieces.push(bytes), item.head, info.frames);
    else if (item.type === "loss") writer?.gap(item.frames);
    else if (opusPacketFrames(item.data) === 0) writer?.gap(item.frames ?? 960);
    else writer?.write(item.data, item.trimEnd);
    yield* pieces;
    pieces.length = 0;
  }
  writer?.finish();
  yield* pieces;
}
