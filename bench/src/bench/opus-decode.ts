// npm run bench -- opus-decode [--json] [--rounds N]: decoding to 16 bit beside libopus-wasm (libopus 1.6.1) and @evan/opus
// (its WASM build with SIMD), packets of libopus at complexity 10, 20 ms; then memory. Needs the shared audio and espeak-ng.
import { createRequire } from "node:module";
import { OpusCore, OpusDecoder } from "@longwave/opus";
import { Application, createDecoder, createEncoder } from "libopus-wasm";
import { type Material, music, speech } from "../opus-material.ts";
import { sideBySide } from "../side-by-side.ts";

process.env["OPUS_FORCE_WASM"] = "1";
const evan = createRequire(import.meta.url)("@evan/opus") as {
  Decoder: new (options: {
    channels: number;
    sample_rate: number;
  }) => { decode(packet: Uint8Array): Uint8Array };
};

async function encode(material: Material, kbps: number): Promise<Uint8Array[]> {
  const { pcm, sampleRate, channels } = material;
  const encoder = await createEncoder({
    sampleRate,
    channels,
    application: Application.Audio,
    bitrate: kbps * 1000,
    complexity: 10,
  });
  const frameSize = sampleRate / 50;
  const packets: Uint8Array[] = [];
  for (let at = 0; at + frameSize * channels <= pcm.length; at += frameSize * channels) {
    packets.push(encoder.encode(pcm.subarray(at, at + frameSize * channels), { frameSize }).slice());
  }
  encoder.free();
  return packets;
}

const roundsAt = process.argv.indexOf("--rounds");
const rounds = roundsAt < 0 ? 7 : Number(process.argv[roundsAt + 1]);
const asJson = process.argv.includes("--json");
const verdict = (ok: boolean) => (ok ? "ok" : "MISSED");
/** Least speed of a row relative to @evan/opus, and of all rows' geometric mean to libopus-wasm. */
const rowTarget = 1.05;
const meanTarget = 1.15;
const rows: Record<string, string | number>[] = [];
let logSum = 0;

function printRow(row: Record<string, string | number>): void {
  if (asJson) return;
  if (rows.length === 1) {
    const names = Object.keys(row);
    console.log(`## Opus decoding to 16 bit (Node ${process.version}, ${process.arch})\n`);
    console.log(`| ${names.join(" | ")} |\n| ${names.map(() => "---").join(" | ")} |`);
  }
  console.log(`| ${Object.values(row).join(" | ")} |`);
}

for (const material of [await music(), await speech()]) {
  for (const kbps of [16, 32, 64, 128]) {
    const packets = await encode(material, kbps);
    const { sampleRate, channels } = material;
    const seconds = packets.length / 50;
    const ours = new OpusDecoder({ sampleRate, channels });
    const pcm = new Int16Array(5760 * 2);
    const libopus = await createDecoder({ sampleRate, channels });
    const simd = new evan.Decoder({ channels, sample_rate: sampleRate });
    const measured = sideBySide(
      [
        {
          name: "longwave",
          unitsPerRun: seconds,
          run: () => {
            for (const packet of packets) ours.decodeInt16(packet, pcm);
          },
        },
        {
          name: "libopus-wasm",
          unitsPerRun: seconds,
          run: () => {
            for (const packet of packets) libopus.decode(packet);
          },
        },
        {
          name: "@evan/opus wasm",
          unitsPerRun: seconds,
          run: () => {
            for (const packet of packets) simd.decode(packet);
          },
        },
      ],
      { rounds, millisecondsPerRound: 150 },
    );
    const speed = measured.map(({ microseconds }) => 1e6 / microseconds);
    const [own, wasm, other] = speed as [number, number, number];
    logSum += Math.log(own / wasm);
    rows.push({
      material: `${material.name} ${kbps} kbit/s`,
      "longwave x real time": Math.round(own),
      "libopus-wasm": Math.round(wasm),
      "@evan/opus wasm": Math.round(other),
      "to libopus-wasm": (own / wasm).toFixed(2),
      "to @evan/opus": (own / other).toFixed(2),
      [`target ${rowTarget}`]: verdict(own / other >= rowTarget),
      "spread %": Math.round(100 * Math.max(...measured.map(({ spread }) => spread))),
    });
    printRow(rows.at(-1)!);
    ours.close();
    libopus.free();
  }
}
const mean = Math.exp(logSum / rows.length);

/** Bytes that a stereo decoder takes, and how many a core of 64 MiB holds. */
function memory(): { slotBytes: number; most: number } {
  const core = OpusCore.create({ memoryMiB: 64 });
  const most = core.freeSlots;
  // They do fit: the constructor throws where one does not.
  const decoders = Array.from({ length: most }, () => new OpusDecoder({ core }));
  const fewer = OpusCore.create({ memoryMiB: 4 }).freeSlots;
  return { slotBytes: (60 * 1024 * 1024) / (most - fewer), most: decoders.length };
}

const { slotBytes, most } = memory();
const others = [
  {
    what: "geometric mean to libopus-wasm",
    figure: mean.toFixed(2),
    target: `>= ${meanTarget}`,
    ok: mean >= meanTarget,
  },
  {
    what: "KiB a stereo decoder",
    figure: (slotBytes / 1024).toFixed(1),
    target: "<= 32",
    ok: slotBytes <= 32_768,
  },
  { what: "decoders in one core of 64 MiB", figure: String(most), target: ">= 1000", ok: most >= 1000 },
];
if (asJson) {
  console.log(
    JSON.stringify(
      { title: "Opus decoding to 16 bit", node: process.version, arch: process.arch, rows, others },
      null,
      2,
    ),
  );
} else {
  console.log("\n| | figure | target | |\n| --- | --- | --- | --- |");
  for (const { what, figure, target, ok } of others) {
    console.log(`| ${what} | ${figure} | ${target} | ${verdict(ok)} |`);
  }
}
const missed = others.some(({ ok }) => !ok) || JSON.stringify(rows).includes("MISSED");
if (process.argv.includes("--require") && missed) process.exitCode = 1;
