// npm run bench -- opus-encode [--json] [--rounds N] [--only TEXT]: encoding of 16-bit sound in 20 ms packets beside libopus-wasm
// (libopus 1.6.1), application audio, variable rate, complexity 10 and 5; then silence, denormals, clipping and NaN beside
// music. Needs the shared audio and espeak-ng.
import { OpusEncoder } from "@longwave/opus";
import { createEncoder } from "libopus-wasm";
import { type Material, music, speech } from "../opus-material.ts";
import { sideBySide } from "../side-by-side.ts";

const asJson = process.argv.includes("--json");
const roundsAt = process.argv.indexOf("--rounds");
const rounds = roundsAt < 0 ? 7 : Number(process.argv[roundsAt + 1]);
const onlyAt = process.argv.indexOf("--only");
const only = onlyAt < 0 ? "" : process.argv[onlyAt + 1]!;

/** The share of a recording that one run encodes: enough for every mode, little enough for many runs. */
const seconds = 8;
const frameSize = (material: Material) => material.sampleRate / 50;

interface Row {
  readonly material: string;
  readonly ours: number;
  readonly peer: number;
  readonly ratio: number;
  readonly spread: number;
}

function pieces(material: Material): Int16Array[] {
  const samples = frameSize(material) * material.channels;
  const list: Int16Array[] = [];
  for (let at = 0; at + samples <= material.pcm.length && list.length < seconds * 50; at += samples) {
    list.push(material.pcm.slice(at, at + samples));
  }
  return list;
}

async function compare(material: Material, kbps: number, complexity: number): Promise<Row> {
  const { sampleRate, channels } = material;
  const frames = pieces(material);
  const packet = new Uint8Array(4000);
  const ours = new OpusEncoder({ sampleRate, channels, bitrateBps: kbps * 1000, complexity });
  const peer = await createEncoder({
    sampleRate,
    channels,
    application: 2049,
    bitrate: kbps * 1000,
    complexity,
    frameSize: frameSize(material),
  });
  const [own, other] = sideBySide(
    [
      {
        name: "longwave",
        unitsPerRun: frames.length / 50,
        run: () => {
          for (const frame of frames) ours.encodeInt16(frame, packet);
        },
      },
      {
        name: "libopus-wasm",
        unitsPerRun: frames.length / 50,
        run: () => {
          for (const frame of frames) peer.encode(frame);
        },
      },
    ],
    { rounds, millisecondsPerRound: 200 },
  ) as [ReturnType<typeof sideBySide>[number], ReturnType<typeof sideBySide>[number]];
  ours.close();
  peer.free();
  return {
    material: `${material.name} ${kbps} kbit/s complexity ${complexity}`,
    ours: 1e6 / own.microseconds,
    peer: 1e6 / other.microseconds,
    ratio: other.microseconds / own.microseconds,
    spread: Math.max(own.spread, other.spread),
  };
}

/** Least ratio of a row: the speech row that the issue names has a target of its own. */
function targetOf(row: string): number {
  return row === "speech 16 kbit/s complexity 10" ? 1.15 : 1;
}

const verdict = (ok: boolean) => (ok ? "ok" : "MISSED");
const materials = [await music(), await speech()];
const rows: Row[] = [];
if (!asJson) {
  console.log(`## Opus encoding (Node ${process.version}, ${process.arch})\n`);
  console.log("| material | longwave x real time | libopus-wasm | ratio | target | | spread % |");
  console.log("| --- | --- | --- | --- | --- | --- | --- |");
}
for (const complexity of [10, 5]) {
  for (const material of materials) {
    for (const kbps of [16, 32, 64, 128]) {
      if (!`${material.name} ${kbps} kbit/s complexity ${complexity}`.includes(only)) continue;
      const row = await compare(material, kbps, complexity);
      rows.push(row);
      const target = targetOf(row.material);
      if (!asJson) {
        console.log(
          `| ${row.material} | ${row.ours.toFixed(0)} | ${row.peer.toFixed(0)} | ${row.ratio.toFixed(2)} | ${target.toFixed(2)} | ${verdict(row.ratio >= target)} | ${Math.round(100 * row.spread)} |`,
        );
      }
    }
  }
}
const mean = Math.exp(rows.reduce((sum, { ratio }) => sum + Math.log(ratio), 0) / rows.length);
const lowest = Math.min(...rows.map(({ ratio }) => ratio));

/** Input on which an encoder may become slow, as 20 ms of 48 kHz stereo after some music. */
function oddInputs(normal: Float32Array): [string, Float32Array][] {
  return [
    ["music", normal],
    ["silence", new Float32Array(normal.length)],
    ["denormals", Float32Array.from(normal, (value) => value * 1e-39)],
    ["clipping", Float32Array.from(normal, (value) => (value < 0 ? -100 : 100))],
    ["NaN", new Float32Array(normal.length).fill(Number.NaN)],
  ];
}

const excerpt = toFloat(materials[0]!.pcm.subarray(0, 48000 * 2 * 4));
const times = sideBySide(
  oddInputs(excerpt).map(([name, pcm]) => {
    const encoder = new OpusEncoder({ bitrateBps: 64000 });
    const packet = new Uint8Array(4000);
    return {
      name,
      unitsPerRun: pcm.length / 1920,
      run: () => {
        for (let at = 0; at + 1920 <= pcm.length; at += 1920) encoder.encodeAt(pcm, at, 960, packet, 0, 4000);
      },
    };
  }),
  { rounds, millisecondsPerRound: 200 },
);
const normal = times[0]!.microseconds;
const odd = times.map(({ name, microseconds }) => ({ name, microseconds, ratio: microseconds / normal }));

if (asJson) {
  console.log(
    JSON.stringify({ node: process.version, arch: process.arch, rows, mean, lowest, odd }, null, 2),
  );
} else {
  console.log(
    `\nGeometric mean ${mean.toFixed(3)} (at least 1.15: ${verdict(mean >= 1.15)}), lowest row ${lowest.toFixed(2)}.\n`,
  );
  console.log(
    "| input, 64 kbit/s stereo, complexity 9 | us a packet | of music | at most 2 |\n| --- | --- | --- | --- |",
  );
  for (const { name, microseconds, ratio } of odd) {
    console.log(`| ${name} | ${microseconds.toFixed(0)} | ${ratio.toFixed(2)} | ${verdict(ratio <= 2)} |`);
  }
}

function toFloat(pcm: Int16Array): Float32Array {
  return Float32Array.from(pcm, (value) => value / 32768);
}
