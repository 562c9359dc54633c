import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DirectoryStore } from "@longwave/base/node";
import { Catalog } from "@longwave/catalog";
import { extract } from "@longwave/fingerprint";
import { encodeWav } from "@longwave/media";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { bench } from "../src/id/bench.ts";
import { benchCatalog } from "../src/id/bench-catalog.ts";
import { dedup, monitor } from "../src/id/follow.ts";
import { inspect } from "../src/id/inspect.ts";
import { openRecording } from "../src/id/live-source.ts";
import { timeDifferences } from "../src/id/time-differences.ts";
import { longwave, program, sampleRate, song, wav } from "./id-program.ts";
import { runHere } from "./run-here.ts";

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "longwave-id-files-"));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** What a command prints with `--json`. */
async function printed(command: () => Promise<void>): Promise<Record<string, unknown>[]> {
  const lines: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
  const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    lines.push(...String(text).trim().split("\n"));
    return true;
  });
  try {
    await command();
  } finally {
    log.mockRestore();
    write.mockRestore();
  }
  return lines.map((line) => JSON.parse(line));
}

test("a WAV file is followed from its beginning, whatever its channels", async () => {
  const samples = song(1);
  const file = join(home, "piece.wav");
  writeFileSync(file, wav(samples));
  const source = await openRecording(file, { rate: 1, channels: 1 });
  const found: number[] = [];
  for await (const chunk of source.chunks) found.push(...chunk);
  expect(source.sampleRate).toBe(sampleRate);
  expect(found.length).toBe(samples.length);
  expect(Math.max(...found.map((value, i) => Math.abs(value - samples[i]!)))).toBeLessThan(2 ** -15);
  await expect(openRecording(join(home, "none.wav"), { rate: 1, channels: 1 })).rejects.toMatchObject({
    code: "media/not-found",
  });
});

test("monitors a recording, and shows what its catalog's segment holds", async () => {
  const place = join(home, "catalog");
  const catalog = await Catalog.open(new DirectoryStore(place));
  await catalog.enroll({ id: "two" }, { samples: song(2), sampleRate });
  await catalog.compact();
  writeFileSync(join(home, "day.wav"), wav(new Float32Array([...song(60, 3), ...song(2)])));
  const options = { catalog: place, step: 1, rate: 8000, channels: 1, json: true };
  const events = await printed(() => monitor(join(home, "day.wav"), options));
  expect(events.map(({ type }) => type)).toEqual(["enter", "leave"]);
  expect(Math.abs(Number(events[0]!["atMs"]) - 3000)).toBeLessThan(500);
  for (const [only, expected] of [
    ["music", ["enter", "leave"]],
    ["speech", ["unknown"]],
  ] as const) {
    const command = ["id", "monitor", join(home, "day.wav"), "--catalog", place, "--only", only, "--json"];
    const lines = (await runHere(command)).stdout.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).type)).toEqual(expected);
  }
  const [segment] = readdirSync(join(place, "segments"));
  const [report] = await printed(() =>
    inspect(join(place, "segments", segment!), { profile: "mark-v1", json: true }),
  );
  expect(report).toMatchObject({ profile: "mark-v1", hashBits: 22, tracks: [{ id: "two" }] });
  expect(report!["lists"]).toHaveLength(5);
  const sum = (counts: { count: number }[]) => counts.reduce((total, { count }) => total + count, 0);
  expect(sum(report!["differences"] as { count: number }[])).toBe(report!["postings"]);
  expect(report!["perMinute"]).toEqual([report!["postings"]]);
  const text = (await runHere(["id", "inspect", join(place, "segments", segment!)])).stdout;
  expect(text).toMatch(/^000000 {2}4c 57 53 47 02 00 .* LWSG/m);
  expect((await runHere(["id", "inspect", place])).stdout).toMatch(/^000000 {2}7b 22 .* {"format":"longw$/m);
});

test("searches a catalog on a web server", async () => {
  const place = join(home, "published");
  const catalog = await Catalog.open(new DirectoryStore(place));
  await catalog.enroll({ id: "nine" }, { samples: song(9), sampleRate });
  await catalog.compact();
  writeFileSync(join(home, "nine"), wav(song(9).subarray(sampleRate)));
  const server = createServer((request, response) => {
    const file = join(place, request.url ?? "");
    if (!existsSync(file)) return void response.writeHead(404).end();
    const bytes = readFileSync(file);
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "") ?? [];
    const part = from === undefined ? bytes : bytes.subarray(Number(from), Number(to) + 1);
    response.writeHead(from === undefined ? 200 : 206, {
      "content-length": part.length,
      ...(from !== undefined && {
        "content-range": `bytes ${from}-${Number(from) + part.length - 1}/${bytes.length}`,
      }),
    });
    response.end(request.method === "HEAD" ? undefined : part);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const asked = await runHere(["id", "match", join(home, "nine"), "--catalog", address, "--json"]);
    expect(asked.stderr).toBe("");
    expect(JSON.parse(asked.stdout)).toMatchObject({ match: { track: { id: "nine" } }, partial: false });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test("asks about every file of a directory, and says which is no sound", async () => {
  const place = join(home, "pieces-catalog");
  const catalog = await Catalog.open(new DirectoryStore(place));
  await catalog.enroll({ id: "seven" }, { samples: song(7), sampleRate });
  const folder = join(home, "pieces");
  mkdirSync(folder);
  writeFileSync(join(folder, "a.wav"), wav(song(7).subarray(sampleRate)));
  writeFileSync(join(folder, "b.wav"), "no sound");
  writeFileSync(join(folder, "c.wav"), wav(song(61, 3)));
  const asked = await runHere(["id", "match", folder, "--catalog", place, "--json", "--require"]);
  expect(asked.code).toBe(6);
  const found = asked.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(found.map(({ match, error }) => match?.track.id ?? error?.code ?? "none")).toEqual([
    "seven",
    "media/unknown-format",
    "none",
  ]);
});

test("a recording that was cut is read as far as it goes, and every command says so", async () => {
  const place = join(home, "cut-catalog");
  const catalog = await Catalog.open(new DirectoryStore(place));
  await catalog.enroll({ id: "five" }, { samples: song(5), sampleRate });
  const file = join(home, "cut.wav");
  const bytes = Buffer.from(wav(song(5)));
  // 13 h: more than is ever decoded at once.
  bytes.writeUInt32LE(2 * 13 * 3600 * sampleRate, bytes.indexOf("data") + 4);
  writeFileSync(file, bytes);
  const lacks = `longwave: ${file}: The file ends early: its header promises 46800.0 s of sound, 6.0 s are there.\n`;
  const asked = await runHere(["id", "match", file, "--catalog", place, "--json"]);
  expect(asked).toMatchObject({ code: 0, stderr: lacks });
  expect(JSON.parse(asked.stdout)).toMatchObject({ truncated: true, match: { track: { id: "five" } } });
  const followed = await runHere(["id", "monitor", file, "--catalog", place, "--json"]);
  expect(followed).toMatchObject({ code: 0, stderr: lacks });
  const types = followed.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).type);
  expect(types).toEqual(["enter", "leave", "truncated"]);
});

test("a file that cannot be fingerprinted is named", async () => {
  const place = join(home, "naming-catalog");
  const catalog = await Catalog.open(new DirectoryStore(place));
  await catalog.enroll({ id: "five" }, { samples: song(5), sampleRate });
  const [good, slow, broken] = ["good.wav", "slow.wav", "broken.wav"].map((name) => join(home, name));
  writeFileSync(good!, wav(song(5)));
  writeFileSync(slow!, encodeWav(song(1, 1), { sampleRate: 1000, channels: 1 }));
  const samples = song(2, 3);
  samples[100] = Number.NaN;
  writeFileSync(broken!, encodeWav(samples, { sampleRate, channels: 1, encoding: "f32" }));
  for (const [args, named] of [
    [["match", slow!, "--catalog", place], /slow\.wav: The sample rate is 1000 Hz/],
    [["match", broken!, "--catalog", place], /broken\.wav: .*\(fp\/non-finite\)/],
    [["align", good!, slow!], /slow\.wav: The sample rate is 1000 Hz/],
    [["align", broken!, good!], /broken\.wav: .*\(fp\/non-finite\)/],
    [["inspect", slow!], /slow\.wav: The sample rate is 1000 Hz/],
  ] as const) {
    const { code, stderr } = await runHere(["id", ...args]);
    expect(code, args.join(" ")).not.toBe(0);
    expect(stderr).toMatch(named);
  }
});

test.skipIf(!existsSync(program))(
  "enrolls standard input under the id that it is given (needs npm run build)",
  () => {
    const place = join(home, "from-stdin");
    const enroll = (...more: string[]) =>
      longwave(["enroll", "-", "--catalog", place, "--json", ...more], wav(song(8, 3)));
    expect(enroll("--id", "eight").events()[0]).toMatchObject({ id: "eight", status: "added" });
  },
);

test("says how standard input and --id are to be used", async () => {
  const place = join(home, "unused");
  mkdirSync(join(home, "two"));
  for (const name of ["a.wav", "b.wav"]) writeFileSync(join(home, "two", name), "");
  for (const [args, message] of [
    [["-"], /has no name: give the recording one with --id/],
    [["-", "x.wav", "--id", "a"], /is read alone/],
    [[join(home, "two"), "--id", "a"], /names one recording, and 2 are given/],
  ] as const) {
    const { code, stderr } = await runHere(["id", "enroll", ...args, "--catalog", place]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  }
});

test("says how many frames hashes span", () => {
  const of = (profile: "mark-v1" | "wang-v1" | "panako-v2" | "haitsma-v1") => {
    const fingerprint = extract(profile, song(1), { sampleRate });
    const found = timeDifferences(fingerprint);
    const hashes = found.reduce((sum, { count }) => sum + count, 0);
    const records = fingerprint.records.length / fingerprint.recordWords;
    return { least: found[0]?.frames, most: found.at(-1)?.frames, hashes, records };
  };
  const mark = of("mark-v1");
  expect(mark.least).toBeGreaterThanOrEqual(3);
  expect(mark.most).toBeLessThanOrEqual(40);
  const wang = of("wang-v1");
  expect(wang.hashes).toBe(wang.records);
  expect(wang.most).toBeLessThanOrEqual(63);
  const panako = of("panako-v2");
  expect(panako.hashes).toBe(panako.records);
  expect(panako.most).toBeLessThan(192);
  expect(of("haitsma-v1").hashes).toBe(0);
});

test("refuses to compare nothing, and to measure with too few recordings", async () => {
  await expect(dedup([], {})).rejects.toMatchObject({ code: "cli/bad-option", kind: "usage" });
  await expect(dedup(["x"], { catalog: "y" })).rejects.toMatchObject({ code: "cli/bad-option" });
  const few = join(home, "few");
  mkdirSync(few);
  for (let i = 0; i < 3; i++) writeFileSync(join(few, `${i}.wav`), wav(song(i, 11)));
  const options = { profile: "mark-v1", songs: 1, queries: 1, seed: 1, maxFalse: 1e-3 } as const;
  await expect(bench([few], options)).rejects.toMatchObject({ code: "cli/too-few-recordings" });
});

test("the benchmark finds clean pieces of files and refuses those of a stranger", async () => {
  const library = join(home, "library");
  mkdirSync(library);
  for (let i = 0; i < 4; i++) writeFileSync(join(library, `${i}.wav`), wav(song(i, 11)));
  const options = { profile: "wang-v1", songs: 1, queries: 1, seed: 1, maxFalse: 1e-3, json: true } as const;
  const [report] = (await printed(() => bench([library], options))) as {
    rows: Record<string, number>[];
  }[];
  expect(report).toMatchObject({ profile: "wang-v1", tracks: 3, seconds: 33, maxFalse: 1e-3 });
  expect(report!.rows.length).toBe(9);
  const clean = { condition: "clean", recall: 1, wrong: 0, elsewhere: 0, falseAccepts: 0 };
  expect(report!.rows[0]).toMatchObject(clean);
  expect(report!.rows[0]!["offsetErrorMs"]).toBeLessThan(20);
  // The same files, asked of a catalog that holds one of the first two.
  const place = join(home, "asked");
  const catalog = await Catalog.open(new DirectoryStore(place), { profile: "wang-v1" });
  await catalog.enroll({ id: "0.wav" }, { samples: song(0, 11), sampleRate });
  const asked = { ...options, queries: 2, catalog: place };
  const [told] = (await printed(() => benchCatalog([library], asked))) as { rows: unknown[] }[];
  expect(told!.rows[0]).toEqual({ condition: "clean", queries: 2, recall: 0.5, wrong: 0, partial: 0 });
  await expect(benchCatalog([], asked)).rejects.toMatchObject({ code: "cli/bad-option" });
});
