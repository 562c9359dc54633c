// Sends sound over two links of which one is cut on the way, and counts what arrived unharmed.
import { VirtualClock } from "@longwave/base";
import { blockFrames, bondOverVirtualLinks, PcmCodec } from "@longwave/station";

const clock = new VirtualClock();
const path = bondOverVirtualLinks({ clock, seed: 1, codec: new PcmCodec() });
let received = 0;
path.onReceive(() => received++);

const block = new Float32Array(2 * blockFrames).fill(0.25);
for (let n = 0; n < 500; n++) {
  if (n === 200) path.changeLink("lte", { cut: true });
  path.send(block, n * blockFrames);
  clock.runUntil(clock.nowUs() + 20_000);
}
const { concealedBlocks, links } = path.status();
console.log(
  JSON.stringify({
    sent: 500,
    received,
    concealedBlocks,
    cut: links.filter(({ cut }) => cut).map(({ id }) => id),
  }),
);
await path.close();
