/**
 * Upper bound of the probability that one of `cells` alignments gets at least `votes` votes by chance, if `hits` votes fall
 * on them independently (Poisson tail times the number of cells). Only additions and multiplications, so it is the same
 * on every machine.
 */
export function chanceOfVotes(votes: number, hits: number, cells: number): number {
  if (votes <= 0 || cells <= 0) return 1;
  // The votes of three neighbouring frames are added up.
  const rate = (3 * hits) / cells;
  if (rate >= votes) return 1;
  let term = 1;
  for (let k = 1; k <= votes; k++) term *= rate / k;
  return Math.min(1, (cells * term) / (1 - rate / (votes + 1)));
}
