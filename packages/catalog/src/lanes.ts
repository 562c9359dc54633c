import type { ChannelLane } from "@longwave/fingerprint";
import type { Identification, IdentifyOptions, LaneIdentification, TrackMatch } from "./identification.ts";

/**
 * Looks the lanes of a sound up one after the other. A chance match may come from any of them, so every probability counts
 * as often as there are lanes.
 * @returns the answer of the lane with the most certain candidate, with the answers of all
 */
export async function identifyLanes(
  lanes: readonly ChannelLane[],
  identify: (samples: Float32Array, options: IdentifyOptions) => Promise<Identification>,
  options: IdentifyOptions,
): Promise<Identification> {
  const maxFalse = (options.maxFalse ?? 1e-3) / lanes.length;
  const answers: { name: string; answer: Identification }[] = [];
  for (const { name, samples } of lanes) {
    const answer = await identify(samples, { ...options, maxFalse });
    answers.push({ name, answer: withMoreChances(answer, lanes.length) });
  }
  const chanceOf = ({ answer }: (typeof answers)[number]) => answer.candidates[0]?.pFalse ?? 1;
  const best = answers.reduce((first, each) => (chanceOf(each) < chanceOf(first) ? each : first));
  const told: LaneIdentification[] = answers.map(({ name, answer: { match, reason } }) => {
    return { name, match, reason };
  });
  return { ...best.answer, partial: answers.some(({ answer }) => answer.partial), lanes: told };
}

function withMoreChances(answer: Identification, chances: number): Identification {
  const corrected = (match: TrackMatch) => ({ ...match, pFalse: Math.min(1, chances * match.pFalse) });
  const candidates = answer.candidates.map(corrected);
  return { ...answer, candidates, match: answer.match === undefined ? undefined : candidates[0] };
}
