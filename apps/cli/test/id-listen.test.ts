import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PostgresServer, postgresPrograms, startPostgres } from "@longwave/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BoundedQueue } from "../src/id/bounded-queue.ts";
import { longwave, program, rawPcm, sampleRate, song, wav } from "./id-program.ts";

let folder: string;
let catalog: string;

/** Every file below a folder with the digest of its bytes. */
function digests(path: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isFile())
      found[file.slice(path.length)] = createHash("sha256").update(readFileSync(file)).digest("hex");
  }
  return found;
}

describe.skipIf(!existsSync(program))("longwave id listen and enroll --jobs (need npm run build)", () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "longwave-listen-"));
    catalog = join(folder, "catalog");
    mkdirSync(join(folder, "songs"));
    for (let i = 0; i < 4; i++) writeFileSync(join(folder, "songs", `${i}.wav`), wav(song(i)));
    writeFileSync(join(folder, "songs", "3a.wav"), "no sound");
    writeFileSync(
      join(folder, "meta.json"),
      JSON.stringify({ "1.wav": { title: "One", artist: "Somebody", id: "x" } }),
    );
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("any number of jobs gives the same catalog, byte for byte, and the same report", () => {
    const enroll = (place: string, jobs: string) =>
      longwave([
        "enroll",
        join(folder, "songs"),
        "--catalog",
        place,
        "--jobs",
        jobs,
        "--skip-errors",
        "--json",
        "--meta",
        join(folder, "meta.json"),
      ]);
    const one = enroll(catalog, "1");
    const three = enroll(join(folder, "three"), "3");
    // 3a.wav is no sound: all others are enrolled, and the exit code says that not all are.
    expect([one.status, three.status]).toEqual([1, 1]);
    expect(three.stdout).toBe(one.stdout);
    expect(
      one
        .events()
        .map(({ id, status }) => `${id} ${status}`)
        .slice(0, -1),
    ).toEqual(["0.wav added", "1.wav added", "2.wav added", "3.wav added", "3a.wav failed"]);
    const found = digests(catalog);
    expect(Object.keys(found).length).toBe(5);
    expect(digests(join(folder, "three"))).toEqual(found);
  });

  test("silence is enrolled, counted apart, and no duplicate of other silence", () => {
    const quiet = join(folder, "quiet");
    mkdirSync(quiet);
    for (const name of ["a.wav", "b.wav"])
      writeFileSync(join(quiet, name), wav(new Float32Array(3 * sampleRate)));
    writeFileSync(join(quiet, "c.wav"), wav(song(1)));
    const { status, events } = longwave([
      "enroll",
      quiet,
      "--catalog",
      join(folder, "quiet-catalog"),
      "--json",
    ]);
    expect(status).toBe(0);
    const rows = events();
    expect(rows.slice(0, 2)).toMatchObject([
      { id: "a.wav", hashes: 0, duplicates: [] },
      { id: "b.wav", hashes: 0, duplicates: [] },
    ]);
    expect(rows.at(-1).summary).toMatchObject({ added: 1, empty: 2, failed: 0, tracks: 3 });
    const again = longwave(["enroll", quiet, "--catalog", join(folder, "quiet-catalog")]);
    expect(again.stdout).toContain(
      "unchanged a.wav: 0 hashes in 0:03.00: nothing to recognise it by (silence",
    );
    expect(again.stdout).toContain(
      "0 added, 0 replaced, 1 unchanged, 2 without anything to recognise, 0 failed;",
    );
  });

  test("names the files of a directory that hold the same recording", () => {
    const library = join(folder, "library");
    mkdirSync(library);
    for (let i = 0; i < 2; i++) writeFileSync(join(library, `${i}.wav`), wav(song(i)));
    writeFileSync(join(library, "again.wav"), wav(song(1).map((x) => x / 2)));
    const { status, events } = longwave(["dedup", library, "--json"]);
    expect(status).toBe(0);
    const groups = events()[0].groups.map(({ ids }: { ids: string[] }) => ids);
    expect(groups).toEqual([[join(library, "1.wav"), join(library, "again.wav")]]);
  });

  test("names what plays: raw PCM of two channels and a WAV stream on standard input", () => {
    const sound = new Float32Array([...song(77, 2), ...song(1)]);
    const common = ["listen", "-", "--catalog", catalog, "--json"];
    const raw = longwave([...common, "--rate", `${sampleRate}`, "--channels", "2"], rawPcm(sound, 2));
    expect(raw.status).toBe(0);
    const [enter, leave] = raw.events().filter(({ type }) => type === "enter" || type === "leave");
    expect(enter).toMatchObject({ type: "enter", track: { id: "1.wav", title: "One", artist: "Somebody" } });
    expect(Math.abs(enter.atMs - 2000)).toBeLessThan(1000);
    expect(leave).toMatchObject({ type: "leave", track: { id: "1.wav" } });
    const fromWav = longwave(common, wav(sound));
    const told = (events: { type: string; atMs: number }[]) => events.map(({ type, atMs }) => [type, atMs]);
    expect(told(fromWav.events())).toEqual(told(raw.events()));
  });

  test("records from the microphone with the program that is there, says what it lost, and ends with Ctrl-C", async () => {
    // A recorder that plays a song to standard output and then goes on in silence, as a device does.
    const bin = join(folder, "bin");
    mkdirSync(bin);
    writeFileSync(join(folder, "mic.raw"), rawPcm(new Float32Array([...song(2)].flatMap((x) => [x, x])), 1));
    const script = `#!/bin/sh\necho "$@" > ${join(folder, "args")}\ncat ${join(folder, "mic.raw")}\nexec sleep 60\n`;
    writeFileSync(join(bin, "arecord"), script, { mode: 0o755 });
    const env = { ...process.env, PATH: `${bin}:${process.env["PATH"]}` };
    const args = [
      program,
      "id",
      "listen",
      "--catalog",
      catalog,
      "--device",
      "hw:1",
      "--json",
      "--step",
      "0.5",
    ];
    const child = spawn(process.execPath, args, { env });
    let said = "";
    child.stdout.setEncoding("utf8");
    for await (const text of child.stdout) {
      said += text;
      if (said.includes('"enter"')) break;
    }
    child.kill("SIGINT");
    const code = await new Promise((resolve) => child.once("exit", resolve));
    expect(code).toBe(0);
    expect(JSON.parse(said.split("\n").find((line) => line.includes('"enter"'))!).track.id).toBe("2.wav");
    expect(readFileSync(join(folder, "args"), "utf8")).toContain("-D hw:1");
  });

  test("says what is missing: no sound, no recorder, a recorder that fails", () => {
    const listen = (...args: string[]) => longwave(["listen", ...args], new Uint8Array(0));
    expect(listen("-", "--catalog", catalog)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("is empty"),
    });
    const without = longwave(["listen", "--catalog", catalog], undefined, { PATH: "/nonexistent" });
    expect(without).toMatchObject({ status: 5, stderr: expect.stringContaining("No program that records") });
    const broken = join(folder, "broken");
    mkdirSync(broken);
    writeFileSync(join(broken, "arecord"), '#!/bin/sh\necho "no soundcards found" >&2\nexit 1\n', {
      mode: 0o755,
    });
    const failing = longwave(["listen", "--catalog", catalog], undefined, { PATH: `${broken}:/bin` });
    expect(failing).toMatchObject({ status: 5, stderr: expect.stringContaining("no soundcards found") });
  });
});

test("a queue that is full drops what comes, and counts it", async () => {
  const queue = new BoundedQueue(5);
  queue.push(Float32Array.of(1, 2, 3));
  queue.push(Float32Array.of(4, 5, 6, 7));
  queue.push(Float32Array.of(8));
  expect(queue.dropped).toBe(3);
  const taken = queue[Symbol.asyncIterator]();
  expect((await taken.next()).value).toEqual(Float32Array.of(1, 2, 3));
  queue.push(Float32Array.of(9));
  queue.end();
  expect((await taken.next()).value).toEqual(Float32Array.of(4, 5));
  expect((await taken.next()).value).toEqual(Float32Array.of(9));
  expect((await taken.next()).done).toBe(true);
  expect(queue.dropped).toBe(3);
});

const programs = postgresPrograms();
describe.skipIf(!existsSync(program) || programs === undefined)(
  "longwave id with a catalog in PostgreSQL",
  () => {
    let server: PostgresServer;
    beforeAll(async () => {
      server = await startPostgres(programs!);
    });
    afterAll(() => server?.close());

    test("enrolls, matches and verifies", () => {
      const home = mkdtempSync(join(tmpdir(), "longwave-id-sql-"));
      try {
        for (let i = 0; i < 2; i++) writeFileSync(join(home, `${i}.wav`), wav(song(i)));
        writeFileSync(join(home, "piece"), wav(song(1).subarray(2 * sampleRate, 5 * sampleRate)));
        const place = `postgres://${server.user}@localhost/postgres?schema=radio&host=${server.socketFolder}`;
        const enrolled = longwave(["enroll", home, "--catalog", place, "--json"]);
        expect(enrolled.events().at(-1)).toMatchObject({ summary: { added: 2, tracks: 2 } });
        const found = longwave(["match", join(home, "piece"), "--catalog", place, "--json"]);
        expect(found.events()[0].match.track.id).toBe("1.wav");
        const verified = longwave(["verify", "--catalog", place, "--json"]);
        expect(verified.events()[0]).toMatchObject({ ok: true, tracks: 2 });
      } finally {
        rmSync(home, { recursive: true, force: true });
      }
    });
  },
);
