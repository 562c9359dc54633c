import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SeededRandom } from "@longwave/base";
import { DirectoryStore } from "@longwave/base/node";
import { Catalog } from "@longwave/catalog";
import { encodeWav } from "@longwave/media";
import { repositoryPath } from "@longwave/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const program = repositoryPath("apps/cli/dist/main.js");
const sampleRate = 16_000;
const songCount = 6;
let folder: string;

/** Random notes, told apart by their seed. */
function song(seed: number, seconds = 12): Float32Array {
  const random = new SeededRandom(seed);
  const out = new Float32Array(seconds * sampleRate);
  for (let start = 0; start < out.length; start += 2000 + random.below(6000)) {
    const frequency = 110 * 2 ** (random.below(40) / 12);
    for (let i = start; i < Math.min(out.length, start + 9000); i++) {
      const t = (i - start) / sampleRate;
      for (let h = 1; h < 6; h++)
        out[i]! += (0.15 / h) * Math.sin(2 * Math.PI * frequency * h * t) * Math.exp(-5 * t);
    }
  }
  return out;
}

function wav(samples: Float32Array): Uint8Array {
  return encodeWav(samples, { sampleRate, channels: 1, encoding: "s16" });
}

function longwave(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, "id", ...args], {
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

describe.skipIf(!existsSync(program))("longwave id (needs npm run build)", () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "longwave-id-"));
    mkdirSync(join(folder, "songs"));
    mkdirSync(join(folder, "empty"));
    for (let i = 0; i < songCount; i++) writeFileSync(join(folder, "songs", `${i}.wav`), wav(song(i)));
    const random = new SeededRandom(99);
    const excerpt = song(4).slice(3 * sampleRate, 9 * sampleRate);
    writeFileSync(join(folder, "noisy.wav"), wav(excerpt.map((x) => x + 0.02 * (random.next() - 0.5))));
    writeFileSync(join(folder, "other.wav"), wav(song(50, 6)));
    writeFileSync(join(folder, "nothing.wav"), "");
    writeFileSync(join(folder, "junk.mp3"), "no music".repeat(500));
    writeFileSync(join(folder, "slow.wav"), encodeWav(song(1, 1), { sampleRate: 1000, channels: 1 }));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("enrolls a directory and finds a noisy excerpt again, in another process", () => {
    const catalog = join(folder, "catalog");
    const enrolled = longwave("enroll", join(folder, "songs"), "--catalog", catalog, "--json");
    expect(enrolled.status).toBe(0);
    const lines = enrolled.stdout.trim().split("\n");
    expect(JSON.parse(lines.at(-1)!).summary).toMatchObject({
      added: songCount,
      failed: 0,
      tracks: songCount,
    });
    const found = longwave("match", join(folder, "noisy.wav"), "--catalog", catalog, "--json");
    const { match } = JSON.parse(found.stdout);
    expect(match.track.id).toBe("4.wav");
    expect(Math.abs(match.offsetMs - 3000)).toBeLessThanOrEqual(20);
    const missed = longwave("match", join(folder, "other.wav"), "--catalog", catalog, "--require");
    expect([missed.status, missed.stdout]).toEqual([6, expect.stringContaining("No match")]);
  });

  test("resumes, compacts, verifies and monitors a catalog", () => {
    const catalog = join(folder, "catalog");
    const resumed = longwave("enroll", join(folder, "songs"), "--catalog", catalog, "--resume", "--json");
    expect(JSON.parse(resumed.stdout).summary).toMatchObject({ added: 0, unchanged: songCount });
    const compacted = JSON.parse(longwave("compact", "--catalog", catalog, "--json").stdout);
    expect(compacted.after).toMatchObject({ segments: 1, journalEntries: 0 });
    const verified = longwave("verify", "--catalog", catalog, "--json");
    expect([verified.status, JSON.parse(verified.stdout).ok]).toEqual([0, true]);
    const monitored = longwave("monitor", join(folder, "songs", "2.wav"), "--catalog", catalog, "--json");
    const events = monitored.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events.map(({ type, track }) => `${type} ${track?.id}`)).toEqual(["enter 2.wav", "leave 2.wav"]);
  });

  test.each([
    [2, ["enroll", "EMPTY", "--catalog", "CATALOG"], /contains no audio file/],
    [2, ["enroll", "NOWHERE", "--catalog", "CATALOG"], /does not exist/],
    [5, ["match", "NOISY", "--catalog", "NOWHERE"], /no catalog in \S+nowhere; enroll/],
    [2, ["match", "NOWHERE", "--catalog", "SEEDED"], /no file/],
    [3, ["match", "NOTHING", "--catalog", "SEEDED"], /empty/],
    [2, ["match", "NOISY"], /--catalog/],
    [3, ["enroll", "NOTHING", "--catalog", "CATALOG"], /nothing\.wav is empty/],
    [3, ["enroll", "JUNK", "--catalog", "CATALOG"], /junk\.mp3: The content is no audio format/],
    [2, ["enroll", "SLOW", "--catalog", "CATALOG"], /slow\.wav: The sample rate is 1000 Hz/],
    [
      2,
      ["enroll", "NOISY", "--catalog", "SONGS"],
      /but other data \(0\.wav\); name a new or empty directory/,
    ],
    [
      5,
      ["enroll", "NOISY", "--catalog", "JUNK"],
      /junk\.mp3 is a file where a directory is needed; name another/,
    ],
  ])("exits with %d and one clear message for id %j", (status, args, message) => {
    const paths: Record<string, string> = {
      EMPTY: join(folder, "empty"),
      NOWHERE: join(folder, "nowhere"),
      NOISY: join(folder, "noisy.wav"),
      NOTHING: join(folder, "nothing.wav"),
      JUNK: join(folder, "junk.mp3"),
      SLOW: join(folder, "slow.wav"),
      SONGS: join(folder, "songs"),
      CATALOG: join(folder, "unused"),
      SEEDED: join(folder, "catalog"),
    };
    const result = longwave(...args.map((arg) => paths[arg] ?? arg));
    expect(result.stderr).toMatch(message);
    expect(result.stderr).not.toMatch(/\n\s+at /);
    expect(result.status).toBe(status);
    expect(existsSync(paths["CATALOG"]!)).toBe(false);
    expect(readdirSync(paths["SONGS"]!)).toHaveLength(songCount);
  });

  // As somebody who may not: nobody, where the tests run as root.
  const somebody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const asSomebody = (...args: string[]) =>
    spawnSync(process.execPath, [program, ...args], { encoding: "utf8", ...somebody });
  const canBeSomebody = process.platform !== "win32" && asSomebody("--version").status === 0;
  test.skipIf(!canBeSomebody)(
    `says what may not be read or written${canBeSomebody ? "" : " (skipped: the program is not readable for nobody)"}`,
    () => {
      const closed = mkdtempSync(join(tmpdir(), "longwave-closed-"));
      const open = mkdtempSync(join(tmpdir(), "longwave-open-"));
      try {
        writeFileSync(join(closed, "a.wav"), wav(song(1, 2)));
        writeFileSync(join(open, "secret.wav"), wav(song(1, 2)), { mode: 0 });
        writeFileSync(join(open, "song.wav"), wav(song(1, 2)), { mode: 0o644 });
        chmodSync(open, 0o755);
        chmodSync(closed, 0);
        const attempts: [status: number, message: RegExp, args: string[]][] = [
          [
            5,
            /secret\.wav cannot be read: no permission/,
            [join(open, "secret.wav"), "--catalog", join(open, "none")],
          ],
          [5, /No permission to read \S+; change its/, [closed, "--catalog", join(open, "catalog")]],
          [
            5,
            /No permission \(\S+manifest\.json\); change/,
            [join(open, "song.wav"), "--catalog", join(closed, "catalog")],
          ],
        ];
        for (const [status, message, args] of attempts) {
          const result = asSomebody("id", "enroll", ...args);
          expect(result.stderr).toMatch(message);
          expect(result.status, message.source).toBe(status);
        }
      } finally {
        chmodSync(closed, 0o700);
        for (const path of [closed, open]) rmSync(path, { recursive: true });
      }
    },
  );

  test("leaves the catalog as before or as after a change when killed while enrolling", async () => {
    const random = new SeededRandom(7);
    for (let round = 0; round < 5; round++) {
      const directory = join(folder, `killed-${round}`);
      const child = spawn(process.execPath, [
        program,
        "id",
        "enroll",
        join(folder, "songs"),
        "--catalog",
        directory,
      ]);
      await new Promise((resolve) => setTimeout(resolve, 150 + random.below(500)));
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("exit", resolve));
      const catalog = await Catalog.open(new DirectoryStore(directory));
      for (const track of catalog.tracks()) {
        const samples = song(Number.parseInt(track.id, 10)).slice(2 * sampleRate, 8 * sampleRate);
        expect((await catalog.identify({ samples, sampleRate })).match?.track.id).toBe(track.id);
      }
      await catalog.enroll({ id: "after" }, { samples: song(77), sampleRate });
      expect((await Catalog.open(new DirectoryStore(directory))).get("after")).toBeDefined();
    }
  });
});
