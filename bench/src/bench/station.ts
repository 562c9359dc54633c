// The whole station against its targets: a long run in virtual time (memory, lost events, exactness, latency), a run in real time (share of a
// core, memory, answers of the archive), and what each stage costs. `--hours N` sets the virtual length (default: what fits one
// minute, at most 24), `--seconds N` the real one (default 45), `--json` prints JSON.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Archive } from "@longwave/archive";
import { MemoryStore, VirtualClock } from "@longwave/base";
import { DirectoryStore } from "@longwave/base/node";
import { Catalog } from "@longwave/catalog";
import { createSeekableDecoder } from "@longwave/opus";
import {
  ArchiveRecorder,
  blockFrames,
  bondOverVirtualLinks,
  enrollRepertoire,
  LiveIdentifier,
  makeRepertoire,
  OpusCodec,
  runVirtualStation,
  Scope,
  StationArchive,
  type StationEvent,
  songProgramme,
  stationMarkKey,
  WatermarkReader,
} from "@longwave/station";
import { repositoryPath } from "@longwave/testkit";
import { printReport } from "../side-by-side.js";

type Row = Readonly<Record<"what" | "value" | "target" | "verdict", string>>;

const argument = (name: string, fallback: number) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const maxHours = argument("--hours", 24);
const wantsAll = process.argv.includes("--hours");
const liveSeconds = argument("--seconds", 45);
const virtualBudgetMs = 60_000;
const folder = mkdtempSync(join(tmpdir(), "longwave-station-bench-"));
const rows: Row[] = [];

function row(what: string, value: string, target = "-", ok?: boolean): void {
  const verdict = ok === undefined ? "" : ok ? "ok" : "MISSED";
  rows.push({ what, value, target, verdict });
  process.stderr.write(`${what}: ${value}   ${target === "-" ? "" : `target ${target}: ${verdict}`}\n`);
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Packets that were made before, so that the bond is measured without its codec. */
class FixedPackets {
  readonly name = "made before";
  readonly packetsPerBlock = 1;
  readonly #packets: readonly Uint8Array[];
  #next = 0;

  constructor(packets: readonly Uint8Array[]) {
    this.#packets = packets;
  }

  encode(_block: Float32Array, send: (packet: Uint8Array) => void): void {
    send(this.#packets[this.#next++ % this.#packets.length]!);
  }

  decode(): boolean {
    return true;
  }

  conceal(): void {}
}

try {
  await stages();
  await virtualRun();
  await cutLinks();
  await realTime();
  printReport("Station", rows);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Each stage alone over a minute of sound, as a share of one core in real time. */
async function stages(): Promise<void> {
  const seconds = 60;
  const blocks = seconds * 50;
  const repertoire = makeRepertoire(7, 2);
  const programme = songProgramme(repertoire, 7);
  const sound = Array.from({ length: blocks }, () => new Float32Array(2 * blockFrames));
  const shares = new Map<string, number>();
  const measure = async (name: string, run: () => unknown) => {
    const before = cpuMs();
    await run();
    shares.set(name, (cpuMs() - before) / (seconds * 1000));
  };
  await measure("programme (composed songs)", () => {
    for (const block of sound) programme.read(block, () => {});
  });
  const codec = new OpusCodec();
  const packets: Uint8Array[] = [];
  await measure("Opus encoder, 96 kbit/s", () => {
    for (const block of sound) codec.encode(block, (packet) => packets.push(packet.slice()));
  });
  const decoded = new Float32Array(2 * blockFrames);
  await measure("Opus decoder", () => {
    for (const packet of packets) codec.decode(packet, 0, packet.length, 0, decoded);
  });
  const clock = new VirtualClock();
  const bond = bondOverVirtualLinks({ clock, seed: 7, codec: new FixedPackets(packets) });
  await measure("bonding over two links, simulated network included", () => {
    for (let n = 0; n < blocks; n++) {
      bond.send(sound[n]!, n * blockFrames);
      clock.runUntil(clock.nowUs() + 20_000);
    }
  });
  const archive = await StationArchive.open(new DirectoryStore(join(folder, "stage")), {
    clock,
    place: "bench",
  });
  const recorder = new ArchiveRecorder({
    archive,
    stream: "bench",
    clock,
    codec: codec.name,
    playedAtUs: (frame) => (frame * 1e6) / 48_000,
    onEvent: () => {},
  });
  await measure("archive: proof, outline, disk once a second", async () => {
    for (const [n, packet] of packets.entries()) {
      recorder.write(packet, sound[n]!, n * blockFrames);
      await recorder.settle();
    }
    await recorder.close();
  });
  const catalog = await Catalog.open(new MemoryStore(), { profile: "wang-v1" });
  await enrollRepertoire(catalog, repertoire);
  const identifier = new LiveIdentifier({ catalog, onEvent: () => {} });
  await measure("identification, twice a second", async () => {
    for (const [n, block] of sound.entries()) {
      identifier.write(block, n * blockFrames);
      await identifier.settle();
    }
  });
  const marks = new WatermarkReader(stationMarkKey, () => {});
  await measure("search for the watermark", () => {
    for (const [n, block] of sound.entries()) marks.write(block, n * blockFrames);
  });
  const scope = new Scope();
  await measure("picture for the console", () => {
    for (const [n, block] of sound.entries()) scope.write(block, n * blockFrames);
  });
  let total = 0;
  for (const [name, share] of shares) {
    total += share;
    row(`CPU, ${name}`, `${(100 * share).toFixed(2)} % of a core`);
  }
  row("CPU, all stages", `${(100 * total).toFixed(1)} % of a core`, "<= 50 %", total <= 0.5);
  row("stations that one core carries", (1 / total).toFixed(1));
}

async function virtualRun(): Promise<void> {
  const warmUpSeconds = 30;
  let before = performance.now();
  await runVirtualStation({ seed: 7, songs: 2, durationUs: warmUpSeconds * 1e6, onEvent: () => {} });
  const speed = (warmUpSeconds * 1000) / (performance.now() - before);
  const hours = wantsAll ? maxHours : Math.min(maxHours, (virtualBudgetMs * speed) / 3.6e6);
  const store = new DirectoryStore(join(folder, "archive"));
  const events: StationEvent[] = [];
  const memory: number[] = [];
  const timer = setInterval(() => void memory.push(process.memoryUsage.rss()), 1000);
  before = performance.now();
  await runVirtualStation({
    seed: 7,
    songs: 8,
    durationUs: Math.round(hours * 3.6e9),
    archiveStore: store,
    onEvent: (event) => {
      events.push(event);
      if (event.type === "match.held") memory.push(process.memoryUsage.rss());
    },
  });
  clearInterval(timer);
  const took = (performance.now() - before) / 1000;
  row(
    "virtual station",
    `${hours.toFixed(2)} h in ${took.toFixed(0)} s, ${((hours * 3600) / took).toFixed(0)} x real time`,
  );
  const isWhole = events.every((event, i) => event.seq === i);
  row("events, numbered without a gap", `${events.length}`, "none lost", isWhole);
  const concealed = events.reduce(
    (sum, event) => sum + (event.type === "sound.concealed" ? event.blocks : 0),
    0,
  );
  row("frames concealed, default links", `${concealed}`, "0", concealed === 0);
  const delays: number[] = [];
  let missed = 0;
  const songs = events.filter((event) => event.type === "programme.started" && event.item === "song");
  for (const song of songs) {
    if (song.type !== "programme.started") continue;
    const entered = events.find(
      (event) => event.type === "match.entered" && event.track === song.id && event.seq > song.seq,
    );
    if (entered === undefined) missed++;
    else delays.push((entered.atUs - song.atUs) / 1e6);
  }
  delays.sort((a, b) => a - b);
  const worst = delays.at(-1) ?? Number.POSITIVE_INFINITY;
  row(
    "capture to identified, median / worst",
    `${delays[delays.length >> 1]?.toFixed(2)} / ${worst.toFixed(2)} s of ${songs.length} songs`,
    "<= 5 s",
    worst <= 5 && missed <= 1,
  );
  const third = memory.slice(Math.floor(memory.length / 3), Math.floor((2 * memory.length) / 3));
  const last = memory.slice(Math.floor((2 * memory.length) / 3));
  const mean = (values: readonly number[]) =>
    values.reduce((sum, each) => sum + each, 0) / values.length / 2 ** 20;
  row(
    "memory, middle third / last third / most",
    `${mean(third).toFixed(0)} / ${mean(last).toFixed(0)} / ${(Math.max(...memory) / 2 ** 20).toFixed(0)} MB`,
    "< 400 MB, flat",
    Math.max(...memory) < 400 * 2 ** 20 && mean(last) < mean(third) * 1.15 + 10,
  );
  const archive = await Archive.open(store, { decoder: createSeekableDecoder });
  let findings = 0;
  let frames = 0;
  for (const info of await archive.list()) {
    frames += info.frames;
    findings += (await archive.verify(info.id, "hashes")).findings.length;
  }
  archive.close();
  row(
    "archive, checked against its hashes",
    `${(frames / 48_000 / 3600).toFixed(2)} h, ${findings} findings`,
    "0 findings",
    findings === 0,
  );
}

/** Each link cut for 10 s in turn. */
async function cutLinks(): Promise<void> {
  let concealed = 0;
  for (const link of ["lte", "dsl"]) {
    for (const seed of [1, 2, 3]) {
      const clock = new VirtualClock();
      const codec = new OpusCodec();
      const path = bondOverVirtualLinks({ clock, seed, codec });
      const block = new Float32Array(2 * blockFrames);
      for (let n = 0; n < 30 * 50; n++) {
        if (n === 500 || n === 1000) path.changeLink(link, { cut: n === 500 });
        path.send(block, n * blockFrames);
        clock.runUntil(clock.nowUs() + 20_000);
      }
      concealed += path.status().concealedBlocks;
    }
  }
  row("frames concealed, each link cut for 10 s, 3 seeds", `${concealed}`, "0", concealed === 0);
}

async function realTime(): Promise<void> {
  const program = repositoryPath("apps/cli/dist/main.js");
  const args = ["station", "--port", "0", "--songs", "6", "--archive", join(folder, "live")];
  const station: ChildProcess = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, NO_COLOR: "1" },
  });
  try {
    const started = performance.now();
    const url = await new Promise<string>((resolve, reject) => {
      let text = "";
      station.stdout!.setEncoding("utf8").on("data", (piece: string) => {
        text += piece;
        const found = /(http:\/\/\S+)\s/.exec(text)?.[1];
        if (found !== undefined) resolve(found);
      });
      station.once("exit", (status) => reject(new Error(`The station ended with ${status}.`)));
    });
    const listening = (performance.now() - started) / 1000;
    row("from start to listening", `${listening.toFixed(2)} s`, "<= 30 s", listening <= 30);
    const read = async () => {
      const text = await (await fetch(`${url}v1/metrics`)).text();
      const value = (name: string) =>
        Number(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, "m").exec(text)?.[1] ?? 0);
      return {
        cpu: value("longwave_process_cpu_seconds_total"),
        rss: value("longwave_process_resident_bytes"),
        concealed: value("longwave_concealed_blocks_total"),
      };
    };
    // The first minute also enrolls the programme; the share is taken once that is over.
    for (let waited = 0; waited < 120; waited++) {
      const { ready } = (await (await fetch(`${url}v1/ready`)).json()) as { ready: boolean };
      if (ready) break;
      await sleep(1000);
    }
    const first = await read();
    const begun = performance.now();
    await sleep(liveSeconds * 1000);
    const last = await read();
    const share = ((last.cpu - first.cpu) * 1000) / (performance.now() - begun);
    row(
      `station in real time, ${liveSeconds} s`,
      `${(100 * share).toFixed(1)} % of a core`,
      "<= 50 %",
      share <= 0.5,
    );
    row("memory in real time", `${(last.rss / 2 ** 20).toFixed(0)} MB`, "< 400 MB", last.rss < 400 * 2 ** 20);
    const concealed = last.concealed - first.concealed;
    row("frames concealed in real time", `${concealed}`, "0", concealed === 0);
    const { recordings } = (await (await fetch(`${url}v1/archive`)).json()) as {
      recordings: { id: string; frames: number }[];
    };
    const { id, frames } = recordings.at(-1)!;
    const times: number[] = [];
    for (let i = 0; i < 30; i++) {
      const from = Math.max(0, frames - 30 * 48_000) + i * 4800;
      const asked = performance.now();
      await (await fetch(`${url}v1/archive/${id}?from=${from}&to=${from + 24_000}`)).arrayBuffer();
      times.push(performance.now() - asked);
    }
    times.sort((a, b) => a - b);
    row(
      "sound of 30 s ago, median / worst of 30",
      `${times[15]!.toFixed(0)} / ${times.at(-1)!.toFixed(0)} ms`,
      "<= 100 ms",
      times.at(-1)! <= 100,
    );
  } finally {
    station.removeAllListeners("exit");
    const gone = new Promise((resolve) => station.once("exit", resolve));
    station.kill("SIGINT");
    await gone;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
