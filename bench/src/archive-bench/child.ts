// What has to run in a process of its own: node child.js decode FILE | import STORE FILE | import-slowly STORE FILE
import { createReadStream } from "node:fs";
import { Archive, openOggSource } from "@longwave/archive";
import { nodeSha256 } from "@longwave/archive/node";
import { DirectoryStore } from "@longwave/base/node";
import { createSeekableDecoder } from "@longwave/opus";

const [mode, ...names] = process.argv.slice(2) as [string, ...string[]];
const file = names.at(-1)!;
createSeekableDecoder({ channels: 2, gainQ8: 0 }, "opus-1").close();
const rssBefore = process.memoryUsage.rss();
const before = process.cpuUsage();

if (mode === "decode") await decode();
else await importFile(names[0]!);

const used = process.cpuUsage(before);
const cpuMs = (used.user + used.system) / 1000;
const growthMiB = process.resourceUsage().maxRSS / 1024 - rssBefore / 2 ** 20;
console.log(JSON.stringify({ cpuMs, growthMiB }));

/** The whole file, packet by packet, as any player would. */
async function decode(): Promise<void> {
  const source = await openOggSource(createReadStream(file, { highWaterMark: 1 << 18 }));
  const pcm = new Float32Array(5760 * source.channels);
  let decoder: ReturnType<typeof createSeekableDecoder> | undefined;
  for await (const item of source.items()) {
    if (item.type === "segment") {
      decoder?.close();
      decoder = createSeekableDecoder(item.head, "opus-1");
    } else if (item.type === "loss") decoder!.decode(null, pcm, item.frames);
    else decoder!.decode(item.data, pcm);
  }
  decoder?.close();
}

async function importFile(directory: string): Promise<void> {
  const archive = await Archive.open(new DirectoryStore(directory), {
    decoder: createSeekableDecoder,
    sha256: nodeSha256,
  });
  const source = await openOggSource(createReadStream(file, { highWaterMark: 1 << 18 }));
  const small = mode === "import-slowly" ? { chunkFrames: 96_000, chunksPerShard: 3 } : {};
  if (mode === "import-slowly") process.stdout.write("ready\n");
  await archive.import(source, { id: "r", source: { sha256: "ab".repeat(32) }, resume: true, ...small });
  archive.close();
}
