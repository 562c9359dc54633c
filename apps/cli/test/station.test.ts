import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeWav } from "@longwave/media";
import { eventLine, runVirtualStation } from "@longwave/station";
import { repositoryPath } from "@longwave/testkit";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { runCommandLine } from "../src/run.ts";

const program = repositoryPath("apps/cli/dist/main.js");
const isRoot = process.getuid?.() === 0;
let folder = "";
const children: ChildProcess[] = [];

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program to its end in a process of its own. */
function longwave(args: readonly string[], input?: Uint8Array): Promise<Ended> {
  const child = spawn(process.execPath, [program, ...args], { cwd: folder });
  children.push(child);
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  return new Promise((resolve) => child.on("close", (status) => resolve({ status, stdout, stderr })));
}

/** The same without a process of its own, for what ends before anything begins; it starts in a tenth of the time. */
async function longwaveHere(args: readonly string[]): Promise<Ended> {
  let stderr = "";
  const write = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    stderr += String(text);
    return true;
  });
  try {
    return { status: await runCommandLine(args), stdout: "", stderr };
  } finally {
    write.mockRestore();
  }
}

/** Starts a station that stays, and waits for its first lines as JSON. */
async function startStation(
  args: readonly string[],
  until: (line: string) => boolean,
  input?: Uint8Array,
): Promise<string[]> {
  const child = spawn(process.execPath, [program, "station", "--port", "0", "--json", ...args], {
    cwd: folder,
  });
  children.push(child);
  if (input !== undefined) {
    child.stdin.on("error", () => {});
    child.stdin.write(input);
  }
  const lines: string[] = [];
  let rest = "";
  let problems = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    problems += text;
  });
  return new Promise((resolve, reject) => {
    child.on("exit", (status) => reject(new Error(`The station ended with ${status}: ${problems}`)));
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      lines.push(...parts);
      if (parts.some(until)) resolve(lines);
    });
  });
}

async function end(child: ChildProcess): Promise<void> {
  child.removeAllListeners("exit");
  if (child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGINT");
  await gone;
}

/** A tone that changes its pitch, so that it has peaks. */
function melody(seconds: number, rateHz: number, channels: number): Float32Array {
  const sound = new Float32Array(seconds * rateHz * channels);
  for (let i = 0; i < sound.length / channels; i++) {
    const hz = 220 * 2 ** (((Math.floor((i * 4) / rateHz) * 7) % 24) / 12);
    for (let c = 0; c < channels; c++)
      sound[i * channels + c] = 0.4 * Math.sin((2 * Math.PI * hz * i) / rateHz);
  }
  return sound;
}

const wav = (seconds: number, rateHz = 48_000) =>
  encodeWav(melody(seconds, rateHz, 2), { sampleRate: rateHz, channels: 2, encoding: "s16" });

describe.skipIf(!existsSync(program))("longwave station (needs npm run build)", () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "longwave-station-"));
  });
  afterEach(async () => {
    await Promise.all(children.splice(0).map(end));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("--virtual prints the same log in another process as in this one, byte for byte", async () => {
    const elsewhere = longwave(["station", "--virtual", "12s", "--seed", "11", "--songs", "1"]);
    const hash = createHash("sha256");
    await runVirtualStation({
      seed: 11,
      songs: 1,
      durationUs: 12e6,
      onEvent: (event) => void hash.update(`${eventLine(event)}\n`),
    });
    const run = await elsewhere;
    expect(run.stderr).toBe("");
    expect(run.status).toBe(0);
    expect(run.stdout).toContain('"type":"match.entered"');
    expect(createHash("sha256").update(run.stdout).digest("hex")).toBe(hash.digest("hex"));
  });

  test("ends with 0 and gives everything back when it is told to stop while it starts", async () => {
    const archive = join(folder, "stopped-early");
    const running = longwave(["station", "--port", "0", "--songs", "1", "--archive", archive]);
    const child = children.at(-1)!;
    const lock = () => existsSync(join(archive, ".studio-1.lock"));
    // The archive is the first thing that it opens; on air it is later.
    await expect.poll(lock, { timeout: 60_000, interval: 5 }).toBe(true);
    child.kill("SIGTERM");
    const { status, stderr } = await running;
    expect([status, stderr, lock()]).toEqual([0, "", false]);
  });

  test("plays a file of the user's own, enrolls it and recognises it", async () => {
    const path = join(folder, "mine.wav");
    writeFileSync(path, wav(14, 44_100));
    const lines = await startStation(["--input", path], (line) => line.includes('"match.entered"'));
    const entered = JSON.parse(lines.find((line) => line.includes('"match.entered"'))!) as { title: string };
    expect(entered.title).toBe("mine");
  });

  test("plays a directory, and reports what in it cannot be played", async () => {
    const directory = join(folder, "music");
    mkdirSync(join(directory, "deep"), { recursive: true });
    writeFileSync(join(directory, "a-broken.wav"), "this is no sound");
    writeFileSync(join(directory, "deep", "b-good.wav"), wav(3));
    const lines = await startStation(["--input", directory], (line) => line.includes('"programme.started"'));
    expect(lines.join("\n")).toContain("a-broken.wav");
    expect(lines.join("\n")).toContain('"title":"b-good","detail":"deep"');
  });

  test("plays raw PCM and WAV from standard input, live", async () => {
    const sound = wav(2);
    const began = (line: string) => line.includes('"programme.started"');
    const logs = await Promise.all(
      [sound, sound.subarray(44), wav(2, 44_100)].map((input) =>
        startStation(["--input", "-"], began, input),
      ),
    );
    for (const lines of logs) expect(lines.join("\n")).toContain('"item":"live"');
  });

  test("answers bad input with one clear sentence and the documented exit code", async () => {
    const empty = join(folder, "empty.wav");
    const text = join(folder, "notes.wav");
    const directory = join(folder, "no-audio");
    writeFileSync(empty, "");
    writeFileSync(text, "Dear diary");
    mkdirSync(directory);
    writeFileSync(join(directory, "readme.txt"), "no sound here");
    const cases: [readonly string[], number, RegExp, Uint8Array?][] = [
      [["--input", join(folder, "nowhere.wav")], 2, /no file or directory .*nowhere\.wav/],
      [["--input", directory], 2, /holds no audio files/],
      [["--input", empty], 3, /empty/],
      [["--input", text], 3, /notes\.wav|not known|unknown|format/i],
      [["--input", "-"], 2, /Standard input is empty/, new Uint8Array(0)],
      [["--input", "-", "--input-channels", "9"], 2, /1 to 8 channels/, new Uint8Array(9000)],
      [["--input", "-", "--input-rate", "9"], 2, /1000 to 768000 Hz/, new Uint8Array(9000)],
      [["--virtual", "soon"], 2, /no duration/],
      [["--virtual", "1s", "--input", "-"], 2, /leave out --input/],
      [["--virtual", "1s", "--input-rate", "8000"], 2, /leave out --input-rate/],
      [["--virtual", "1s", "--report", "x"], 2, /leave out --report/],
      [["--port", "99999"], 2, /0 to 65535/],
      [["--port", "x"], 2, /whole number/],
      [["--songs", "0"], 2, /1 to 500/],
      [["--address", "0.0.0.0", "--port", "0"], 2, /set a token/],
      [["--no-such-option"], 2, /unknown option/],
      [["--config", join(folder, "nowhere.toml")], 2, /Cannot read/],
    ];
    const check = ([args, status, message]: (typeof cases)[number], run: Ended) => {
      expect(run.stderr, args.join(" ")).toMatch(message);
      expect(run.stderr, args.join(" ")).not.toMatch(/\n\s+at /);
      expect(run.status, `${args.join(" ")}: ${run.stderr}`).toBe(status);
    };
    // Standard input needs a process; all of them start together.
    const elsewhere = cases.map((each) => each[3] && longwave(["station", ...each[0]], each[3]));
    for (const [i, each] of cases.entries()) {
      if (elsewhere[i] === undefined) check(each, await longwaveHere(["station", ...each[0]]));
    }
    for (const [i, each] of cases.entries()) {
      const run = await elsewhere[i];
      if (run !== undefined) check(each, run);
    }
  });

  test.skipIf(isRoot)("says that it may not read a file (skipped for root, who may)", async () => {
    const path = join(folder, "secret.wav");
    writeFileSync(path, wav(1));
    chmodSync(path, 0);
    const run = await longwaveHere(["station", "--input", path]);
    expect(run.stderr).toMatch(/permission/i);
    expect(run.status).toBe(5);
  });

  test("says which port is taken and what to do", async () => {
    const taken: Server = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as { port: number };
    const run = await longwave(["station", "--songs", "1", "--port", String(port)]);
    taken.close();
    expect(run.stderr).toContain(`Port ${port} on 127.0.0.1 is in use`);
    expect(run.stderr).toContain("--port");
    expect(run.status).toBe(5);
  });
});

describe.skipIf(!existsSync(program))("longwave config (needs npm run build)", () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "longwave-config-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const show = (environment: Record<string, string>) => {
    const run = spawnSync(process.execPath, [program, "config", "show", "--origin", "--json"], {
      encoding: "utf8",
      cwd: folder,
      env: { ...process.env, ...environment },
    });
    return JSON.parse(run.stdout) as Record<string, { value: unknown; origin: string }>;
  };

  test("takes the environment before the file and the file before the default, and hides the token", () => {
    writeFileSync(join(folder, "longwave.toml"), 'port = 8001\nseed = 3\ntoken = "0123456789abcdef"\n');
    const settings = show({ LONGWAVE_PORT: "8002" });
    expect(settings["port"]).toMatchObject({ value: 8002, origin: "environment" });
    expect(settings["seed"]).toMatchObject({ value: 3, origin: "file" });
    expect(settings["songs"]).toMatchObject({ value: 24, origin: "default" });
    expect(settings["token"]).toMatchObject({ value: "(hidden)", origin: "file" });
  });

  test("names what is wrong in a file", async () => {
    for (const [content, message, status] of [
      ["prot = 1\n", /unknown key prot/, 2],
      ['port = "many"\n', /port in .*whole number/, 2],
      ["port = = 1\n", /no TOML/, 3],
    ] as const) {
      writeFileSync(join(folder, "longwave.toml"), content);
      const run = await longwaveHere(["config", "check", "--config", join(folder, "longwave.toml")]);
      expect(run.stderr).toMatch(message);
      expect(run.status).toBe(status);
    }
  });
});
