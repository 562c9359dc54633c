// The keyed watermark: how loud the mark is against the sound, payloads lost after damage, false reports, speed.
// Sound: procedural songs, the sung and spoken clips of Debian's espeak-ng, and the licensed recordings of the shared data where
// they are present. Options: --clips N (songs, default 12), --seconds N (length of a clip, default 20), --seed N.
import { existsSync, readdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { SeededRandom } from "@longwave/base";
import { Resampler } from "@longwave/dsp";
import { WatermarkDetector, WatermarkEmbedder, type WatermarkSpan } from "@longwave/fingerprint/watermark";
import { sharedPath } from "@longwave/testkit";
import { whiteNoise, withNoise } from "../corpus/degrade.js";
import { song } from "../corpus/song.js";
import { corpusRate, readSound, speak, throughCodec } from "../corpus/tools.js";

const { values } = parseArgs({
  options: {
    clips: { type: "string", default: "12" },
    seconds: { type: "string", default: "20" },
    seed: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
  },
});
const seconds = Number(values.seconds);
const seed = Number(values.seed);
const key = `bench key ${seed}`;

interface Clip {
  readonly name: string;
  readonly samples: Float32Array;
}

function clips(): Clip[] {
  const list: Clip[] = [];
  for (let i = 0; i < Number(values.clips); i++) {
    list.push({
      name: `song ${seed * 100 + i}`,
      samples: song({ seed: seed * 100 + i, seconds, sampleRate: corpusRate }),
    });
  }
  const text =
    "The tide tables for tomorrow follow. High water at the harbour is at six minutes past four in the morning, and again " +
    "shortly before five in the afternoon. Winds from the west, fresh to strong, easing later; visibility good.";
  for (const voice of ["en", "de", "fr"])
    list.push({ name: `speech ${voice}`, samples: speak(`${text} ${text}`, voice, 150, 50) });
  const folder = sharedPath("data/audio/catalog");
  if (folder !== undefined && existsSync(folder)) {
    for (const file of readdirSync(folder).sort())
      list.push({ name: file, samples: readSound(`${folder}/${file}`) });
  }
  return list.map(({ name, samples }) => ({ name, samples: samples.slice(0, seconds * corpusRate) }));
}

function embed(samples: Float32Array, payload: Uint8Array): Float32Array {
  const embedder = new WatermarkEmbedder({ sampleRate: corpusRate, key, payload });
  const output = new Float32Array(embedder.maxOutputFrames(samples.length));
  const given = embedder.process(samples, output);
  return output.slice(0, given + embedder.flush(output.subarray(given)));
}

function detect(samples: Float32Array, sampleRate = corpusRate, secret = key): WatermarkSpan[] {
  const spans: WatermarkSpan[] = [];
  const detector = new WatermarkDetector({ sampleRate, key: secret });
  detector.process(samples, (span) => spans.push(span));
  detector.flush((span) => spans.push(span));
  return spans;
}

/** Mean over segments of 32 ms that are not silent of the signal-to-mark ratio in dB, each within -10 to 60 dB. */
function segmentalSnr(original: Float32Array, marked: Float32Array): number {
  const size = Math.round(0.032 * corpusRate);
  let sum = 0;
  let count = 0;
  for (let at = 0; at + size <= original.length; at += size) {
    let [signal, noise] = [0, 0];
    for (let i = at; i < at + size; i++) {
      signal += original[i]! ** 2;
      noise += (marked[i]! - original[i]!) ** 2;
    }
    if (signal / size < 1e-8) continue;
    sum += Math.max(-10, Math.min(60, 10 * Math.log10(signal / Math.max(noise, 1e-20))));
    count++;
  }
  return sum / Math.max(1, count);
}

function resampled(samples: Float32Array, to: number): Float32Array {
  const resampler = new Resampler({ from: corpusRate, to });
  const output = new Float32Array(resampler.maxOutputFrames(samples.length) + resampler.maxOutputFrames());
  const given = resampler.process(samples, output);
  return output.slice(0, given + resampler.flush(output.subarray(given)));
}

interface Damage {
  readonly name: string;
  readonly rate?: number;
  readonly apply: (samples: Float32Array, random: SeededRandom) => Float32Array;
}

const damages: readonly Damage[] = [
  { name: "clean", apply: (samples) => samples },
  {
    name: "crop to 5 s",
    apply: (samples, random) => {
      const start = Math.floor(random.next() * Math.max(0, samples.length - 5 * corpusRate));
      return samples.slice(start, start + 5 * corpusRate);
    },
  },
  { name: "MP3 64 kbit/s", apply: (samples) => throughCodec(samples, "mp3", ["-b:a", "64k"]) },
  {
    name: "Opus 24 kbit/s",
    apply: (samples) => throughCodec(samples, "opus", ["-c:a", "libopus", "-b:a", "24k"]),
  },
  { name: "resampled to 16 kHz", rate: 16_000, apply: (samples) => resampled(samples, 16_000) },
  { name: "resampled to 48 kHz", rate: 48_000, apply: (samples) => resampled(samples, 48_000) },
  {
    name: "white noise 20 dB",
    apply: (samples, random) => withNoise(samples, whiteNoise(random, samples.length), 20),
  },
];

const targets = { snr: 30, lost: 0.01 };
const all = clips();
const random = new SeededRandom(seed);
const marked = all.map(({ name, samples }) => {
  const payload = Uint8Array.from({ length: 4 }, () => Math.floor(random.next() * 256));
  return { name, samples, payload, sound: embed(samples, payload) };
});
const ratios = marked.map(({ samples, sound }) => segmentalSnr(samples, sound));
const rows: { name: string; value: string; target: string; ok: boolean }[] = [];
const report = (name: string, value: string, target: string, ok: boolean) => {
  rows.push({ name, value, target, ok });
  if (!values.json)
    console.log(`${ok ? "ok    " : "MISSED"} ${name.padEnd(34)} ${value.padEnd(34)} ${target}`);
};
const least = Math.min(...ratios);
report(
  "segmental signal to mark, least",
  `${least.toFixed(1)} dB over ${all.length} clips`,
  ">= 30 dB",
  least >= targets.snr,
);
for (const { name, rate, apply } of damages) {
  const trials = name.startsWith("crop") ? 8 : 1;
  let lost = 0;
  let count = 0;
  let sync = 0;
  let wrong = 0;
  const names: string[] = [];
  for (const clip of marked) {
    for (let trial = 0; trial < trials; trial++) {
      const spans = detect(apply(clip.sound, random), rate);
      const right = spans.find((span) => span.payload.join() === clip.payload.join());
      count++;
      sync += right?.sync ?? 0;
      wrong += right?.bitErrorRate ?? 0;
      if (right === undefined) {
        lost++;
        names.push(clip.name);
      }
    }
  }
  const figure = `${lost} of ${count} lost, sync ${(sync / Math.max(1, count - lost)).toFixed(1)}, code bits corrected ${((100 * wrong) / Math.max(1, count - lost)).toFixed(2)} %`;
  report(
    `payload after ${name}`,
    figure,
    name === "clean" ? "0 wrong bits" : "<= 1 %",
    name === "clean" ? lost === 0 && wrong === 0 : lost <= targets.lost * count,
  );
  if (names.length > 0 && !values.json) console.log(`       lost: ${[...new Set(names)].join(", ")}`);
}
let reports = 0;
let windows = 0;
for (const clip of all) {
  reports += detect(clip.samples).length;
  windows++;
}
for (let other = 0; other < 4; other++) {
  for (const clip of marked) {
    reports += detect(clip.sound, corpusRate, `another key ${other}`).length;
    windows++;
  }
}
report("false reports", `${reports} in ${windows} clips`, "0", reports === 0);
if (values.json) console.log(JSON.stringify({ seed, seconds, rows }, null, 2));
process.exitCode = rows.every((row) => row.ok) ? 0 : 1;
