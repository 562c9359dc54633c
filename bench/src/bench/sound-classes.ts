// How well silence, noise, speech and music are told apart: seconds of the robustness corpus by what they are and what they are called.
//   npm run bench -- sound-classes [--seed 11] [--json]
// Songs, voices and licensed clips, clean and in white noise 10 dB below, and noises of three colours. The scores were fitted on seed 1.
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { SeededRandom } from "@longwave/base";
import { classifySound, type SoundClass, soundClasses } from "@longwave/fingerprint";
import { Corpus, sizes } from "../corpus/corpus.js";
import { pinkNoise, scaled, whiteNoise, withNoise } from "../corpus/degrade.js";
import { corpusRate } from "../corpus/tools.js";

const { values } = parseArgs({
  options: { seed: { type: "string", default: "11" }, json: { type: "boolean", default: false } },
});
const seed = Number(values.seed);
const root = join(process.env["LONGWAVE_CORPUS"] ?? join(tmpdir(), "longwave-corpus-cache"), "small");
mkdirSync(root, { recursive: true });
const corpus = new Corpus(seed, sizes.small, root);
const random = new SeededRandom(seed, 5);
const seconds = 40;

const counts = new Map<string, Map<SoundClass, number>>();
function add(kind: string, samples: Float32Array): void {
  const row = counts.get(kind) ?? new Map<SoundClass, number>();
  counts.set(kind, row);
  for (const span of classifySound(samples, { sampleRate: corpusRate })) {
    row.set(span.class, (row.get(span.class) ?? 0) + span.end - span.start);
  }
}

for (const id of corpus.recordingIds()) {
  const { kind, samples } = corpus.recording(id);
  const piece = samples.slice(0, seconds * corpusRate);
  add(kind === "clip" ? "licensed music" : kind, piece);
  const noisy = withNoise(piece, whiteNoise(random, piece.length), 10);
  add(`${kind === "clip" ? "licensed music" : kind}, noise 10 dB`, noisy);
}
for (let i = 0; i < 4; i++) {
  add("white noise", scaled(whiteNoise(random, seconds * corpusRate), 0.1));
  add("pink noise", scaled(pinkNoise(random, seconds * corpusRate), 0.1));
}
add("silence", scaled(whiteNoise(random, seconds * corpusRate), 1e-4));

const rows = [...counts].map(([kind, row]) => ({
  seconds: kind,
  ...Object.fromEntries(soundClasses.map((name) => [name, Math.round(row.get(name) ?? 0)])),
}));
if (values.json) console.log(JSON.stringify({ seed, rows }, null, 2));
else {
  console.log(`| seconds of | ${soundClasses.join(" | ")} |\n| --- |${" --- |".repeat(soundClasses.length)}`);
  for (const row of rows) console.log(`| ${Object.values(row).join(" | ")} |`);
}
