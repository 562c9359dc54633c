import type { SeededStart } from "./seeded-start.ts";

/** u16 point, run-up, packets gathered, bytes of the seed. */
const headFields = 4;

/**
 * The seeds of a chunk by columns: first bytes of all, second bytes of all; of each its head, then its bytes. Seeds of a pause are alike, so a
 * column deflates better than a row.
 */
export function encodeSeeds(seeds: ReadonlyMap<number, SeededStart>): Uint8Array {
  const rows = [...seeds].map(([point, { runUp, gathered, lasting }]) => {
    const row = new Uint8Array(2 * headFields + lasting.length);
    const view = new DataView(row.buffer);
    for (const [i, field] of [point, runUp, gathered, lasting.length].entries())
      view.setUint16(2 * i, field, true);
    row.set(lasting, 2 * headFields);
    return row;
  });
  const bytes = new Uint8Array(rows.reduce((sum, row) => sum + row.length, 0));
  const longest = Math.max(0, ...rows.map((row) => row.length));
  let at = 0;
  for (let column = 0; column < longest; column++)
    for (const row of rows) if (column < row.length) bytes[at++] = row[column]!;
  return bytes;
}

/** The inverse; undefined where the bytes are no such columns of `count` seeds. */
export function decodeSeeds(bytes: Uint8Array, count: number): Map<number, SeededStart> | undefined {
  if (2 * headFields * count > bytes.length) return undefined;
  const field = (seed: number, i: number) =>
    bytes[2 * i * count + seed]! | (bytes[(2 * i + 1) * count + seed]! << 8);
  let size = 2 * headFields * count;
  for (let seed = 0; seed < count; seed++) size += field(seed, 3);
  if (size !== bytes.length) return undefined;
  const seeds = new Map<number, SeededStart>();
  const rows: Uint8Array[] = [];
  for (let seed = 0; seed < count; seed++) {
    const [point, runUp, gathered] = [field(seed, 0), field(seed, 1), field(seed, 2)];
    const lasting = new Uint8Array(field(seed, 3));
    if (gathered > runUp || seeds.has(point)) return undefined;
    seeds.set(point, { runUp, gathered, lasting });
    rows.push(lasting);
  }
  let at = 2 * headFields * count;
  const longest = Math.max(0, ...rows.map((row) => row.length));
  for (let column = 0; column < longest; column++) {
    for (const row of rows) if (column < row.length) row[column] = bytes[at++]!;
  }
  return seeds;
}
