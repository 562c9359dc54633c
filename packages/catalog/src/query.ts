import {
  appendMarkPairs,
  durationSeconds,
  evidenceOfPeaks,
  type Fingerprint,
  type Hypothesis,
  identity,
  type MarkEvidence,
  type MarkQuery,
  PairList,
} from "@longwave/fingerprint";

/** A step of the search: what it assumes of the query, and the contrast that it takes to believe it. */
export interface Stage {
  readonly name: "identity" | "speed" | "tempo" | "pitch" | "grid";
  readonly hypotheses: readonly Hypothesis[];
}

/** What a query in `mark-v1` can be verified with. */
export interface Verifiable {
  /** Made at the first call. */
  evidence(): MarkEvidence;
  /** Stream frame of row 0 of the evidence; hashes and peaks count from it too. */
  readonly firstFrame: number;
}

/** A query as the searcher sees it: hashes with frames under a hypothesis. */
export interface Query {
  readonly milliseconds: number;
  /** Hashes under the identity. */
  readonly hashes: number;
  /** What is tried, in this order, until something is significant. */
  readonly stages: readonly Stage[];
  /** Neighbouring time differences whose votes are added up. */
  readonly span: 2 | 3;
  /** `mark-v1` only. */
  readonly verifiable?: Verifiable;
  /** Replaces `into` with the query's hashes and reference frames. */
  fill(hypothesis: Hypothesis, into: PairList): void;
}

const identityStage: Stage = { name: "identity", hypotheses: [identity] };

/** A query in a profile that has no hypotheses: its records as they are. */
export function recordQuery(records: Uint32Array, words: number, milliseconds: number): Query {
  return {
    milliseconds,
    hashes: records.length / words,
    stages: [identityStage],
    span: 3,
    fill: (_, into) => {
      into.count = 0;
      for (let i = 0; i < records.length; i += words) into.add(records[i]!, records[i + 1]!);
    },
  };
}

/** Factors 1 + k * step for k = -count..count without 0. */
function factors(count: number, step: number): number[] {
  return Array.from({ length: 2 * count + 1 }, (_, i) => 1 + (i - count) * step).filter(
    (factor) => factor !== 1,
  );
}

const speedStage: Stage = {
  name: "speed",
  hypotheses: factors(8, 0.01).map((speed) => ({ tempo: 1 / speed, pitch: speed })),
};
const tempoStage: Stage = {
  name: "tempo",
  hypotheses: factors(12, 0.01).map((tempo) => ({ tempo, pitch: 1 })),
};
const pitchStage: Stage = {
  name: "pitch",
  hypotheses: factors(6, 0.01).map((pitch) => ({ tempo: 1, pitch })),
};

/** The steps of a `mark-v1` search. */
export const markStages: readonly Stage[] = [identityStage, speedStage, tempoStage, pitchStage];

/** A query in `mark-v1`; its frames count from `firstFrame`. */
export function peakQuery(query: MarkQuery, firstFrame = 0): Query {
  const fill = (hypothesis: Hypothesis, into: PairList) => {
    into.count = 0;
    query.peaks.forEach((peaks, i) => void appendMarkPairs(peaks, hypothesis, query.shiftFrames[i]!, into));
    into.distinct();
  };
  const list = new PairList();
  fill(identity, list);
  return {
    milliseconds: Math.round(query.seconds * 1000),
    hashes: list.count,
    stages: markStages,
    span: 2,
    verifiable: { evidence: () => query.evidence(), firstFrame },
    fill,
  };
}

/** A query of which only the fingerprint is known. */
export function fingerprintQuery(fingerprint: Fingerprint): Query {
  const { records, recordWords, profile } = fingerprint;
  const seconds = durationSeconds(fingerprint);
  if (profile !== "mark-v1") return recordQuery(records, recordWords, Math.round(seconds * 1000));
  const frames = Math.max(1, Math.floor((seconds * fingerprint.sampleRate) / fingerprint.hopSize));
  let evidence: MarkEvidence | undefined;
  return peakQuery({
    peaks: [records],
    shiftFrames: [0],
    seconds,
    evidence: () => {
      evidence ??= evidenceOfPeaks(records, 0, Math.min(frames, verifiedFrames));
      return evidence;
    },
  });
}

/** Fingerprints are verified along their first hour. */
const verifiedFrames = 3600 * 32;

/** The postings under which a fingerprint is enrolled. */
export function postingsOf(fingerprint: Fingerprint, into: PairList): void {
  const { records, recordWords } = fingerprint;
  into.count = 0;
  if (fingerprint.profile === "mark-v1") appendMarkPairs(records, identity, 0, into);
  else for (let i = 0; i < records.length; i += recordWords) into.add(records[i]!, records[i + 1]!);
}
