/** Tables for four bytes at a time, CRC-32 with polynomial 0x04C11DB7, most significant bit first (RFC 3533 section 6). */
const [table0, table1, table2, table3] = makeTables();

function makeTables(): [Int32Array, Int32Array, Int32Array, Int32Array] {
  const tables: [Int32Array, Int32Array, Int32Array, Int32Array] = [
    new Int32Array(256),
    new Int32Array(256),
    new Int32Array(256),
    new Int32Array(256),
  ];
  for (let i = 0; i < 256; i++) {
    let crc = i << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c1_1db7 : crc << 1;
    tables[0][i] = crc;
  }
  for (let k = 1; k < 4; k++) {
    for (let i = 0; i < 256; i++) {
      const crc = tables[k - 1]![i]!;
      tables[k]![i] = (crc << 8) ^ tables[0][crc >>> 24]!;
    }
  }
  return tables;
}

/**
 * CRC of an Ogg page at `bytes[start, end)`, its checksum field (bytes 22 to 25) taken as zero. Signed 32 bits: above 2^31
 * the engine would put a number that one function hands to another on the heap.
 */
export function oggPageCrc(bytes: Uint8Array, start: number, end: number): number {
  let crc = update(0, bytes, start, start + 22);
  for (let i = 0; i < 4; i++) crc = (crc << 8) ^ table0[crc >>> 24]!;
  return update(crc, bytes, start + 26, end);
}

function update(seed: number, bytes: Uint8Array, start: number, end: number): number {
  let crc = seed;
  let i = start;
  for (; i + 4 <= end; i += 4) {
    crc ^= (bytes[i]! << 24) | (bytes[i + 1]! << 16) | (bytes[i + 2]! << 8) | bytes[i + 3]!;
    crc = table3[crc >>> 24]! ^ table2[(crc >>> 16) & 255]! ^ table1[(crc >>> 8) & 255]! ^ table0[crc & 255]!;
  }
  for (; i < end; i++) crc = (crc << 8) ^ table0[(crc >>> 24) ^ bytes[i]!]!;
  return crc;
}
