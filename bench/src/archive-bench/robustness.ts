import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { Archive, oggPages, openOggSource } from "@longwave/archive";
import { nodeSha256 } from "@longwave/archive/node";
import { isLongwaveError, MemoryStore, type ObjectStore, SeededRandom } from "@longwave/base";
import { DirectoryStore } from "@longwave/base/node";
import { createSeekableDecoder } from "@longwave/opus";
import { opusStream, streamKinds } from "@longwave/testkit/opus-streams";
import { writeOpusFile } from "./opus-file.js";
import { report } from "./table.js";

const child = fileURLToPath(new URL("./child.js", import.meta.url));
const small = { chunkFrames: 96_000, chunksPerShard: 3 };
const source = { sha256: "ab".repeat(32) };

async function contents(store: ObjectStore): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  for await (const { key } of store.list("")) {
    all.set(
      key,
      createHash("sha256")
        .update((await store.get(key))!)
        .digest("hex"),
    );
  }
  return all;
}

const open = (store: ObjectStore) =>
  Archive.open(store, { decoder: createSeekableDecoder, sha256: nodeSha256 });

/** Kills an importing process (SIGKILL) at random moments, then looks at the store and resumes. */
export async function measureKills(folder: string, rounds: number, seed: number): Promise<void> {
  const file = join(folder, "kill.opus");
  const kind = streamKinds.find((each) => each.name === "CELT music 64k stereo")!;
  writeOpusFile(file, await opusStream(kind, 20), 60 * 48_000);
  const whole = join(folder, "kill-whole");
  const began = performance.now();
  spawnSync(process.execPath, [child, "import-slowly", whole, file], { stdio: "ignore" });
  const longest = performance.now() - began;
  const expected = await contents(new DirectoryStore(whole));
  const random = new SeededRandom(200 + seed);
  let listedPartial = 0;
  let different = 0;
  let inside = 0;
  for (let round = 0; round < rounds; round++) {
    const directory = join(folder, "kill");
    rmSync(directory, { recursive: true, force: true });
    const process_ = spawn(process.execPath, [child, "import-slowly", directory, file], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const exited = once(process_, "exit");
    await Promise.race([once(process_.stdout, "data"), exited]);
    await new Promise((resolve) => setTimeout(resolve, (random.next() * longest) / 2));
    process_.kill("SIGKILL");
    await exited;
    const store = new DirectoryStore(directory);
    const archive = await open(store);
    const listed = await archive.list();
    if (listed.length === 0) inside++;
    for (const info of listed) {
      if (info.state !== "complete" || (await archive.verify(info.id, "hashes")).findings.length > 0)
        listedPartial++;
    }
    await archive.import(await openOggSource(createReadStream(file)), {
      id: "r",
      source,
      resume: true,
      ...small,
    });
    archive.close();
    const found = await contents(store);
    const equal =
      found.size === expected.size && [...found].every(([key, hash]) => expected.get(key) === hash);
    if (!equal) different++;
  }
  report({
    number: "8",
    what: `import killed (SIGKILL) at ${rounds} random points (seed ${seed}), ${inside} of them before it was complete: partial recordings listed / resumed stores that are not byte-identical`,
    target: "0 / 0",
    figure: `${listedPartial} / ${different}`,
    ok: listedPartial === 0 && different === 0,
  });
}

/** Flips single bits in a shard (chunks and index): every one must be noticed, and whatever is read must be right. */
export async function measureBitFlips(rounds: number, seed: number): Promise<void> {
  const kind = streamKinds.find((each) => each.name === "SILK speech wide band")!;
  const items = await opusStream(kind, 12);
  const store = new MemoryStore();
  const good = await open(store);
  await good.import({ channels: 1, items: () => items }, { id: "r", source, ...small, chunksPerShard: 8 });
  const { frames } = await good.info("r");
  const right = (await good.read("r", { from: 0, to: frames })).pcm;
  const key = "rec/r/pcm/c/0/0";
  const shard = (await store.get(key))!;
  const indexAt = shard.length - (16 * 8 + 4);
  const random = new SeededRandom(9 + seed);
  let unnoticed = 0;
  let wrong = 0;
  let lostNeighbours = 0;
  for (let round = 0; round < rounds; round++) {
    const bad = shard.slice();
    // Every fourth flip hits the index.
    const at = round % 4 === 0 ? indexAt + random.below(bad.length - indexAt) : random.below(indexAt);
    bad[at]! ^= 1 << random.below(8);
    await store.put(key, bad);
    const archive = await open(store);
    let refused = 0;
    for (let from = 0; from < frames; from += small.chunkFrames) {
      const to = Math.min(frames, from + small.chunkFrames);
      try {
        const { pcm } = await archive.read("r", { from, to });
        if (!pcm.every((value, i) => Object.is(value, right[from + i]))) wrong++;
      } catch (error) {
        if (!isLongwaveError(error, "archive/chunk-corrupt")) throw error;
        refused++;
      }
    }
    archive.close();
    if (refused === 0) unnoticed++;
    if (at < indexAt && refused > 1) lostNeighbours++;
  }
  report({
    number: "9",
    what: `single bits flipped in chunks and index (${rounds}, seed ${seed}): not noticed / wrong samples / other chunks lost`,
    target: "0 / 0 / 0",
    figure: `${unnoticed} / ${wrong} / ${lostNeighbours}`,
    ok: unnoticed + wrong + lostNeighbours === 0,
  });
}

/** A file through the archive and back: the same packets, and the length that opusinfo tells. */
export async function measureRoundTrip(folder: string): Promise<void> {
  let differentPackets = 0;
  let differentLengths = 0;
  let files = 0;
  const hasOpusinfo = spawnSync("opusinfo", ["-h"]).error === undefined;
  for (const kind of streamKinds) {
    if (kind.lossEvery !== undefined) continue;
    files++;
    const file = join(folder, "trip.opus");
    const items = await opusStream(kind, 4);
    const frames = 4 * 48_000 - 777;
    writeOpusFile(file, items, frames);
    const archive = await open(new MemoryStore());
    const { info } = await archive.import(await openOggSource(readFileSync(file)), { id: "r" });
    const pages: Uint8Array[] = [];
    for await (const page of oggPages(info, archive.packets("r"))) pages.push(page);
    const out = join(folder, "trip-out.opus");
    writeFileSync(out, Buffer.concat(pages));
    if ((await packetHash(file)) !== (await packetHash(out))) differentPackets++;
    const lengths = [file, out].map((name) =>
      hasOpusinfo ? opusinfoLength(name) : (info.frames / 48_000).toFixed(3),
    );
    if (info.frames !== frames || new Set([...lengths, (frames / 48_000).toFixed(2)]).size !== 1) {
      const told = lengths.map(Number);
      if (info.frames !== frames || told.some((each) => Math.abs(each - frames / 48_000) > 0.01))
        differentLengths++;
    }
    archive.close();
  }
  report({
    number: "10",
    what: `Ogg → archive → Ogg, ${files} kinds: other packets / other length${hasOpusinfo ? " (opusinfo)" : " (opusinfo is not installed)"}`,
    target: "0 / 0",
    figure: `${differentPackets} / ${differentLengths}`,
    ok: differentPackets + differentLengths === 0,
  });
}

async function packetHash(file: string): Promise<string> {
  const hash = createHash("sha256");
  const opened = await openOggSource(readFileSync(file));
  for await (const item of opened.items()) if (item.type === "packet") hash.update(item.data).update("|");
  return hash.digest("hex");
}

/** Seconds as opusinfo prints them. */
function opusinfoLength(file: string): string {
  const text = spawnSync("opusinfo", [file]).stdout.toString();
  const match = /Playback length: (\d+)m:([\d.]+)s/.exec(text);
  return match === null ? "" : (Number(match[1]) * 60 + Number(match[2])).toFixed(2);
}

/** The same slices on two threads. */
export async function measureThreads(directory: string): Promise<void> {
  const here = await digestOf(directory);
  const code = `
    const { parentPort, workerData } = require("node:worker_threads");
    import(workerData.module).then(async (m) => parentPort.postMessage(await m.digestOf(workerData.directory)));`;
  const worker = new Worker(code, {
    eval: true,
    workerData: { module: fileURLToPath(import.meta.url), directory },
  });
  const [there] = (await once(worker, "message")) as [string];
  await worker.terminate();
  report({
    number: "11",
    what: "the same store in the main thread and in a worker: digests of 40 slices (browser: test of the archive in Chromium)",
    target: "equal",
    figure: here === there ? "equal" : "different",
    ok: here === there,
  });
}

export async function digestOf(directory: string): Promise<string> {
  const archive = await open(new DirectoryStore(directory));
  const { frames } = await archive.info("r");
  const random = new SeededRandom(40);
  const hash = createHash("sha256");
  for (let i = 0; i < 40; i++) {
    const from = random.below(frames - 30_000);
    const { pcm } = await archive.read("r", { from, to: from + 30_000 });
    hash.update(new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength));
  }
  archive.close();
  return hash.digest("hex");
}
