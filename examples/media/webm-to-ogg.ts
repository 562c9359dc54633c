// Puts the Opus packets of a browser's recording (WebM) into an Ogg Opus file, without decoding them, and says what is missing.
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { OggOpusWriter, openOpusFile } from "@longwave/media";

/** Returns the sample frames at 48 kHz that the copy holds. */
export async function webmToOgg(input: string, output: string): Promise<number> {
  const reader = await openOpusFile(createReadStream(input));
  const pages: Uint8Array[] = [];
  const writer = new OggOpusWriter((page) => pages.push(page.slice()), {
    head: reader.links[0]!.head,
    serial: 1,
  });
  let frames = 0;
  for await (const packet of reader.packets()) {
    if (packet.discontinuity) console.warn(`${packet.gapBefore} frames are missing at ${frames}`);
    frames += packet.frames - packet.skipStart - packet.trimEnd;
    writer.write(packet.data);
  }
  writer.finish(frames);
  const file = await open(output, "w");
  await file.writeFile(Buffer.concat(pages));
  await file.close();
  return frames;
}
