// npm run fuzz -- webm 60s | --count 1000000: mutated WebM files through the demuxer.
import { readFileSync } from "node:fs";
import { WebmOpusDemuxer } from "@longwave/media";
import { repositoryPath } from "@longwave/testkit";
import { runFuzz } from "../fuzz-run.ts";

const seeds = ["live.webm", "media-recorder.webm", "stereo.webm"].map((name) =>
  new Uint8Array(readFileSync(repositoryPath(`packages/media/test/fixtures/${name}`))).slice(0, 2500),
);

runFuzz(
  "webm",
  {
    seeds,
    parse(bytes, round) {
      let held = 0;
      const demuxer = new WebmOpusDemuxer({
        packet: ({ bytes: buffer, start, end, frames, skipStart, trimEnd }) => {
          if (start > end || end > buffer.length || skipStart > frames || trimEnd > frames) {
            throw new Error("an impossible packet");
          }
          held = buffer.length;
        },
      });
      const piece = 1 + (round % 2000);
      for (let at = 0; at < bytes.length; at += piece) demuxer.push(bytes.subarray(at, at + piece));
      demuxer.end();
      return held;
    },
    maxHeldBytes: 1 << 20,
  },
  process.argv.slice(2),
);
