import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SeededRandom } from "@longwave/base";
import { createEncoder } from "libopus-wasm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runHere } from "./run-here.ts";

const main = new URL("../dist/main.js", import.meta.url).pathname;
let folder = "";

const longwave = (...parameters: string[]) => runHere(["archive", ...parameters]);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "longwave-archive-"));
  const encoder = await createEncoder({ channels: 1, bitrate: 24_000 });
  const random = new SeededRandom(1);
  const pieces: Buffer[] = [];
  for (let packet = 0; packet < 600; packet++) {
    const pcm = Float32Array.from(
      { length: 960 },
      (_, i) => 0.3 * Math.sin((packet * 960 + i) / 30) + 0.01 * random.next(),
    );
    const data = encoder.encodeFloat(pcm);
    const head = Buffer.alloc(4);
    head.writeUInt32BE(data.length);
    pieces.push(head, Buffer.from(data));
  }
  encoder.free();
  await writeFile(join(folder, "tone.be32"), Buffer.concat(pieces));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test("import, list, extract, verify, export and remove", async () => {
  const store = join(folder, "archive");
  const file = join(folder, "tone.be32");
  const first = await longwave(
    "import",
    store,
    file,
    "--framing",
    "be32",
    "--channels",
    "1",
    "--start-time",
    "2026-03-01T12:00:00Z",
    "--json",
  );
  expect(first.code).toBe(0);
  const { id, frames, duplicate } = JSON.parse(first.stdout);
  expect([frames, duplicate]).toEqual([576_000, false]);
  const listed = JSON.parse((await longwave("ls", store, "--json")).stdout);
  expect([listed.start, listed.startSource]).toEqual(["2026-03-01T12:00:00.000Z", "user"]);
  expect((await longwave("info", store, id)).stdout).toContain("2026-03-01T12:00:00.000Z (as told)");
  const again = await longwave("import", store, file, "--framing", "be32", "--channels", "1");
  expect(again.stdout).toContain(`already there as ${id}`);
  expect((await longwave("ls", store)).stdout).toContain(id);

  const bySample = join(folder, "a.wav");
  const byTime = join(folder, "b.wav");
  await longwave("extract", store, id, "--from", "2s", "--to", "144000", "-o", bySample);
  await longwave(
    "extract",
    store,
    id,
    "--from",
    "2026-03-01T12:00:02Z",
    "--to",
    "2026-03-01T12:00:03Z",
    "-o",
    byTime,
  );
  expect(await readFile(byTime)).toEqual(await readFile(bySample));
  expect((await readFile(bySample)).length).toBeGreaterThan(96_000);

  expect((await longwave("verify", store, "--level", "decode")).code).toBe(0);
  const exported = join(folder, "out.be32");
  await longwave("export", store, id, "--format", "packets", "-o", exported);
  expect(await readFile(exported)).toEqual(await readFile(file));

  expect((await longwave("rm", store, id)).code).toBe(2);
  expect((await longwave("rm", store, id, "--yes")).code).toBe(0);
  expect(await longwave("info", store, id)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("archive/not-found"),
  });
});

test("exports WebM, exact parts and the kept original, and tells what it wrote", async () => {
  const store = join(folder, "exports");
  const file = join(folder, "tone.be32");
  const framing = ["--framing", "be32", "--channels", "1"];
  const kept = await longwave(
    "import",
    store,
    file,
    ...framing,
    "--keep-original",
    "--checkpoint-every",
    "2s",
    "--json",
  );
  const { id, checkpointFrames } = JSON.parse(kept.stdout);
  expect(checkpointFrames).toBe(96_000);

  const original = join(folder, "original.be32");
  const told = await longwave("export", store, id, "--format", "original", "-o", original, "--json");
  const bytes = (await readFile(file)).length;
  expect(JSON.parse(told.stdout)).toMatchObject({ id, format: "original", bytes });
  expect(await readFile(original)).toEqual(await readFile(file));

  const webm = join(folder, "out.webm");
  expect((await longwave("export", store, id, "--format", "webm", "-o", webm)).code).toBe(0);
  const back = await longwave("import", join(folder, "from-webm"), webm, "--json");
  expect(JSON.parse(back.stdout).frames).toBe(576_000);

  const part = join(folder, "part.opus");
  const cut = await longwave("export", store, id, "--from", "0s", "--to", "24001", "-o", part, "--json");
  expect(JSON.parse(cut.stdout)).toMatchObject({ start: 0, end: 24_001 });
  const partBack = await longwave("import", join(folder, "from-part"), part, "--json");
  expect(JSON.parse(partBack.stdout).frames).toBe(24_001);
  expect(await longwave("export", store, id, "--format", "webm", "--from", "1s")).toMatchObject({ code: 2 });
});

test("appends what comes in on standard input, extracts bare samples, and tells the run-ups", async () => {
  const store = join(folder, "growing");
  const framing = ["--framing", "be32", "--channels", "1"];
  const first = await longwave("import", store, join(folder, "tone.be32"), ...framing, "--json");
  const { id } = JSON.parse(first.stdout);
  const opus = join(folder, "whole.opus");
  await longwave("export", store, id, "-o", opus);
  const appended = spawnSync(process.execPath, [main, "archive", "append", store, id, "-", "--json"], {
    input: await readFile(opus),
  });
  expect(JSON.parse(appended.stdout.toString())).toMatchObject({
    id,
    frames: 2 * 576_000,
    state: "complete",
  });

  const [wav, raw] = [join(folder, "samples.wav"), join(folder, "samples.raw")];
  await longwave("extract", store, id, "--from", "570000", "--to", "580000", "-o", wav);
  await longwave("extract", store, id, "--from", "570000", "--to", "580000", "--raw", "-o", raw);
  const bare = await readFile(raw);
  expect(bare.length).toBe(20_000);
  expect((await readFile(wav)).indexOf(bare)).toBeGreaterThan(0);
  expect((await longwave("info", store, id)).stdout).toMatch(
    /run-ups {5}\d.* states, \d+ from an earlier point/,
  );
});

test("mistakes get one message and the documented exit code", async () => {
  const store = join(folder, "other");
  expect((await longwave("ls", join(folder, "nowhere"))).code).toBe(2);
  expect(await longwave("import", store, join(folder, "tone.be32"))).toMatchObject({ code: 3 });
  expect(await longwave("import", store, join(folder, "missing"), "--framing", "be32")).toMatchObject({
    code: 2,
  });
  expect(await longwave("import", store, join(folder, "tone.be32"), "--framing", "le32")).toMatchObject({
    code: 4,
  });
  await writeFile(join(folder, "no.zip"), "this is no zip file");
  expect(await longwave("ls", join(folder, "no.zip"))).toMatchObject({ code: 3 });
});
