import { VirtualClock } from "@longwave/base";
import { blockFrames, bondOverVirtualLinks, OpusCodec } from "@longwave/station";
import { row } from "./rows.js";

/** Each link cut for 10 s in turn. */
export async function cutLinks(): Promise<void> {
  let concealed = 0;
  for (const link of ["lte", "dsl"]) {
    for (const seed of [1, 2, 3]) {
      const clock = new VirtualClock();
      const codec = new OpusCodec();
      const path = bondOverVirtualLinks({ clock, seed, codec });
      const block = new Float32Array(2 * blockFrames);
      for (let n = 0; n < 30 * 50; n++) {
        if (n === 500 || n === 1000) path.changeLink(link, { cut: n === 500 });
        path.send(block, n * blockFrames);
        clock.runUntil(clock.nowUs() + 20_000);
      }
      concealed += path.status().concealedBlocks;
    }
  }
  row("frames concealed, each link cut for 10 s, 3 seeds", `${concealed}`, "0", concealed === 0);
}
