import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeWav } from "@longwave/media";
import { composeSong, SongRenderer } from "@longwave/station";
import { repositoryPath } from "@longwave/testkit";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { resolveSettings } from "../src/config.ts";

const program = repositoryPath("apps/cli/dist/main.js");
const recipes = repositoryPath("recipes");
let folder = "";
const children: ChildProcess[] = [];

interface Event {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A station in its own process and folder, with what it printed so far. */
class Run {
  readonly events: Event[] = [];
  readonly child: ChildProcess;
  stderr = "";

  constructor(recipe: string, args: readonly string[]) {
    const options = ["--config", join(recipes, recipe), "--port", "0", "--songs", "1", "--json", ...args];
    this.child = spawn(process.execPath, [program, "station", ...options], { cwd: folder });
    children.push(this.child);
    let rest = "";
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.events.push(JSON.parse(line) as Event);
    });
  }

  /** Waits for an event of this type, of which `isMeant` holds. */
  async event(type: string, isMeant: (event: Event) => boolean = () => true): Promise<Event> {
    const find = () => this.events.find((each) => each.type === type && isMeant(each));
    await expect
      .poll(() => find() !== undefined || this.child.exitCode !== null, {
        timeout: 150_000,
        interval: 100,
        message: `${type} ${this.stderr}`,
      })
      .toBe(true);
    const found = find();
    if (found === undefined) throw new Error(`The station ended without ${type}: ${this.stderr}`);
    return found;
  }

  async stop(signal: NodeJS.Signals = "SIGINT"): Promise<void> {
    const gone = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill(signal);
    await gone;
  }
}

/** Seconds of a composed song as WAV. */
function songWav(seconds: number): Uint8Array {
  const pcm = new Float32Array(seconds * 96_000);
  new SongRenderer(composeSong(3, 0)).read(pcm);
  return encodeWav(pcm, { sampleRate: 48_000, channels: 2, encoding: "s16" });
}

/** A radio that sends 1.5 s at once and the rest as it plays; after a cut it is gone for 2 s. */
async function openRadio(wav: Uint8Array): Promise<{ url: string; cut(): void; close(): void }> {
  let awayUntil = 0;
  const server = createServer((_, response) => {
    if (Date.now() < awayUntil) return void response.destroy();
    const began = Date.now();
    let sent = 0;
    const timer = setInterval(() => {
      const end = 44 + Math.floor((Date.now() - began + 1500) * 192);
      response.write(wav.subarray(sent, end));
      sent = Math.min(end, wav.length);
    }, 50);
    response.on("close", () => clearInterval(timer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}/live`,
    cut() {
      awayUntil = Date.now() + 2000;
      server.closeAllConnections();
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

test("every recipe is a good configuration of this version", () => {
  const names = readdirSync(recipes).filter((name) => name.endsWith(".toml"));
  expect(names.length).toBeGreaterThanOrEqual(5);
  for (const name of names) {
    const settings = resolveSettings({}, {}, join(recipes, name));
    expect(settings.input.origin, name).toBe("file");
    expect(settings.impair.value, name).toBe("none");
    const guide = /docs\/guide\/\S+\.md/.exec(readFileSync(join(recipes, name), "utf8"))?.[0];
    expect(existsSync(repositoryPath(guide!)), `${name}: ${guide}`).toBe(true);
  }
});

describe.skipIf(!existsSync(program))("the recipes in short form (needs npm run build)", () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "longwave-recipes-"));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await gone;
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("the broadcast logger records a stream, goes on after a crash, and its exports can be proven", async () => {
    const radio = await openRadio(songWav(60));
    const first = new Run("broadcast-logger.toml", ["--input", radio.url]);
    const { recording } = await first.event("archive.started");
    await new Promise((resolve) => setTimeout(resolve, 3500));
    await first.stop("SIGKILL");
    const second = new Run("broadcast-logger.toml", ["--input", radio.url]);
    expect(await second.event("archive.continued")).toMatchObject({ recording });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    // A stream that breaks off leaves a gap, not silence.
    radio.cut();
    const gap = await second.event("archive.gap", ({ reason }) => reason === "source-away");
    expect(gap).toMatchObject({ recording });
    await second.stop();
    await second.event("archive.completed");
    expect(second.child.exitCode).toBe(0);
    radio.close();

    const longwave = (...args: string[]) =>
      spawnSync(process.execPath, [program, ...args], { cwd: folder, encoding: "utf8", timeout: 150_000 });
    const verified = longwave("archive", "verify", "./archive", "--level", "decode");
    expect(verified.stderr + verified.stdout).toMatch(/ok/);
    expect(verified.status).toBe(0);
    const proof = { format: "longwave-proof", version: 1, recording, from: 48_000, to: 96_000 };
    writeFileSync(join(folder, "wrong.json"), JSON.stringify(proof));
    expect(longwave("archive", "check-proof", "./archive", "wrong.json").status).toBe(5);
    writeFileSync(join(folder, "none.json"), "{}");
    expect(longwave("archive", "check-proof", "./archive", "none.json").status).toBe(3);
  });

  test("the music monitor writes a report of the day", async () => {
    writeFileSync(join(folder, "song.wav"), songWav(20));
    const run = new Run("music-monitor.toml", ["--input", join(folder, "song.wav")]);
    await run.event("match.entered");
    await run.stop();
    const files = readdirSync(join(folder, "reports"));
    const json = files.find((name) => name.endsWith(".json"))!;
    const { airings } = JSON.parse(readFileSync(join(folder, "reports", json), "utf8")) as {
      airings: { title: string }[];
    };
    expect(airings[0]?.title).toBe("song");
    const csv = readFileSync(join(folder, "reports", json.replace(".json", ".csv")), "utf8");
    expect(csv).toMatch(/^startedAt,endedAt,.*\r\n\d{4}-.*,song,/);
  });

  test("the contribution link carries the studio's sound to the transmitter", async () => {
    const port = await freePort();
    writeFileSync(join(folder, "studio.wav"), songWav(20));
    const transmitter = new Run("contribution-transmitter.toml", [
      "--input",
      `rist://@127.0.0.1:${port}?buffer=300`,
    ]);
    await transmitter.event("station.started");
    new Run("contribution-studio.toml", [
      "--input",
      join(folder, "studio.wav"),
      "--send",
      `rist://127.0.0.1:${port}`,
    ]);
    expect(await transmitter.event("programme.started")).toMatchObject({ item: "live" });
    expect(await transmitter.event("archive.started")).toMatchObject({ type: "archive.started" });
  });

  test("the talking station speaks the lines of its file", async () => {
    writeFileSync(join(folder, "texts.txt"), "# weather\n\nIt is raining.\nIt is windy.\n");
    writeFileSync(join(folder, "music.wav"), songWav(20));
    const run = new Run("talking-station.toml", ["--input", join(folder, "music.wav"), "--every", "1s"]);
    expect(await run.event("speech.started")).toMatchObject({ text: "It is raining.", engine: "formant" });
    await run.stop();
    const without = spawnSync(
      process.execPath,
      [program, "station", "--texts", join(folder, "nowhere.txt"), "--port", "0"],
      { cwd: folder, encoding: "utf8", timeout: 150_000 },
    );
    expect(without.stderr).toMatch(/Cannot read the texts/);
    expect(without.status).toBe(2);
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1", () => {
      const { port } = socket.address();
      socket.close(() => resolve(port - (port % 2)));
    });
  });
}
