// How much of degraded sound a catalog finds, how often it claims to find what is not there, and what other systems do beside it.
//   npm run bench -- robustness [--size small|full] [--seed 11] [--negatives 3000] [--systems mark-v1,chromaprint,...]
//     [--sets positive,negative,...] [--every 1] [--seconds 280] [--json]
// Systems: mark-v1, mark-v1+105h (so many hours of distractors in the catalog), chromaprint (fpcalc), wang-v1, panako-v2,
// haitsma-v1, audfprint, audfprint-70; those whose program is absent are left out, and said so. Default: mark-v1 and chromaprint.
// The corpus is made of composed songs (FluidSynth, FluidR3), synthetic voices (espeak-ng) and the licensed clips; see
// docs/benchmarks.md. It is made at the first run and kept in a temporary folder ($LONGWAVE_CORPUS). `--sets` asks only some of
// positive, off grid, negative, length (negatives of 1 and 30 s) and cover, `--every 7` every seventh query. After `--seconds` of
// asking the run stops at the end of a shard, and the next run of the same code goes on there.
// Seeds 1 to 5 are for tuning: report others.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Corpus, evenly, sizes } from "../corpus/corpus.js";
import { storedQueries } from "../corpus/query-store.js";
import { AnswerFile } from "../robustness/answers.js";
import { audfprintSystem } from "../robustness/audfprint.js";
import { catalogSystem } from "../robustness/catalog-system.js";
import { chromaprintSystem } from "../robustness/chromaprint.js";
import { pairSystem } from "../robustness/pair-system.js";
import { type Asked, robustnessReport } from "../robustness/report.js";
import type { Outcome, RobustnessSystem } from "../robustness/system.js";

const { values } = parseArgs({
  options: {
    size: { type: "string", default: "small" },
    seed: { type: "string", default: "11" },
    systems: { type: "string", default: "mark-v1,chromaprint" },
    negatives: { type: "string" },
    sets: { type: "string", default: "positive,off grid,negative,length,cover" },
    every: { type: "string", default: "1" },
    seconds: { type: "string", default: "280" },
    json: { type: "boolean", default: false },
  },
});
const started = performance.now();
const elapsed = () => (performance.now() - started) / 1000;
const say = (line: string) => {
  if (!values.json) console.log(`${elapsed().toFixed(0).padStart(4)} s  ${line}`);
};

const standard = sizes[values.size as "small" | "full"] ?? sizes.small;
const size = { ...standard, negatives: Number(values.negatives ?? standard.negatives) };
const root = join(process.env["LONGWAVE_CORPUS"] ?? join(tmpdir(), "longwave-corpus-cache"), values.size);
mkdirSync(root, { recursive: true });
const corpus = new Corpus(Number(values.seed), size, root);
const every = Number(values.every);

/** Changes with every change of the code that is measured. */
function codeStamp(): string {
  const hash = createHash("sha256");
  for (const name of ["@longwave/fingerprint", "@longwave/catalog"]) {
    const built = dirname(fileURLToPath(import.meta.resolve(name)));
    const files = readdirSync(built).filter((file) => file.endsWith(".js"));
    for (const file of files.sort()) hash.update(readFileSync(join(built, file)));
  }
  return hash.digest("hex").slice(0, 12);
}

async function systemOf(name: string): Promise<RobustnessSystem | undefined> {
  const hours = /^mark-v1\+(\d+)h$/.exec(name)?.[1] ?? (name === "mark-v1" ? "0" : undefined);
  if (hours !== undefined) return catalogSystem(name, corpus, root, Number(hours));
  if (name === "chromaprint") return chromaprintSystem(corpus);
  if (name === "audfprint") return audfprintSystem(name, 20, corpus);
  if (name === "audfprint-70") return audfprintSystem(name, 70, corpus);
  if (name === "wang-v1" || name === "panako-v2" || name === "haitsma-v1") return pairSystem(name, corpus);
  throw new RangeError(`There is no system ${name}; the first lines of this file list them.`);
}

const asked: (Asked & { readonly system: RobustnessSystem; readonly file: AnswerFile })[] = [];
for (const name of values.systems.split(",")) {
  const system = await systemOf(name);
  if (system === undefined) {
    say(`${name}: its program is not installed; left out`);
    continue;
  }
  const isOurs = name.startsWith("mark-v1");
  const stamp = /-v\d/.test(name) ? `-${codeStamp()}` : "";
  const file = new AnswerFile(join(corpus.folder, `answers-${name}${stamp}.jsonl`), every);
  asked.push({ name, description: system.description, isOurs, outcomes: () => file.all(), system, file });
  say(`${name}: ${system.description}`);
}

let left = 0;
const asking = elapsed();
// Every system is asked a shard before the next is made, so that a part of a run compares the same queries.
const sets = values.sets.split(",");
const shards = evenly(corpus.shards()).filter(({ set }) => sets.includes(set));
for (const shard of shards) {
  const waiting = asked.filter(({ file }) => !file.has(shard.name));
  if (waiting.length === 0) continue;
  if (elapsed() - asking > Number(values.seconds)) {
    left++;
    continue;
  }
  const queries = [...storedQueries(shard, corpus.folder)].filter((_, i) => i % every === 0);
  for (const { system, file, name } of waiting) {
    const before = performance.now();
    const answers = await system.ask(queries);
    const milliseconds = (performance.now() - before) / queries.length;
    const outcomes = queries.map(({ samples: _, ...truth }, i): Outcome => {
      return { ...truth, ...answers[i]!, milliseconds };
    });
    file.add(shard.name, outcomes);
    const right = outcomes.filter(({ candidates, source }) => source && candidates[0]?.id === source).length;
    say(`${shard.name}, ${name}: ${queries.length} queries, ${right} of them right`);
  }
}

if (left > 0) say(`${left} of ${shards.length} shards are left; run again to go on`);
robustnessReport(
  asked,
  `${values.size} corpus, seed ${values.seed}${every === 1 ? "" : `, every ${every}th query`}` +
    (left > 0 ? `, ${left} of ${shards.length} shards missing` : ""),
  values.json,
);
