// XXH64 (Yann Collet's xxHash, 64 bits, seed 0): whole stripes of 32 bytes, then what is left.
import { STAGE_AT } from "./stage";

const P1: u64 = 0x9e3779b185ebca87;
const P2: u64 = 0xc2b2ae3d27d4eb4f;
const P3: u64 = 0x165667b19e3779f9;
const P4: u64 = 0x85ebca77c2b2ae63;
const P5: u64 = 0x27d4eb2f165667c5;

/** Four accumulators. */
const lanes = memory.data(32, 16);

export function xxHash64Begin(): void {
  store<u64>(lanes, P1 + P2);
  store<u64>(lanes, P2, 8);
  store<u64>(lanes, 0, 16);
  store<u64>(lanes, 0 - P1, 24);
}

function stepped(lane: u64, word: u64): u64 {
  return rotl<u64>(lane + word * P2, 31) * P1;
}

function merged(hash: u64, lane: u64): u64 {
  return (hash ^ stepped(0, lane)) * P1 + P4;
}

/** Takes the first `bytes` of the stage, a multiple of 32. */
export function xxHash64Stripes(bytes: i32): void {
  let a = load<u64>(lanes);
  let b = load<u64>(lanes, 8);
  let c = load<u64>(lanes, 16);
  let d = load<u64>(lanes, 24);
  for (let at = STAGE_AT; at < STAGE_AT + <usize>bytes; at += 32) {
    a = stepped(a, load<u64>(at));
    b = stepped(b, load<u64>(at, 8));
    c = stepped(c, load<u64>(at, 16));
    d = stepped(d, load<u64>(at, 24));
  }
  store<u64>(lanes, a);
  store<u64>(lanes, b, 8);
  store<u64>(lanes, c, 16);
  store<u64>(lanes, d, 24);
}

/**
 * Takes the last `bytes` (fewer than 32) of a message of `total` bytes (below 2^32) and writes the hash to the start of the
 * stage.
 */
export function xxHash64End(bytes: i32, total: u32): void {
  let hash = P5;
  if (total >= 32) {
    const a = load<u64>(lanes);
    const b = load<u64>(lanes, 8);
    const c = load<u64>(lanes, 16);
    const d = load<u64>(lanes, 24);
    hash = rotl<u64>(a, 1) + rotl<u64>(b, 7) + rotl<u64>(c, 12) + rotl<u64>(d, 18);
    hash = merged(merged(merged(merged(hash, a), b), c), d);
  }
  hash += <u64>total;
  let at = STAGE_AT;
  const end = STAGE_AT + <usize>bytes;
  for (; at + 8 <= end; at += 8) hash = rotl<u64>(hash ^ stepped(0, load<u64>(at)), 27) * P1 + P4;
  if (at + 4 <= end) {
    hash = rotl<u64>(hash ^ (<u64>load<u32>(at) * P1), 23) * P2 + P3;
    at += 4;
  }
  for (; at < end; at++) hash = rotl<u64>(hash ^ (<u64>load<u8>(at) * P5), 11) * P1;
  hash = (hash ^ (hash >> 33)) * P2;
  hash = (hash ^ (hash >> 29)) * P3;
  store<u64>(STAGE_AT, hash ^ (hash >> 32));
}
