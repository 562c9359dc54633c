// CRC32C (Castagnoli, RFC 3720 appendix B.4), mostly without tables. The generator polynomial P divides the sparse
// S(x) = x^209 + x^144 + x^54 + x^39 + x^14 + 1 (found by matching sums of three powers of x modulo P). Squaring seven times
// in GF(2)[x] only multiplies exponents, so P divides S(x^128) as well: one word of 16 bytes can be cancelled by adding it to the
// words 65, 155, 170, 195 and 209 places behind it. Five additions a word shrink a message to its last 209 words; those,
// and the bytes behind them, go through tables (slicing by eight).
import { SPAN, STAGE_AT } from "./stage";

const tables = memory.data(8 * 256 * 4, 16);

/** Fills the tables; called once for an instance. */
export function prepareTables(): void {
  for (let i: u32 = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
    store<u32>(tables + (i << 2), crc);
  }
  for (let i: usize = 256; i < 8 * 256; i++) {
    const before = load<u32>(tables + ((i - 256) << 2));
    store<u32>(tables + (i << 2), (before >> 8) ^ load<u32>(tables + ((before & 255) << 2)));
  }
}

/** CRC32C of the first `bytes` of the stage, which is overwritten; `seed` is the result of what came before. */
export function crc32c(bytes: i32, seed: u32): u32 {
  const words = bytes >> 4;
  if (words <= SPAN) return ~throughTables(STAGE_AT, STAGE_AT + bytes, ~seed);
  // The register of a CRC is the same as a message that begins with it.
  store<u32>(STAGE_AT, load<u32>(STAGE_AT) ^ ~seed);
  const rest = STAGE_AT + (<usize>(words - SPAN) << 4);
  for (let at = STAGE_AT; at < rest; at += 16) {
    const near = v128.xor(v128.load(at - 65 * 16), v128.load(at - 155 * 16));
    const far = v128.xor(v128.load(at - 170 * 16), v128.load(at - 195 * 16));
    const sum = v128.xor(v128.load(at), v128.load(at - 209 * 16));
    v128.store(at, v128.xor(sum, v128.xor(near, far)));
  }
  addReaching(rest, 65);
  addReaching(rest, 155);
  addReaching(rest, 170);
  addReaching(rest, 195);
  addReaching(rest, 209);
  return ~throughTables(rest, STAGE_AT + bytes, 0);
}

/** Adds to the words from `rest` on what cancelled words reach over to them, `distance` words further. */
function addReaching(rest: usize, distance: i32): void {
  const back = <usize>distance << 4;
  for (let at = rest; at < rest + back; at += 16) v128.store(at, v128.xor(v128.load(at), v128.load(at - back)));
}

function throughTables(from: usize, end: usize, start: u32): u32 {
  let crc = start;
  let at = from;
  for (; at + 8 <= end; at += 8) {
    const a = load<u32>(at) ^ crc;
    const b = load<u32>(at, 4);
    crc =
      load<u32>(tables + 7168 + ((a & 255) << 2)) ^
      load<u32>(tables + 6144 + (((a >> 8) & 255) << 2)) ^
      load<u32>(tables + 5120 + (((a >> 16) & 255) << 2)) ^
      load<u32>(tables + 4096 + ((a >> 24) << 2)) ^
      load<u32>(tables + 3072 + ((b & 255) << 2)) ^
      load<u32>(tables + 2048 + (((b >> 8) & 255) << 2)) ^
      load<u32>(tables + 1024 + (((b >> 16) & 255) << 2)) ^
      load<u32>(tables + ((b >> 24) << 2));
  }
  for (; at < end; at++) crc = (crc >> 8) ^ load<u32>(tables + (((crc ^ load<u8>(at)) & 255) << 2));
  return crc;
}
