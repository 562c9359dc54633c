import type { ProfileId } from "@longwave/fingerprint";
import { defaultCalibrationOf, falseProbability } from "../calibration.ts";
import type { Identification, IdentifyOptions, MissingShard, TrackMatch } from "../identification.ts";

/**
 * One answer from those of all shards. A chance of a false answer in one shard becomes as many times as large as there are shards that
 * could have given it (the union bound), and where a contrast decides, the best other recording may be in another shard.
 *
 * @param missing shards that gave no answer
 */
export function mergeAnswers(
  profile: ProfileId,
  answers: readonly Identification[],
  missing: readonly MissingShard[],
  options: IdentifyOptions,
): Identification {
  const ranked = oneOfEachRecording(
    answers.flatMap(({ candidates }) => candidates).sort((a, b) => b.score - a.score || b.votes - a.votes),
  );
  const shards = answers.length + missing.length;
  const candidates = ranked
    .slice(0, options.limit ?? 5)
    .map((each) => withRunnerUp(profile, each, ranked, shards));
  // A contrast that falls by a rival in another shard may change the order.
  candidates.sort((a, b) => b.score - a.score);
  const [first] = candidates;
  const accepted =
    first !== undefined && first.pFalse <= (options.maxFalse ?? 1e-3) && answers.some(accepts(first));
  const reason = answers.find((answer) => answer.reason !== undefined)?.reason ?? "below-threshold";
  return {
    match: accepted ? first : undefined,
    reason: accepted ? undefined : first === undefined ? reason : "below-threshold",
    candidates,
    queryHashes: Math.max(0, ...answers.map(({ queryHashes }) => queryHashes)),
    queryMs: Math.max(0, ...answers.map(({ queryMs }) => queryMs)),
    skippedHashes: answers.reduce((sum, { skippedHashes }) => sum + skippedHashes, 0),
    partial: missing.length > 0 || answers.some(({ partial }) => partial),
    shards: { asked: shards, missing },
  };
}

/** True for the answer of a shard that took this track for a match. */
function accepts({ track }: TrackMatch): (answer: Identification) => boolean {
  return ({ match }) => match !== undefined && match.track.contentHash === track.contentHash;
}

/** The first of each recording, with the ids of the others of the same content. */
function oneOfEachRecording(ranked: readonly TrackMatch[]): TrackMatch[] {
  const byContent = new Map<string, TrackMatch>();
  for (const each of ranked) {
    const known = byContent.get(each.track.contentHash);
    if (known === undefined) byContent.set(each.track.contentHash, each);
    else {
      const ids = new Set([...known.duplicates, each.track.id, ...each.duplicates]);
      ids.delete(known.track.id);
      byContent.set(known.track.contentHash, { ...known, duplicates: [...ids] });
    }
  }
  return [...byContent.values()];
}

function withRunnerUp(
  profile: ProfileId,
  match: TrackMatch,
  ranked: readonly TrackMatch[],
  shards: number,
): TrackMatch {
  const others = ranked.filter(({ track }) => track.contentHash !== match.track.contentHash);
  const best = others
    .map(({ track, votes }) => ({ id: track.id, votes }))
    .sort((a, b) => b.votes - a.votes)[0];
  const own = match.runnerUp;
  const runnerUp = best === undefined || (own !== undefined && own.votes >= best.votes) ? own : best;
  const byUnion = Math.min(1, match.pFalse * shards);
  if (profile === "mark-v1") return { ...match, runnerUp, pFalse: byUnion };
  const rival = runnerUp?.votes ?? 0;
  const score = Math.min(match.score, (100 * (match.votes - rival)) / (rival + 3));
  return {
    ...match,
    runnerUp,
    score,
    pFalse: Math.max(byUnion, falseProbability(score, defaultCalibrationOf(profile))),
  };
}
