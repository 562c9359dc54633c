// How much of degraded sound a catalog finds, and how often it claims to find what is not there.
//   npm run bench -- robustness [--size small|full] [--seed 2] [--profile mark-v1] [--json] [--dump file]
// The corpus is made of composed songs (FluidSynth, FluidR3), synthetic voices (espeak-ng) and the licensed clips; see
// docs/benchmarks.md. Thresholds are set on the negatives of the same seed: recall at 1 % and 0.1 % false accepts.
import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { MemoryStore } from "@longwave/base";
import { Catalog, type Identification } from "@longwave/catalog";
import { profileOf } from "@longwave/fingerprint";
import { conditions, offGridConditions } from "../corpus/conditions.js";
import { Corpus, type CorpusQuery, sizes } from "../corpus/corpus.js";
import { corpusRate } from "../corpus/tools.js";

const { values } = parseArgs({
  options: {
    size: { type: "string", default: "small" },
    seed: { type: "string", default: "2" },
    profile: { type: "string", default: "mark-v1" },
    dump: { type: "string" },
    json: { type: "boolean", default: false },
  },
});

interface Outcome {
  readonly query: Omit<CorpusQuery, "samples">;
  readonly answer: Identification;
  readonly milliseconds: number;
}

const size = sizes[values.size as "small" | "full"] ?? sizes.small;
const cache = join(process.env["LONGWAVE_CORPUS"] ?? join(tmpdir(), "longwave-corpus-cache"), values.size);
mkdirSync(cache, { recursive: true });
const corpus = new Corpus(Number(values.seed), size, cache);
const profile = profileOf(values.profile).id;
const catalog = await Catalog.open(new MemoryStore(), { profile });
for (const { id, samples } of corpus.recordings) {
  await catalog.enroll({ id }, { samples, sampleRate: corpusRate });
}
const hours = catalog.tracks().reduce((sum, track) => sum + track.durationSeconds, 0) / 3600;

async function ask(queries: Iterable<CorpusQuery>): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const { samples, ...query } of queries) {
    const started = performance.now();
    // maxFalse 1: the score alone decides here, so that thresholds can be set afterwards.
    const answer = await catalog.identify({ samples, sampleRate: corpusRate }, { limit: 3 });
    outcomes.push({ query, answer, milliseconds: performance.now() - started });
  }
  return outcomes;
}

const positives = await ask(corpus.positives());
const offGrid = await ask(corpus.positives(offGridConditions));
const negatives = await ask(corpus.negatives());
const covers = await ask(corpus.coverQueries());

const scoreOf = ({ answer }: Outcome) => answer.match?.score ?? answer.candidates[0]?.score ?? 0;
const isRight = ({ query, answer }: Outcome) => answer.candidates[0]?.track.id === query.source;
/** The least threshold that lets at most `share` of the negatives pass. */
function thresholdFor(share: number): number {
  const scores = negatives.map(scoreOf).sort((a, b) => b - a);
  return scores[Math.floor(share * scores.length)] ?? 0;
}
const percent = (part: number, whole: number) => (whole === 0 ? "" : ((100 * part) / whole).toFixed(1));
function row(name: string, outcomes: readonly Outcome[]): Record<string, string | number> {
  const at = (threshold: number) =>
    outcomes.filter((each) => isRight(each) && scoreOf(each) > threshold).length;
  const accepted = outcomes.filter((each) => each.answer.match !== undefined && isRight(each));
  const wrong = outcomes.filter((each) => each.answer.match !== undefined && !isRight(each));
  return {
    group: name,
    n: outcomes.length,
    "top-1 %": percent(outcomes.filter(isRight).length, outcomes.length),
    "at 1 % FA": percent(at(thresholdFor(0.01)), outcomes.length),
    "at 0.1 % FA": percent(at(thresholdFor(0.001)), outcomes.length),
    "own decision %": percent(accepted.length, outcomes.length),
    "wrong %": percent(wrong.length, outcomes.length),
  };
}

const rows = [row("ALL", positives)];
for (const group of new Set(conditions.map((each) => each.group))) {
  rows.push(
    row(
      group,
      positives.filter((each) => each.query.condition.group === group),
    ),
  );
}
for (const seconds of [3, 5, 10])
  rows.push(
    row(
      `${seconds} s`,
      positives.filter((each) => each.query.seconds === seconds),
    ),
  );
for (const kind of ["music", "speech", "clip"])
  rows.push(
    row(
      kind,
      positives.filter((each) => each.query.kind === kind),
    ),
  );
for (const { name } of offGridConditions) {
  rows.push(
    row(
      `off grid: ${name}`,
      offGrid.filter((each) => each.query.condition.name === name),
    ),
  );
}
const right = positives.filter((each) => each.answer.match !== undefined && isRight(each));
const offsetErrors = right
  .map(({ query, answer }) => Math.abs(answer.match!.offsetMs - 1000 * query.start))
  .sort((a, b) => a - b);
const quantile = (list: readonly number[], share: number) =>
  list[Math.floor(share * (list.length - 1))] ?? Number.NaN;
const times = [...positives, ...negatives].map((each) => each.milliseconds).sort((a, b) => a - b);
const summary = {
  profile,
  size: values.size,
  seed: Number(values.seed),
  tracks: catalog.size,
  hours: hours.toFixed(2),
  postings: catalog.postings,
  negatives: negatives.length,
  "false accepts %": percent(
    negatives.filter((each) => each.answer.match !== undefined).length,
    negatives.length,
  ),
  "covers accepted %": percent(
    covers.filter((each) => each.answer.match !== undefined).length,
    covers.length,
  ),
  "threshold 1 %": thresholdFor(0.01).toFixed(1),
  "threshold 0.1 %": thresholdFor(0.001).toFixed(1),
  "offset error p50 / p95 ms": `${quantile(offsetErrors, 0.5).toFixed(0)} / ${quantile(offsetErrors, 0.95).toFixed(0)}`,
  "query p50 / p95 ms": `${quantile(times, 0.5).toFixed(0)} / ${quantile(times, 0.95).toFixed(0)}`,
};
if (values.dump !== undefined) {
  const line = (kind: string) => (each: Outcome) =>
    JSON.stringify({
      set: kind,
      ...each.query,
      condition: each.query.condition.name,
      right: isRight(each),
      candidates: each.answer.candidates.map(
        ({ track, votes, score, stage, pFalse, tempo, pitch, offsetMs }) => ({
          id: track.id,
          votes,
          score,
          stage,
          pFalse,
          tempo,
          pitch,
          offsetMs,
        }),
      ),
      hashes: each.answer.queryHashes,
      reason: each.answer.reason,
    });
  const lines = [
    ...positives.map(line("positive")),
    ...offGrid.map(line("off grid")),
    ...negatives.map(line("negative")),
    ...covers.map(line("cover")),
  ];
  writeFileSync(values.dump, `${lines.join("\n")}\n`);
}
if (values.json) console.log(JSON.stringify({ summary, rows }, null, 2));
else {
  const names = Object.keys(rows[0]!);
  console.log(`| ${names.join(" | ")} |\n| ${names.map(() => "---").join(" | ")} |`);
  for (const each of rows) console.log(`| ${names.map((name) => each[name]).join(" | ")} |`);
  console.log(
    `\n${Object.entries(summary)
      .map(([name, value]) => `${name}: ${value}`)
      .join("; ")}`,
  );
}
