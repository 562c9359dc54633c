import { isLongwaveError, type ObjectStore } from "@longwave/base";
import { decodeJournalEntry, journalSequence } from "./journal.ts";
import { decodeManifest, manifestKey } from "./manifest.ts";
import { Segment } from "./segment.ts";

/** What `verifyCatalog` found. */
export interface CatalogReport {
  readonly ok: boolean;
  /** One sentence for each thing that is wrong. */
  readonly problems: readonly string[];
  /** Objects that nothing refers to, left by a change that was cut off; harmless, deleted by the next compaction. */
  readonly orphans: readonly string[];
  readonly segments: number;
  readonly blocks: number;
  readonly postings: number;
  readonly journalEntries: number;
}

/** Reads every byte of a catalog and checks every checksum and count. Never throws for damage: it is reported. */
export async function verifyCatalog(store: ObjectStore, signal?: AbortSignal): Promise<CatalogReport> {
  const problems: string[] = [];
  const orphans: string[] = [];
  let [blocks, postings, journalEntries, segments] = [0, 0, 0, 0];
  const attempt = async (work: () => Promise<void>) => {
    signal?.throwIfAborted();
    try {
      await work();
    } catch (error) {
      if (!isLongwaveError(error)) throw error;
      problems.push(error.message);
    }
  };
  const needed = new Set<string>();
  let journalStart = 1;
  await attempt(async () => {
    const bytes = await store.get(manifestKey);
    if (bytes === undefined) {
      problems.push(`${manifestKey} is missing: there is no catalog here.`);
      return;
    }
    const manifest = decodeManifest(bytes);
    journalStart = manifest.journalStart;
    for (const reference of manifest.segments) {
      needed.add(reference.key);
      segments++;
      await attempt(async () => {
        const segment = await Segment.open(store, reference.key, 0, signal);
        const damaged = await segment.readAll(signal);
        for (const block of damaged) problems.push(`${reference.key}: block ${block} is damaged.`);
        let visited = 0;
        const readable = segment.visit(() => void visited++);
        if (!readable) problems.push(`${reference.key}: its postings are malformed.`);
        if (damaged.length === 0 && visited !== segment.layout.postings) {
          problems.push(`${reference.key}: ${visited} postings instead of ${segment.layout.postings}.`);
        }
        blocks += Math.ceil((segment.layout.end - segment.layout.postingsStart) / 16_384);
        postings += visited;
      });
    }
  });
  let expected = journalStart;
  for await (const { key } of store.list("journal/", signal)) {
    const sequence = journalSequence(key);
    if (sequence === undefined || sequence < journalStart) {
      orphans.push(key);
      continue;
    }
    if (sequence !== expected) problems.push(`Journal objects ${expected} to ${sequence - 1} are missing.`);
    expected = sequence + 1;
    await attempt(async () => {
      const bytes = await store.get(key, undefined, signal);
      if (bytes !== undefined) decodeJournalEntry(key, bytes);
      journalEntries++;
    });
  }
  for await (const { key } of store.list("segments/", signal)) if (!needed.has(key)) orphans.push(key);
  return { ok: problems.length === 0, problems, orphans, segments, blocks, postings, journalEntries };
}
