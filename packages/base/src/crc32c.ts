/** CRC32C (Castagnoli, reflected polynomial 0x82F63B78, RFC 3720 appendix B.4), slicing by eight. Table k lies at 256 * k. */
const tables = makeTables();

function makeTables(): Int32Array {
  const all = new Int32Array(8 * 256);
  for (let i = 0; i < 256; i++) {
    let c = i;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
    all[i] = c;
  }
  for (let i = 256; i < all.length; i++) {
    const previous = all[i - 256]!;
    all[i] = (previous >>> 8) ^ all[previous & 255]!;
  }
  return all;
}

/** Runs shorter than this are not worth a look at their words. */
const shortRun = 256;
const littleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
/** The words of a buffer, so that no view is made per call. */
const wordsOf = new WeakMap<ArrayBufferLike, Int32Array>();

/**
 * CRC32C of `bytes[start, end)`.
 * @param seed the result so far, to continue over several pieces; default 0
 */
export function crc32c(bytes: Uint8Array, start = 0, end: number = bytes.length, seed = 0): number {
  let crc = ~seed;
  let i = start;
  if (littleEndian && end - start >= shortRun) {
    while (((bytes.byteOffset + i) & 3) !== 0) crc = step(crc, bytes[i++]!);
    const count = (end - i) >> 2;
    crc = overWords(words(bytes.buffer), (bytes.byteOffset + i) >> 2, count, crc);
    i += 4 * count;
  }
  for (; i < end; i++) crc = step(crc, bytes[i]!);
  return ~crc >>> 0;
}

function step(crc: number, byte: number): number {
  return tables[(crc ^ byte) & 255]! ^ (crc >>> 8);
}

function words(buffer: ArrayBufferLike): Int32Array {
  const count = buffer.byteLength >> 2;
  let view = wordsOf.get(buffer);
  if (view === undefined || view.length < count) {
    view = new Int32Array(buffer, 0, count);
    wordsOf.set(buffer, view);
  }
  return view;
}

/** Two little-endian words at a time. */
function overWords(view: Int32Array, first: number, count: number, seed: number): number {
  const t = tables;
  let crc = seed;
  let i = first;
  const last = first + count;
  for (; i + 2 <= last; i += 2) {
    const a = view[i]! ^ crc;
    const b = view[i + 1]!;
    crc =
      t[1792 + (a & 255)]! ^
      t[1536 + ((a >>> 8) & 255)]! ^
      t[1280 + ((a >>> 16) & 255)]! ^
      t[1024 + (a >>> 24)]! ^
      t[768 + (b & 255)]! ^
      t[512 + ((b >>> 8) & 255)]! ^
      t[256 + ((b >>> 16) & 255)]! ^
      t[b >>> 24]!;
  }
  if (i < last) {
    const a = view[i]! ^ crc;
    crc = t[768 + (a & 255)]! ^ t[512 + ((a >>> 8) & 255)]! ^ t[256 + ((a >>> 16) & 255)]! ^ t[a >>> 24]!;
  }
  return crc;
}
