/** Lists that are shown. */
const shown = 5;

/** The hashes that occur most often, most first. */
export function longestLists(counts: ReadonlyMap<number, number>): { hash: string; count: number }[] {
  return [...counts]
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .slice(0, shown)
    .map(([hash, count]) => ({ hash: hash.toString(16).padStart(8, "0"), count }));
}
