// Resident memory of a segment that is searched, in a process of its own; started by `npm run bench -- catalog`.
//   node --expose-gc catalog-memory.js FOLDER QUERIES
// Prints JSON: bytes read from the store, and by how much resident memory grew, both in MB.
import { SeededRandom } from "@longwave/base";
import { DirectoryStore } from "@longwave/base/node";
import { PostingBatch, Segment, VoteTable } from "@longwave/catalog";

const [folder = ".", queries = "1"] = process.argv.slice(2);

/** Counts what is read. */
class CountingStore extends DirectoryStore {
  bytesRead = 0;
  override async get(key: string, range?: { start: number; end: number }): Promise<Uint8Array | undefined> {
    const bytes = await super.get(key, range);
    this.bytesRead += bytes?.length ?? 0;
    return bytes;
  }
}

const collectGarbage = () => {
  globalThis.gc?.();
  globalThis.gc?.();
};
const store = new CountingStore(folder);
const batch = new PostingBatch();
const votes = new VoteTable();
collectGarbage();
const before = process.memoryUsage.rss();
const segment = await Segment.open(store, "segment", 0);
const random = new SeededRandom(3);
for (let query = 0; query < Number(queries); query++) {
  const hashes = Uint32Array.from({ length: 300 }, () => {
    return Math.imul(Math.floor(2 ** 22 * random.next() ** 2), 2_654_435_761) >>> 0;
  });
  await segment.prepare(hashes);
  votes.clear();
  for (const hash of hashes) {
    batch.count = 0;
    if (segment.collect(hash, 1000, batch) > 1000) continue;
    for (let k = 0; k < batch.count; k++) votes.add(batch.tracks[k]!, batch.frames[k]!);
  }
  votes.best(1, 2);
}
collectGarbage();
const grown = process.memoryUsage.rss() - before;
const megabytes = (bytes: number) => Math.round(bytes / 1e5) / 10;
console.log(JSON.stringify({ read: megabytes(store.bytesRead), grown: megabytes(grown) }));
