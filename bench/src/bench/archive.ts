// The archive's targets: import with proof beside one sequential decode, random access beside decoding alone, ffmpeg -ss
// and a fixed pre-roll, size of the index, requests. `--hours N` sets the length (default 2), `--json` prints JSON.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Archive, oggPages, type PacketItem } from "@longwave/archive";
import { SeededRandom } from "@longwave/base";
import { DirectoryStore } from "@longwave/base/node";
import { opusPacketFrames, plainOpusHead } from "@longwave/media";
import { createSeekableDecoder } from "@longwave/opus";
import { Application, Bandwidth, createEncoder, type EncoderOptions, Signal } from "libopus-wasm";
import { printReport } from "../side-by-side.js";

const hours = Number(process.argv[process.argv.indexOf("--hours") + 1] || 2) || 2;
const folder = mkdtempSync(join(tmpdir(), "longwave-archive-bench-"));
const random = new SeededRandom(20);

const kinds: readonly { name: string; channels: 1 | 2; encoder: EncoderOptions; voice: boolean }[] = [
  {
    name: "CELT music 64k stereo",
    channels: 2,
    encoder: { application: Application.RestrictedLowDelay, bitrate: 64_000 },
    voice: false,
  },
  {
    name: "SILK speech 16k mono",
    channels: 1,
    encoder: {
      application: Application.Voip,
      signal: Signal.Voice,
      maxBandwidth: Bandwidth.Wideband,
      bitrate: 16_000,
    },
    voice: true,
  },
];

try {
  const rows = [];
  for (const kind of kinds) rows.push(...(await measure(kind)));
  printReport(`Archive, ${hours} h a recording`, rows);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measure(kind: (typeof kinds)[number]) {
  const minute = await encodeMinute(kind);
  const items = function* (): Generator<PacketItem> {
    yield { type: "segment", head: plainOpusHead(kind.channels, 312) };
    for (let i = 0; i < hours * 60; i++) for (const data of minute) yield { type: "packet", data };
  };
  const sequentialMs = cpuMs(() => {
    const decoder = createSeekableDecoder(plainOpusHead(kind.channels, 312), "opus-1");
    const pcm = new Float32Array(5760 * kind.channels);
    for (let i = 0; i < hours * 60; i++) for (const data of minute) decoder.decode(data, pcm);
    decoder.close();
  });
  const store = new DirectoryStore(join(folder, kind.name.replaceAll(" ", "-")));
  const archive = await Archive.open(store, { decoder: createSeekableDecoder });
  globalThis.gc?.();
  const rssBefore = process.memoryUsage.rss();
  let rssPeak = rssBefore;
  const before = process.cpuUsage();
  const { info } = await archive.import(
    { channels: kind.channels, items },
    { id: "r", onProgress: () => void (rssPeak = Math.max(rssPeak, process.memoryUsage.rss())) },
  );
  const used = process.cpuUsage(before);
  const importMs = (used.user + used.system) / 1000;
  const { counts } = info;

  const secondMs = sequentialMs / (hours * 3600);
  const all = await randomSeconds(archive, info.frames, 0, info.frames, 400);
  const first = await randomSeconds(archive, info.frames, 0, info.frames / hours, 100);
  const last = await randomSeconds(archive, info.frames, info.frames * (1 - 1 / hours), info.frames, 100);
  const cold: number[] = [];
  for (let i = 0; i < 20; i++) {
    const fresh = await Archive.open(store, { decoder: createSeekableDecoder });
    const from = random.below(info.frames - 48_000);
    cold.push((await fresh.read("r", { from, to: from + 48_000 })).report.requests + 1);
    fresh.close();
  }
  const file = join(folder, "peer.opus");
  const pages = [];
  for await (const page of oggPages(info, archive.packets("r"))) pages.push(page);
  writeFileSync(file, Buffer.concat(pages));
  archive.close();
  const row = (what: string, value: string, target: string) => ({
    recording: kind.name,
    what,
    value,
    target,
  });
  return [
    row("import with proof ÷ sequential decode (CPU)", (importMs / sequentialMs).toFixed(2), "≤ 1.5"),
    row("memory growth of the import", `${((rssPeak - rssBefore) / 2 ** 20).toFixed(0)} MiB`, "≤ 64 MB"),
    row(
      "index, share of packet bytes",
      `${((100 * counts.indexBytes) / counts.packetBytes).toFixed(2)} %`,
      kind.voice ? "≤ 4 %" : "≤ 1.5 %",
    ),
    row(
      "run-ups stored twice",
      `${((100 * counts.preRollBytes) / counts.packetBytes).toFixed(1)} %`,
      "≤ 10 % with the index",
    ),
    row(
      "seek points proven; states",
      `${counts.provenPoints} of ${counts.points}; ${counts.checkpoints}`,
      "-",
    ),
    row("1 s at random, median / p95", `${all.median.toFixed(1)} / ${all.p95.toFixed(1)} ms`, "≤ 25 / 60 ms"),
    row("1 s at random ÷ decoding 50 packets", (all.median / secondMs).toFixed(2), "≤ 3"),
    row("last hour ÷ first hour", (last.median / first.median).toFixed(2), "0.8 to 1.2"),
    row("packets decoded for 1 s, mean / most", `${all.packets.toFixed(0)} / ${all.mostPackets}`, "≤ 51 + k"),
    row(
      "requests for 1 s, cold / warm mean",
      `${Math.max(...cold)} / ${all.requests.toFixed(2)}`,
      "≤ 4 / 1.2",
    ),
    row("ffmpeg -ss, 1 s, whole process, median", ffmpegSeek(file, info.frames), "(not exact)"),
  ];
}

/** Reads of one second at random places of [from, to). */
async function randomSeconds(archive: Archive, frames: number, from: number, to: number, count: number) {
  const times: number[] = [];
  let packets = 0;
  let mostPackets = 0;
  let requests = 0;
  for (let i = 0; i < count; i++) {
    const start = Math.min(
      frames - 48_000,
      Math.floor(from) + random.below(Math.max(1, Math.floor(to - from))),
    );
    const began = performance.now();
    const { report } = await archive.read("r", { from: start, to: start + 48_000 });
    times.push(performance.now() - began);
    packets += report.packetsDecoded;
    mostPackets = Math.max(mostPackets, report.packetsDecoded);
    requests += report.requests;
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)]!;
  return {
    median: at(0.5),
    p95: at(0.95),
    packets: packets / count,
    mostPackets,
    requests: requests / count,
  };
}

function ffmpegSeek(file: string, frames: number): string {
  const times: number[] = [];
  for (let i = 0; i < 7; i++) {
    const at = String(random.below(Math.floor(frames / 48_000) - 1));
    const began = performance.now();
    const arguments_ = ["-v", "error", "-ss", at, "-t", "1", "-i", file, "-f", "s16le", "-y", "/dev/null"];
    if (spawnSync("ffmpeg", arguments_).status !== 0) return "ffmpeg is absent";
    times.push(performance.now() - began);
  }
  return `${times.sort((a, b) => a - b)[3]!.toFixed(0)} ms`;
}

/** A minute of packets: chords with decay, or pulses through a resonator with pauses. */
async function encodeMinute(kind: (typeof kinds)[number]): Promise<Uint8Array[]> {
  const encoder = await createEncoder({ channels: kind.channels, complexity: 5, ...kind.encoder });
  const packets: Uint8Array[] = [];
  const pcm = new Float32Array(960 * kind.channels);
  const state = [0, 0];
  for (let packet = 0; packet < 3000; packet++) {
    for (let i = 0; i < 960; i++) {
      const t = packet * 960 + i;
      let value = 0;
      if (kind.voice) {
        const pause = Math.floor(t / 14_400) % 3 === 2;
        const source = pause ? 0 : t % 400 === 0 ? 0.8 : 0.002 * (random.next() - 0.5);
        value = source + 1.92 * Math.cos(0.07) * state[0]! - 0.9216 * state[1]!;
        state[1] = state[0]!;
        state[0] = value;
        value = 0.2 * value + 0.0005 * (random.next() - 0.5);
      } else {
        const beat = Math.floor(t / 12_000);
        const decay = 1 - (t - beat * 12_000) / 12_000;
        for (const step of [0, 4, 7]) {
          const frequency = 220 * 2 ** (((beat * 5 + step) % 24) / 12);
          value += 0.2 * decay * Math.sin((2 * Math.PI * frequency * t) / 48_000);
        }
      }
      for (let c = 0; c < kind.channels; c++) pcm[i * kind.channels + c] = c === 0 ? value : value * 0.8;
    }
    const data = Uint8Array.from(encoder.encodeFloat(pcm));
    if (opusPacketFrames(data) !== 960) throw new Error("The encoder made a packet of another length.");
    packets.push(data);
  }
  encoder.free();
  return packets;
}

function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const used = process.cpuUsage(before);
  return (used.user + used.system) / 1000;
}
