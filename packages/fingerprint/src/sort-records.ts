/**
 * Sorts records in place in the order of the profiles: two-word records by (frame, hash), four-word records by
 * (first frame, second frame, third frame, hash). Records come nearly sorted by frame, so runs of equal frames are sorted by
 * insertion; anything else falls back to a full sort.
 */
export function sortRecords(records: Uint32Array, words: number): Uint32Array {
  const count = records.length / words;
  const scratch = new Uint32Array(words);
  for (let i = 1; i < count; i++) {
    if (compare(records, i - 1, i, words) <= 0) continue;
    scratch.set(records.subarray(i * words, (i + 1) * words));
    let at = i;
    do {
      records.copyWithin(at * words, (at - 1) * words, at * words);
      at--;
    } while (at > 0 && compareWith(records, at - 1, scratch, words) > 0);
    records.set(scratch, at * words);
    if (i - at > 4096) return fullSort(records, words);
  }
  return records;
}

function fullSort(records: Uint32Array, words: number): Uint32Array {
  const order = Uint32Array.from({ length: records.length / words }, (_, i) => i);
  order.sort((a, b) => compare(records, a, b, words));
  const source = records.slice();
  order.forEach(
    (from, to) => void records.set(source.subarray(from * words, (from + 1) * words), to * words),
  );
  return records;
}

function compare(records: Uint32Array, a: number, b: number, words: number): number {
  for (let k = 1; k <= words; k++) {
    const difference = records[a * words + (k % words)]! - records[b * words + (k % words)]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

function compareWith(records: Uint32Array, a: number, record: Uint32Array, words: number): number {
  for (let k = 1; k <= words; k++) {
    const difference = records[a * words + (k % words)]! - record[k % words]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
