import { FingerprintError } from "./errors.ts";
import type { Fingerprint } from "./fingerprint.ts";
import { matchHaitsma } from "./match-haitsma.ts";
import { matchPanako } from "./match-panako.ts";
import { matchWang } from "./match-wang.ts";
import type { PairResult } from "./pair-match.ts";

/**
 * Finds `query` in `reference` by the rule of their profile.
 * @throws FingerprintError `fp/profile-mismatch` where profiles or settings differ, and for `mark-v1`, whose search under
 * hypotheses is that of a catalog (`align` of `@longwave/catalog` does it for two recordings)
 */
export function matchPair(query: Fingerprint, reference: Fingerprint): PairResult {
  if (query.profile !== reference.profile || query.configHash !== reference.configHash) {
    throw new FingerprintError(
      "fp/profile-mismatch",
      `A fingerprint of ${query.profile} (${query.configHash}) cannot be compared with one of ${reference.profile} ` +
        `(${reference.configHash}); extract both alike.`,
    );
  }
  if (query.profile === "wang-v1") return matchWang(query, reference);
  if (query.profile === "panako-v2") return matchPanako(query, reference);
  if (query.profile === "haitsma-v1") return matchHaitsma(query, reference);
  throw new FingerprintError(
    "fp/profile-mismatch",
    "mark-v1 is matched by a catalog; use align() of @longwave/catalog for two recordings.",
  );
}
