import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { MemoryStore } from "@longwave/base";
import { DirectoryStore } from "@longwave/base/node";
import { Catalog } from "@longwave/catalog";
import { type Fingerprint, fromEnvelope, toEnvelope } from "@longwave/fingerprint";
import { Corpus, sizes } from "../corpus/corpus.js";
import { queryRate } from "../corpus/query-store.js";
import { cachedBytes, corpusRate } from "../corpus/tools.js";
import { writeDistractors } from "./distractors.js";
import type { Answer, RobustnessSystem } from "./system.js";

/** Fingerprints of all recordings of a corpus that are enrolled; kept beside it. */
export function* enrolledFingerprints(
  corpus: Corpus,
  extract: (samples: Float32Array) => Fingerprint,
  stamp: string,
): Generator<{ readonly id: string; readonly fingerprint: Fingerprint }> {
  for (const id of corpus.recordingIds()) {
    const file = join(corpus.folder, `${id.replaceAll("/", "_")}.${stamp}.lwfp`);
    const envelope = cachedBytes(file, () => toEnvelope(extract(corpus.recording(id).samples)));
    yield { id, fingerprint: fromEnvelope(envelope) };
  }
}

/** Recordings of this seed, and of no licensed clip, are what distractors are patched from. */
const distractorSeed = 1;

async function withDistractors(corpus: Corpus, root: string, hours: number): Promise<Catalog> {
  const { configHash } = await Catalog.open(new MemoryStore(), { profile: "mark-v1" });
  const folder = join(corpus.folder, `catalog-${configHash}-${hours}h`);
  if (!existsSync(join(folder, "manifest.json"))) {
    mkdirSync(folder, { recursive: true });
    const extractor = await Catalog.open(new MemoryStore(), { profile: "mark-v1" });
    const others = new Corpus(distractorSeed, sizes.small, join(root, "..", "small"));
    const sources = [...enrolledFingerprints(others, extractWith(extractor), configHash)]
      .filter(({ id }) => !id.startsWith("data/"))
      .map(({ fingerprint }) => fingerprint.records);
    await writeDistractors(folder, hours, sources, configHash);
  }
  return Catalog.open(new DirectoryStore(folder));
}

const extractWith = (catalog: Catalog) => (samples: Float32Array) =>
  catalog.extract({ samples, sampleRate: corpusRate });

/** A catalog of `mark-v1` with all recordings of a corpus, and so many hours of what is not asked for. */
export async function catalogSystem(
  name: string,
  corpus: Corpus,
  root: string,
  hours: number,
): Promise<RobustnessSystem> {
  const catalog =
    hours === 0
      ? await Catalog.open(new MemoryStore(), { profile: "mark-v1" })
      : await withDistractors(corpus, root, hours);
  for (const { id, fingerprint } of enrolledFingerprints(corpus, extractWith(catalog), catalog.configHash)) {
    await catalog.enroll({ id }, fingerprint);
  }
  // Segments and memory give the same answers; of few recordings memory is faster.
  if (hours > 0) await catalog.compact({ merge: false });
  const seconds = catalog.tracks().reduce((sum, track) => sum + track.durationSeconds, 0);
  return {
    name,
    description: `${catalog.size} recordings, ${(seconds / 3600).toFixed(2)} h, ${catalog.postings} postings`,
    ask: async (queries) => {
      const answers: Answer[] = [];
      for (const { samples } of queries) answers.push(await identify(catalog, samples));
      return answers;
    },
  };
}

async function identify(catalog: Catalog, samples: Float32Array): Promise<Answer> {
  const { match, candidates } = await catalog.identify({ samples, sampleRate: queryRate }, { limit: 3 });
  return {
    accepted: match !== undefined,
    candidates: candidates.map(({ track, pFalse, offsetMs, tempo, pitchCents, stage, score }) => ({
      id: track.id,
      confidence: -Math.log10(Math.max(1e-300, pFalse)),
      pFalse,
      offsetMs,
      tempo,
      pitchCents,
      stage,
      score,
    })),
  };
}
