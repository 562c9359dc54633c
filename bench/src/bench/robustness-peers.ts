// What Chromaprint (Debian's fpcalc) finds on the corpus of `robustness`: every query against every recording at every offset.
//   npm run bench -- robustness-peers [--size small|full] [--seed 11] [--seconds 280] [--json]
// Run `robustness` with the same size and seed first: it makes the queries. Chromaprint has no rule for excerpts, so the least
// share of different bits over all alignments ranks the recordings, which finds more than its index would; the thresholds come
// from the same negatives as ours. Our compatibility profiles run with `robustness --profile wang-v1` and so on. After
// `--seconds` it stops at the end of a shard; the next run goes on there.
import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { encodeWav } from "@longwave/media";
import { Corpus, type Shard, sizes } from "../corpus/corpus.js";
import { queryRate, storedQueries } from "../corpus/query-store.js";
import { cachedBytes, corpusRate, inScratch } from "../corpus/tools.js";
import { type Outcome, robustnessReport } from "../robustness-report.js";

const { values } = parseArgs({
  options: {
    size: { type: "string", default: "small" },
    seed: { type: "string", default: "11" },
    seconds: { type: "string", default: "280" },
    json: { type: "boolean", default: false },
  },
});
const started = performance.now();
const seed = Number(values.seed);
const root = join(process.env["LONGWAVE_CORPUS"] ?? join(tmpdir(), "longwave-corpus-cache"), values.size);
const folder = join(root, `seed-${seed}`);
const corpus = new Corpus(seed, sizes[values.size as "small" | "full"] ?? sizes.small, root);
const results = join(folder, "answers-fpcalc.jsonl");

/** Chromaprint takes an item every 1,365 samples at 11,025 Hz. */
const itemMilliseconds = (1000 * 1365) / 11_025;
/** Alignments share so many items at least: about one second. */
const leastShared = 8;

/** The 32-bit items of a sound; empty where it is too short for fpcalc. */
function chromaprint(samples: Float32Array, sampleRate: number): Uint32Array {
  return inScratch((scratch) => {
    const file = join(scratch, "sound.wav");
    writeFileSync(file, encodeWav(samples, { sampleRate, channels: 1, encoding: "s16" }));
    // Debian's fpcalc 1.5.1 ends with status 3 at the end of every file, after it has printed the fingerprint.
    const text = spawnSync("fpcalc", ["-raw", "-length", "0", file], { encoding: "utf8" }).stdout ?? "";
    const list = /FINGERPRINT=([\d,-]+)/.exec(text)?.[1];
    return list === undefined ? new Uint32Array(0) : Uint32Array.from(list.split(","), Number);
  });
}

function bitsOf(word: number): number {
  let x = word - ((word >>> 1) & 0x5555_5555);
  x = (x & 0x3333_3333) + ((x >>> 2) & 0x3333_3333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

/** The least share of different bits over all alignments, and where. */
function bestAlignment(query: Uint32Array, reference: Uint32Array): { errors: number; offset: number } {
  const shared = Math.min(leastShared, query.length);
  let best = { errors: 1, offset: 0 };
  if (shared === 0) return best;
  for (let offset = shared - query.length; offset <= reference.length - shared; offset++) {
    const from = Math.max(0, -offset);
    const to = Math.min(query.length, reference.length - offset);
    let wrong = 0;
    for (let i = from; i < to; i++) wrong += bitsOf(query[i]! ^ reference[i + offset]!);
    const errors = wrong / (32 * (to - from));
    if (errors < best.errors) best = { errors, offset };
  }
  return best;
}

const references = corpus.recordingIds().map((id) => {
  const file = join(folder, `${id.replaceAll("/", "_")}.chromaprint`);
  const bytes = cachedBytes(file, () => {
    const items = chromaprint(corpus.recording(id).samples, corpusRate);
    return new Uint8Array(items.buffer, 0, items.byteLength);
  });
  return { id, items: new Uint32Array(bytes.slice().buffer) };
});

const done = new Map<string, Outcome[]>();
if (existsSync(results)) {
  for (const line of readFileSync(results, "utf8").split("\n").filter(Boolean)) {
    const { shard, answers } = JSON.parse(line) as { shard: string; answers: Outcome[] };
    done.set(shard, answers);
  }
}
let left = 0;
// What sets the thresholds comes first, so that a part of a run says something.
const isPositive = ({ set }: Shard) => Number(set === "positive" || set === "off grid");
for (const shard of corpus.shards().sort((a, b) => isPositive(a) - isPositive(b))) {
  if (done.has(shard.name)) continue;
  if (performance.now() - started > 1000 * Number(values.seconds)) {
    left++;
    continue;
  }
  const answers: Outcome[] = [];
  for (const { samples, ...truth } of storedQueries(shard, folder)) {
    const before = performance.now();
    const items = chromaprint(samples, queryRate);
    const candidates = references
      .map(({ id, items: reference }) => ({ id, ...bestAlignment(items, reference) }))
      .sort((a, b) => a.errors - b.errors)
      .slice(0, 3)
      .map(({ id, errors, offset }) => candidate(id, errors, offset, items.length));
    const milliseconds = performance.now() - before;
    answers.push({
      ...truth,
      accepted: false,
      candidates,
      reason: undefined,
      queryHashes: items.length,
      milliseconds,
    });
  }
  done.set(shard.name, answers);
  appendFileSync(results, `${JSON.stringify({ shard: shard.name, answers })}\n`);
  if (!values.json) console.log(`${shard.name}: ${answers.length} queries`);
}

/** `pFalse` stands for the order of the answers alone: fewer wrong bits, less probable. */
function candidate(id: string, errors: number, offset: number, items: number): Outcome["candidates"][number] {
  const span = { start: 0, end: items * itemMilliseconds };
  return {
    id,
    score: 1 - errors,
    pFalse: 10 ** (-100 * (1 - errors)),
    votes: 0,
    queryHashes: items,
    runnerUp: undefined,
    offsetFrames: offset,
    offsetMs: offset * itemMilliseconds,
    querySpanMs: span,
    referenceSpanMs: span,
    tempo: 1,
    pitch: 1,
    pitchCents: 0,
    stage: "identity",
    duplicates: [],
  };
}

const heading = {
  corpus: `${values.size}, seed ${seed}${left > 0 ? `, ${left} shards missing` : ""}`,
  profile: "Chromaprint, all alignments",
  catalog: `${references.length} recordings`,
};
robustnessReport([...done.values()].flat(), heading, true);
