/** Words of 16 bytes that the sparse multiple of the CRC's polynomial spans; see crc32c.ts. */
export const SPAN: i32 = 209;
/** Bytes that one call hashes at the most: with what lies in front of them they fit into a second-level cache. */
const STAGE_BYTES: i32 = 131072;

/** Zeros, which stand for what lies in front of the stage and are never written; then the stage. */
const zeros = memory.data(209 * 16 + 131072, 16);
export const STAGE_AT: usize = zeros + 209 * 16;

export function stageAddress(): usize {
  return STAGE_AT;
}

export function stageBytes(): i32 {
  return STAGE_BYTES;
}
