import { join } from "node:path";
import { Archive } from "@longwave/archive";
import { SeededRandom } from "@longwave/base";
import { DirectoryStore } from "@longwave/base/node";
import { createSeekableDecoder } from "@longwave/opus";
import { opusStream, streamKinds } from "@longwave/testkit/opus-streams";
import { CountingStore } from "./counting-store.js";
import { spokenStream } from "./spoken-stream.js";
import { report } from "./table.js";

const second = 48_000;
const minutes = 20;

/** Run-ups stored once against run-ups stored twice: bytes, and reads of the store for a second at a random place. */
export async function measureOverlap(folder: string): Promise<void> {
  for (const name of ["CELT music 64k stereo", "SILK 16k, spoken text"]) {
    const kind = streamKinds.find((each) => each.name === name);
    const items = kind === undefined ? await spokenStream(folder, 20) : await opusStream(kind, 60);
    if (items === undefined) continue;
    const channels = kind?.channels ?? 1;
    const sounds: Float32Array[][] = [];
    const shares: number[] = [];
    for (const overlap of [false, true]) {
      const directory = join(folder, `overlap-${overlap}-${name.replaceAll(" ", "-")}`);
      const store = new CountingStore(new DirectoryStore(directory));
      const archive = await Archive.open(store, { decoder: createSeekableDecoder });
      const chunkFrames = (kind === undefined ? 30 : 10) * second;
      const writer = await archive.record({ id: "r", channels, chunkFrames, overlap });
      for (let minute = 0; minute < minutes; minute++) {
        for (const item of items) if (minute === 0 || item.type === "packet") await writer.push(item);
      }
      const { frames, counts } = await writer.close();
      archive.close();
      let bytes = 0;
      for await (const object of store.list("")) bytes += object.size;
      shares.push((100 * (bytes - counts.packetBytes)) / counts.packetBytes);
      const random = new SeededRandom(11);
      const clips: Float32Array[] = [];
      let most = 0;
      for (let i = 0; i < 60; i++) {
        const from = random.below(frames - second);
        const fresh = await Archive.open(store, { decoder: createSeekableDecoder });
        const before = store.reads;
        clips.push((await fresh.read("r", { from, to: from + second })).pcm);
        most = Math.max(most, store.reads - before);
        fresh.close();
      }
      sounds.push(clips);
      report({
        number: "6",
        what: `run-ups stored ${overlap ? "once" : "twice"}, ${name}: reads of the store for 1 s, cold, besides the root (most of 60)`,
        target: "≤ 3",
        figure: String(most),
        ok: most <= 3,
      });
    }
    const differing = sounds[0]!.filter(
      (clip, i) => Buffer.compare(Buffer.from(clip.buffer), Buffer.from(sounds[1]![i]!.buffer)) !== 0,
    ).length;
    report({
      number: "3",
      what: `all bytes besides packets with run-ups stored twice / once, ${name}; slices that differ`,
      target: "less; 0",
      figure: `${shares[0]!.toFixed(2)} % / ${shares[1]!.toFixed(2)} %; ${differing}`,
      ok: shares[1]! < shares[0]! && differing === 0,
    });
  }
}
