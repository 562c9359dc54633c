/**
 * The extended number whose low `2^bits` residue is `value` and which lies nearest to `reference`. Extended numbers are
 * exact integers in doubles, so a stream never wraps.
 */
export function unwrapNear(value: number, reference: number, modulus: number): number {
  const low = ((reference % modulus) + modulus) % modulus;
  let delta = value - low;
  const half = modulus / 2;
  if (delta > half) delta -= modulus;
  else if (delta < -half) delta += modulus;
  return reference + delta;
}

/** Sequence numbers on the wire have 16 bits. */
export const sequenceModulus = 0x1_0000;
