import { extract, matchPair, type ProfileId, profileOf } from "@longwave/fingerprint";
import type { Corpus } from "../corpus/corpus.js";
import { queryRate } from "../corpus/query-store.js";
import { corpusRate } from "../corpus/tools.js";
import { enrolledFingerprints } from "./catalog-system.js";
import type { Answer, RobustnessSystem } from "./system.js";

/**
 * A compatibility profile with its own matcher, one recording after the other: the decisions of audiofp 0.4. Ranked by
 * score, then prominence, then id.
 */
export function pairSystem(profile: ProfileId, corpus: Corpus): RobustnessSystem {
  const references = [
    ...enrolledFingerprints(
      corpus,
      (samples) => extract(profile, samples, { sampleRate: corpusRate }),
      profile,
    ),
  ];
  const ask = (samples: Float32Array): Answer => {
    const query = extract(profile, samples, { sampleRate: queryRate });
    const ranked = references
      .map(({ id, fingerprint }) => ({ id, ...matchPair(query, fingerprint) }))
      .sort((a, b) => b.score - a.score || b.prominence - a.prominence || (a.id < b.id ? -1 : 1));
    const candidates = ranked.slice(0, 3).map((each) => ({
      id: each.id,
      confidence: each.score,
      ...(each.matched && { offsetMs: each.offsetMs, tempo: each.tempo }),
    }));
    return { accepted: ranked[0]!.matched, candidates };
  };
  return {
    name: profile,
    description: `${references.length} recordings, ${profileOf(profile).id} one by one`,
    ask: (queries) => queries.map(({ samples }) => ask(samples)),
  };
}
