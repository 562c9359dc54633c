import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DirectoryStore } from "@longwave/base/node";
import { Catalog } from "@longwave/catalog";
import { extract } from "@longwave/fingerprint";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { bench } from "../src/id/bench.ts";
import { dedup, monitor } from "../src/id/follow.ts";
import { inspect } from "../src/id/inspect.ts";
import { openRecording } from "../src/id/live-source.ts";
import { timeDifferences } from "../src/id/time-differences.ts";
import { sampleRate, song, wav } from "./id-program.ts";

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
  const [segment] = readdirSync(join(place, "segments"));
  const [report] = await printed(() =>
    inspect(join(place, "segments", segment!), { profile: "mark-v1", json: true }),
  );
  expect(report).toMatchObject({ profile: "mark-v1", hashBits: 22, tracks: [{ id: "two" }] });
  expect(report!["lists"]).toHaveLength(5);
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
});
