// How much of degraded sound a catalog finds, and how often it claims to find what is not there.
//   npm run bench -- robustness [--size small|full] [--seed 11] [--profile mark-v1] [--negatives 3000] [--seconds 280]
//     [--results file] [--json]
// The corpus is made of composed songs (FluidSynth, FluidR3), synthetic voices (espeak-ng) and the licensed clips; see
// docs/benchmarks.md. It is made at the first run and kept in a temporary folder ($LONGWAVE_CORPUS). After `--seconds` the run
// stops at the end of a shard, and the next run of the same code goes on there (`--results` names another file for what was
// asked so far). `--generate` only makes the corpus. Seed 1 is for tuning: report others.
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { MemoryStore } from "@longwave/base";
import { Catalog } from "@longwave/catalog";
import { fromEnvelope, profileOf, toEnvelope } from "@longwave/fingerprint";
import { Corpus, type Shard, sizes } from "../corpus/corpus.js";
import { queryRate, type StoredQuery, storedQueries } from "../corpus/query-store.js";
import { cachedBytes, corpusRate } from "../corpus/tools.js";
import { type Outcome, robustnessReport } from "../robustness-report.js";

const { values } = parseArgs({
  options: {
    size: { type: "string", default: "small" },
    seed: { type: "string", default: "11" },
    profile: { type: "string", default: "mark-v1" },
    negatives: { type: "string" },
    seconds: { type: "string", default: "280" },
    results: { type: "string" },
    generate: { type: "boolean", default: false },
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
const seed = Number(values.seed);
const corpus = new Corpus(seed, size, root);
const folder = join(root, `seed-${seed}`);
const shards = corpus.shards();

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
const results = values.results ?? join(folder, `answers-${values.profile}-${codeStamp()}.jsonl`);

/** Enrolls all recordings; fingerprints are kept beside the corpus. */
async function makeCatalog(): Promise<Catalog> {
  const profile = profileOf(values.profile).id;
  const catalog = await Catalog.open(new MemoryStore(), { profile });
  const stamp = catalog.configHash;
  for (const id of corpus.recordingIds()) {
    const file = join(folder, `${id.replaceAll("/", "_")}.${stamp}.lwfp`);
    const sound = () => ({ samples: corpus.recording(id).samples, sampleRate: corpusRate });
    const envelope = cachedBytes(file, () => toEnvelope(catalog.extract(sound())));
    await catalog.enroll({ id }, fromEnvelope(envelope));
  }
  // A catalog as it is used: postings and peaks in a segment.
  await catalog.compact();
  return catalog;
}

async function ask(catalog: Catalog, query: StoredQuery): Promise<Outcome> {
  const { samples, ...truth } = query;
  const before = performance.now();
  const answer = await catalog.identify({ samples, sampleRate: queryRate }, { limit: 3 });
  const milliseconds = performance.now() - before;
  const candidates = answer.candidates.map(({ track, ...rest }) => ({ id: track.id, ...rest }));
  const { reason, queryHashes } = answer;
  return { ...truth, accepted: answer.match !== undefined, candidates, reason, queryHashes, milliseconds };
}

function storedOutcomes(): Map<string, Outcome[]> {
  const outcomes = new Map<string, Outcome[]>();
  if (!existsSync(results)) return outcomes;
  for (const line of readFileSync(results, "utf8").split("\n")) {
    if (line === "") continue;
    const { shard, answers } = JSON.parse(line) as { shard: string; answers: Outcome[] };
    outcomes.set(shard, answers);
  }
  return outcomes;
}

const done = storedOutcomes();
const catalog = values.generate ? undefined : await makeCatalog();
if (catalog !== undefined) say(`${catalog.size} recordings enrolled, ${catalog.postings} postings`);
let left = 0;
// What sets the thresholds comes first, so that a part of a run says something.
const isPositive = ({ set }: Shard) => Number(set === "positive" || set === "off grid");
for (const shard of shards.sort((a, b) => isPositive(a) - isPositive(b))) {
  if (done.has(shard.name)) continue;
  if (elapsed() > Number(values.seconds)) {
    left++;
    continue;
  }
  await runShard(shard);
}

async function runShard(shard: Shard): Promise<void> {
  const answers: Outcome[] = [];
  let made = 0;
  for (const query of storedQueries(shard, folder)) {
    made++;
    if (catalog !== undefined) answers.push(await ask(catalog, query));
  }
  if (catalog === undefined) return say(`${shard.name}: ${made} queries`);
  done.set(shard.name, answers);
  appendFileSync(results, `${JSON.stringify({ shard: shard.name, answers })}\n`);
  const right = answers.filter((each) => each.accepted && each.candidates[0]?.id === each.source).length;
  const accepted = answers.filter((each) => each.accepted).length;
  say(`${shard.name}: ${made} queries, ${accepted} accepted, ${right} of them right`);
}

if (left > 0) say(`${left} of ${shards.length} shards are left; run again to go on`);
if (catalog !== undefined) {
  const hours = catalog.tracks().reduce((sum, track) => sum + track.durationSeconds, 0) / 3600;
  robustnessReport([...done.values()].flat(), {
    corpus: `${values.size}, seed ${seed}${left > 0 ? `, ${left} of ${shards.length} shards missing` : ""}`,
    profile: catalog.profile,
    catalog: `${catalog.size} recordings, ${hours.toFixed(2)} h, ${catalog.postings} postings`,
  });
}
