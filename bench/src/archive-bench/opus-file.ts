import { closeSync, openSync, writeSync } from "node:fs";
import { OggOpusWriter, type OpusHead } from "@longwave/media";
import type { StreamItem } from "@longwave/testkit/opus-streams";

/**
 * Writes packets as an Ogg Opus file, over and over until it is `frames` long; granule positions run on. Where the packets
 * begin again the sound jumps, which to a decoder is like any other change of the signal.
 */
export function writeOpusFile(path: string, items: readonly StreamItem[], frames: number): void {
  const first = items[0]!;
  if (first.type !== "segment") throw new Error("The stream begins without a head.");
  const head: OpusHead = first.head;
  const file = openSync(path, "w");
  const pieces: Buffer[] = [];
  let size = 0;
  const flush = () => {
    if (size > 0) writeSync(file, Buffer.concat(pieces));
    pieces.length = 0;
    size = 0;
  };
  const sink = (bytes: Uint8Array) => {
    pieces.push(Buffer.from(bytes));
    size += bytes.length;
    if (size > 1 << 22) flush();
  };
  const writer = new OggOpusWriter(sink, { head, serial: 1 });
  for (let done = false; !done; ) {
    for (const item of items) {
      if (item.type === "packet") writer.write(item.data);
      done = writer.granule >= frames + head.preSkip;
      if (done) break;
    }
  }
  writer.finish(frames);
  flush();
  closeSync(file);
}
