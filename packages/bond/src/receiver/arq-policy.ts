/** Most copies of one NACK. */
const maxCopies = 3;
/**
 * The prediction holds for a known loss and rounds of exact length; both waver, and a copy costs one percent of the way back.
 * So it must promise four times better than what is wanted.
 */
const margin = 4;

/**
 * Residual loss after all rounds: `p [1 - (1-p)(1-p^c)]^k`, with p the loss of each direction, c the copies of every NACK
 * and k the rounds that fit into the buffer.
 */
export function predictResidual(loss: number, copies: number, rounds: number): number {
  let allCopiesLost = 1;
  for (let i = 0; i < copies; i++) allCopiesLost *= loss;
  const roundFails = 1 - (1 - loss) * (1 - allCopiesLost);
  let residual = loss;
  for (let i = 0; i < rounds; i++) residual *= roundFails;
  return residual;
}

/** The fewest copies of a NACK, 1 to 3, that are predicted to reach `target` with a margin; 3 where none does. */
export function chooseNackCopies(
  loss: number,
  rttUs: number,
  bufferUs: number,
  marginUs: number,
  target: number,
): number {
  const rounds = Math.max(0, Math.floor((bufferUs - marginUs) / (1.05 * rttUs + 1)));
  for (let copies = 1; copies < maxCopies; copies++) {
    if (margin * predictResidual(loss, copies, rounds) <= target) return copies;
  }
  return maxCopies;
}
