import { OggOpusWriter, type OpusTags, opusPacketFrames } from "@longwave/media";
import type { PacketItem } from "./packet-item.ts";
import type { RecordingInfo } from "./recording-info.ts";

/**
 * A recording as Ogg Opus, one link per segment: the original packets byte for byte. A loss cannot be written into Ogg; the
 * packets that stand for it carry no sound (the configuration of their neighbour and an empty frame), so that time is
 * kept and a decoder conceals.
 */
export async function* oggPages(
  info: RecordingInfo,
  items: AsyncIterable<PacketItem>,
  tags?: OpusTags,
): AsyncGenerator<Uint8Array> {
  const pages: Uint8Array[] = [];
  let writer: OggOpusWriter | undefined;
  let segment = -1;
  let toc = 0xf8;
  const finish = () => {
    if (writer === undefined) return;
    const end = info.segments[segment + 1]?.firstSample ?? info.frames;
    writer.finish(end - info.segments[segment]!.firstSample);
  };
  for await (const item of items) {
    if (item.type === "segment") {
      finish();
      segment++;
      // Serial numbers come from the content, so that the same recording gives the same file.
      const serial = (Number.parseInt(info.packetsSha256.slice(0, 8), 16) + segment) >>> 0;
      const sink = (bytes: Uint8Array) => void pages.push(bytes.slice());
      writer = new OggOpusWriter(sink, { head: item.head, serial, tags });
    } else if (item.type === "loss") {
      for (const packet of silentPackets(toc, item.frames)) writer?.write(packet);
    } else if (opusPacketFrames(item.data) > 0) {
      toc = item.data[0]!;
      writer?.write(item.data);
    } else {
      // Ogg cannot tell how long such a packet is.
      for (const packet of silentPackets(toc, item.frames ?? 960)) writer?.write(packet);
    }
    yield* pages;
    pages.length = 0;
  }
  finish();
  yield* pages;
}

/** Packets of one empty frame each that together last `frames`, in the channels of `toc`. */
export function* silentPackets(toc: number, frames: number): Generator<Uint8Array> {
  // CELT full band: 20, 10, 5 and 2.5 ms, so every multiple of 2.5 ms can be made.
  const sizes = [960, 480, 240, 120];
  let rest = frames;
  for (const [i, size] of sizes.entries()) {
    for (; rest >= size; rest -= size) yield Uint8Array.of(((31 - i) << 3) | (toc & 4));
  }
}
