// npm run bench -- opus-decode [--json] [--rounds N]: decoding to 16 bit beside libopus-wasm (libopus 1.6.1) and @evan/opus
// (its WASM build with SIMD), packets of libopus at complexity 10, 20 ms. Needs the shared audio, ffmpeg-free.
import { createRequire } from "node:module";
import { OpusDecoder } from "@longwave/opus";
import { Application, createDecoder, createEncoder } from "libopus-wasm";
import { type Material, music, speech } from "../opus-material.ts";
import { printReport, sideBySide } from "../side-by-side.ts";

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
