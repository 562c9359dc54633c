import { join } from "node:path";
import { Archive } from "@longwave/archive";
import { SeededRandom } from "@longwave/base";
import { DirectoryStore } from "@longwave/base/node";
import { createSeekableDecoder } from "@longwave/opus";
import { opusStream, streamKinds } from "@longwave/testkit/opus-streams";
import { secondDecoder } from "./decode-second.js";
import { quantile, report } from "./table.js";

const second = 48_000;
const minutes = 10;
const rounds = 15;

const streams = [
  {
    name: "SILK speech wide band",
    title: "sustained voice in SILK",
    distances: [undefined, 4 * second, second],
  },
  { name: "SILK organ", title: "a sustained organ in SILK", distances: [undefined] },
  { name: "pauses with DTX", title: "pauses with DTX", distances: [undefined] },
];

/**
 * What a second costs where no run-up ever converges, by the distance of what is stored: the fifth target against the third. The
 * default is as close as the index allows.
 */
export async function measureCloseStates(folder: string): Promise<void> {
  for (const { name, title, distances } of streams) await measureStream(folder, name, title, distances);
}

async function measureStream(
  folder: string,
  name: string,
  title: string,
  distances: readonly (number | undefined)[],
): Promise<void> {
  const kind = streamKinds.find((each) => each.name === name)!;
  const items = await opusStream(kind, 60);
  for (const every of distances) {
    const directory = join(folder, `states-${name.replaceAll(" ", "-")}-${every ?? "default"}`);
    const archive = await Archive.open(new DirectoryStore(directory), { decoder: createSeekableDecoder });
    const writer = await archive.record({
      id: "r",
      channels: kind.channels,
      chunkFrames: 30 * second,
      ...(every !== undefined && { checkpointFrames: every }),
    });
    for (let minute = 0; minute < minutes; minute++) {
      for (const item of items) if (minute === 0 || item.type === "packet") await writer.push(item);
    }
    const { frames, counts } = await writer.close();
    const decoding = await secondDecoder(archive, await archive.info("r"));
    const random = new SeededRandom(5);
    const ratios: number[] = [];
    let packets = 0;
    for (let round = 0; round < rounds; round++) {
      const decodeMs = decoding.round();
      const before = process.cpuUsage();
      for (let i = 0; i < 60; i++) {
        const from = random.below(frames - second);
        packets += (await archive.read("r", { from, to: from + second })).report.packetsDecoded;
      }
      const used = process.cpuUsage(before);
      ratios.push((used.user + used.system) / 1000 / 60 / decodeMs);
    }
    decoding.close();
    archive.close();
    const distance = every === undefined ? "at the default distance" : `every ${every / second} s`;
    const ratio = quantile(ratios, 0.5);
    const share = (100 * counts.indexBytes) / counts.packetBytes;
    report({
      number: "5",
      what: `1 s of ${title} ÷ decoding its packets alone, states ${distance} (median of ${rounds} rounds)`,
      target: every === undefined ? "≤ 3" : "-",
      figure: `${ratio.toFixed(2)} at an index of ${share.toFixed(1)} % (${counts.checkpoints} states; ${(packets / (60 * rounds)).toFixed(0)} packets decoded)`,
      ...(every === undefined && { ok: ratio <= 3 }),
    });
  }
}
