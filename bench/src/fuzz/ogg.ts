// npm run fuzz -- ogg 60s | --count 1000000: mutated Ogg Opus files through the demuxer.
import { MediaError, OggOpusDemuxer, OggOpusWriter, plainOpusHead } from "@longwave/media";
import { runFuzz } from "../fuzz-run.ts";

const seeds = [
  file([40, 40, 40, 40, 40, 40], 5000, 60),
  file([1, 3, 255, 510, 1275, 20], undefined, 20),
  file([70_000, 10, 10], undefined, 1000),
];
seeds.push(new Uint8Array([...seeds[0]!, ...seeds[1]!]));

runFuzz(
  "ogg",
  {
    seeds,
    parse(bytes, round) {
      let held = 0;
      const demuxer = new OggOpusDemuxer({
        link: ({ tags }) => {
          held += tags.raw?.length ?? 0;
        },
        packet: ({ bytes: page, start, end, frames, skipStart, trimEnd }) => {
          if (start > end || end > page.length || skipStart > frames || trimEnd > frames) {
            throw new Error("an impossible packet");
          }
          held = Math.max(held, page.length);
        },
      });
      const piece = 1 + (round % 3000);
      for (let at = 0; at < bytes.length; at += piece) demuxer.push(bytes.subarray(at, at + piece));
      demuxer.end();
      return held;
    },
    maxHeldBytes: 1 << 20,
  },
  process.argv.slice(2),
);

function file(sizes: readonly number[], totalFrames: number | undefined, maxDelayMs: number): Uint8Array {
  const parts: number[] = [];
  const writer = new OggOpusWriter((bytes) => parts.push(...bytes), {
    head: plainOpusHead(2, 312),
    tags: { vendor: "fuzz", comments: ["TITLE=seed"], binary: new Uint8Array(0) },
    serial: sizes.length,
    maxDelayMs,
  });
  for (const size of sizes) writer.write(new Uint8Array(size).fill(0xfc));
  try {
    writer.finish(totalFrames);
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    writer.finish();
  }
  return Uint8Array.from(parts);
}
