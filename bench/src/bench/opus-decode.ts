// npm run bench -- opus-decode [--json] [--rounds N]: decoding to 16 bit beside libopus-wasm (libopus 1.6.1) and @evan/opus
// (its WASM build with SIMD), packets of libopus at complexity 10, 20 ms. Needs the shared audio, ffmpeg-free.
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { decodeAudioBytes, decodeAudioFile } from "@longwave/media/node";
import { OpusDecoder } from "@longwave/opus";
import { sharedPath } from "@longwave/testkit";
import { Application, createDecoder, createEncoder } from "libopus-wasm";
import { printReport, sideBySide } from "../side-by-side.ts";

process.env["OPUS_FORCE_WASM"] = "1";
const evan = createRequire(import.meta.url)("@evan/opus") as {
  Decoder: new (options: {
    channels: number;
    sample_rate: number;
  }) => { decode(packet: Uint8Array): Uint8Array };
};

interface Material {
  readonly name: string;
  readonly pcm: Int16Array;
  readonly sampleRate: 16000 | 48000;
  readonly channels: 1 | 2;
}

function toInt16(pcm: Float32Array): Int16Array {
  return Int16Array.from(pcm, (value) => Math.max(-32768, Math.min(32767, Math.round(value * 32768))));
}

async function music(): Promise<Material> {
  const path = sharedPath("data/audio/galway_stereo.flac");
  if (path === undefined) throw new Error("The shared audio is absent: set LONGWAVE_SHARED.");
  const { pcm } = await decodeAudioFile(path, { sampleRate: 48000, channels: 2 });
  return { name: "music", pcm: toInt16(pcm), sampleRate: 48000, channels: 2 };
}

async function speech(): Promise<Material> {
  const text =
    "Good evening. This is the news at nine. Rain is expected along the coast tonight, with strong winds from the west.";
  const voices = ["en-gb", "en-us", "de", "fr"];
  const parts: Float32Array[] = [];
  for (const voice of voices) {
    const wav = execFileSync("espeak-ng", ["-v", voice, "--stdout", text], { maxBuffer: 1 << 26 });
    const { pcm } = await decodeAudioBytes(new Uint8Array(wav), { sampleRate: 16000, channels: 1 });
    parts.push(pcm);
  }
  const joined = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return { name: "speech", pcm: toInt16(joined), sampleRate: 16000, channels: 1 };
}

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
const rows: Record<string, string | number>[] = [];
let logSum = 0;
let lowestEvan = Number.POSITIVE_INFINITY;
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
    lowestEvan = Math.min(lowestEvan, own / other);
    rows.push({
      material: `${material.name} ${kbps} kbit/s`,
      "longwave x real time": Math.round(own),
      "libopus-wasm": Math.round(wasm),
      "@evan/opus wasm": Math.round(other),
      "to libopus-wasm": (own / wasm).toFixed(2),
      "to @evan/opus": (own / other).toFixed(2),
      "spread %": Math.round(100 * Math.max(...measured.map(({ spread }) => spread))),
    });
    ours.close();
    libopus.free();
  }
}
printReport("Opus decoding to 16 bit", rows);
console.log(
  `\nGeometric mean to libopus-wasm ${Math.exp(logSum / rows.length).toFixed(3)}, lowest row to @evan/opus ${lowestEvan.toFixed(2)}.`,
);
