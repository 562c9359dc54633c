import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OggOpusWriter, plainOpusHead } from "@longwave/media";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runHere } from "./run-here.ts";

const main = new URL("../dist/main.js", import.meta.url).pathname;
let folder = "";
const at = (name: string) => join(folder, name);
const longwave = (...parameters: string[]) => runHere(["archive", ...parameters]);

/** 12 s of Opus (CELT, 20 ms) that tells itself apart by `seed`; the sound does not matter. */
function opusFile(seed: number, comments: string[] = []): Buffer {
  const pieces: Uint8Array[] = [];
  const writer = new OggOpusWriter((bytes) => pieces.push(bytes.slice()), {
    head: plainOpusHead(1, 312),
    tags: { vendor: "test", comments, binary: new Uint8Array(0) },
    serial: seed,
  });
  for (let n = 0; n < 600; n++) {
    const packet = Uint8Array.from({ length: 120 }, (_, i) => (n * 31 + i * 17 + seed) & 255);
    packet[0] = 0xf8;
    writer.write(packet);
  }
  writer.finish();
  return Buffer.concat(pieces);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "longwave-damage-"));
  await writeFile(at("a.opus"), opusFile(1, ["TITLE=Evening"]));
  await writeFile(at("b.opus"), opusFile(2));
  await writeFile(at("a-again.opus"), opusFile(1, ["TITLE=Other"]));
  await writeFile(at("cut.opus"), opusFile(3).subarray(0, 30_000));
  await writeFile(at("no.opus"), "this is no sound");
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function imported(store: string, ...files: string[]): Promise<string[]> {
  const { stdout } = await longwave("import", at(store), ...files.map(at), "--json");
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).id);
}

test("damaged root metadata stop nothing: a warning, and repair writes them anew", async () => {
  const [id] = (await imported("root", "a.opus")) as [string];
  const root = join(at("root"), "zarr.json");
  const whole = await readFile(root, "utf8");
  await writeFile(root, whole.slice(0, 40));
  for (const command of [
    ["ls"],
    ["info", id],
    ["verify"],
    ["extract", id, "--to", "1s", "-o", at("x.wav")],
  ]) {
    const { code, stderr } = await longwave(command[0]!, at("root"), ...command.slice(1));
    expect([code, stderr]).toEqual([0, expect.stringContaining("zarr.json at the root is damaged")]);
  }
  expect((await longwave("repair", at("root"))).code).toBe(0);
  expect(await readFile(root, "utf8")).toBe(whole);
  expect((await longwave("ls", at("root"))).stderr).toBe("");
});

test("repair tells which chunk is lost and exits with 5, also with --reprove; --quick does not look", async () => {
  const [a, b] = (await imported("chunk", "a.opus", "b.opus")) as [string, string];
  const shard = join(at("chunk"), "rec", a, "pcm/c/0/0");
  const bytes = await readFile(shard);
  bytes[bytes.length - 8000]! ^= 1;
  await writeFile(shard, bytes);
  const told = await longwave("repair", at("chunk"), "--json");
  expect(told.code).toBe(5);
  expect(JSON.parse(told.stdout).lost).toMatchObject([{ id: a, code: "archive/chunk-corrupt", chunk: 1 }]);
  expect((await longwave("repair", at("chunk"))).stdout).toContain(`lost in ${a}: Chunk 1 of recording ${a}`);
  const reproved = await longwave("repair", at("chunk"), "--reprove", "--json");
  expect([reproved.code, JSON.parse(reproved.stdout).rewritten]).toEqual([5, [b]]);
  expect((await longwave("repair", at("chunk"), "--quick")).code).toBe(0);
  expect((await longwave("repair", at("chunk"), b)).code).toBe(0);
});

test("an import goes on behind a file that fails, says what is cut off and what was not kept", async () => {
  const files = ["no.opus", "cut.opus", "a.opus", "a-again.opus"].map(at);
  const { code, stdout, stderr } = await longwave("import", at("several"), ...files);
  expect(code).toBe(3);
  expect(stderr).toContain("no.opus");
  expect(stdout).toContain("(truncated: the file is cut off)");
  expect(stdout).toMatch(
    /a-again.opus: already there as \w+; its packets are the same, its own description \(TITLE=Other\) was not kept/,
  );
  const list = await longwave("ls", at("several"), "--json");
  const lines = list.stdout.trim().split("\n");
  expect(lines.map((line) => JSON.parse(line).start)).toEqual([null, null]);
  const id = JSON.parse(lines[0]!).id;
  expect((await longwave("info", at("several"), id)).stdout).toContain("truncated");
});

test("another importer's lost race does not stop the rest", async () => {
  const [id] = (await imported("race", "a.opus")) as [string];
  // The other importer has claimed the file and is not done.
  await rm(join(at("race"), "rec", id), { recursive: true });
  const { code, stdout, stderr } = await longwave("import", at("race"), at("a.opus"), at("b.opus"));
  expect([code, stderr]).toEqual([2, expect.stringContaining("archive/duplicate")]);
  expect(stdout).toContain("b.opus: ");
});

test("Opus on standard input is imported as it comes, and known again as a file", async () => {
  const input = await readFile(at("a.opus"));
  const run = spawnSync(process.execPath, [main, "archive", "import", at("pipe"), "-", "--json"], { input });
  const info = JSON.parse(run.stdout.toString());
  expect(info).toMatchObject({ duplicate: false, source: { name: "-", bytes: input.length } });
  expect(info.metadata.opusTags.comments).toEqual(["TITLE=Evening"]);
  expect(await imported("pipe", "a.opus")).toEqual([info.id]);
});

test("ls and info work over HTTP, where nothing can be listed", async () => {
  const [id] = (await imported("web", "a.opus")) as [string];
  const server = createServer(async (request, response) => {
    const bytes = await readFile(join(at("web"), decodeURIComponent(request.url!))).catch(() => undefined);
    response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  try {
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const { code, stdout } = await longwave("ls", address);
    expect([code, stdout]).toEqual([0, expect.stringContaining(id)]);
    expect((await longwave("info", address, id)).stdout).toContain("seek points");
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test("analyze shows what an import would do: copied, or encoded with an exact expansion of time", async () => {
  const wav = Buffer.alloc(44 + 2 * 3840);
  wav.write("RIFF", 0, "latin1");
  wav.writeUInt32LE(wav.length - 8, 4);
  wav.write("WAVEfmt ", 8, "latin1");
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(250_000, 24);
  wav.writeUInt32LE(500_000, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write("data", 36, "latin1");
  wav.writeUInt32LE(2 * 3840, 40);
  await writeFile(at("bats.wav"), wav);
  const { code, stdout } = await longwave("analyze", at("bats.wav"), at("a.opus"), "--json");
  const [bats, opus] = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(code).toBe(0);
  expect(bats.plan).toMatchObject({
    mode: "expand",
    expansion: { numerator: 125, denominator: 24 },
    sampleRateHz: 250_000,
  });
  expect(opus.plan).toEqual({ mode: "copy" });
  expect((await longwave("analyze", at("bats.wav"))).stdout).toContain("250000 Hz, 1 channels");
});
