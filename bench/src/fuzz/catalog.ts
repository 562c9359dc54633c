// npm run fuzz -- catalog 60s | --count 100000: mutated segments, manifests and journal objects through their readers, and look-ups in
// what was accepted. In two of three rounds the checksums are made right again, so that the mutation reaches what lies behind them.
import { crc32c } from "@longwave/base";
import {
  buildSegment,
  decodeJournalEntry,
  decodeManifest,
  encodeJournalEntry,
  encodeManifest,
  PostingBatch,
  Segment,
} from "@longwave/catalog";
import { appendMarkPairs, extract, identity, PairList } from "@longwave/fingerprint";
import { song } from "../corpus/song.ts";
import { runFuzz } from "../fuzz-run.ts";

const tracks = [0, 1, 2].map((i) => ({
  id: `t${i}`,
  durationSeconds: 4,
  hashes: 100,
  contentHash: `${i}`,
}));
const fingerprints = tracks.map((_, i) =>
  extract("mark-v1", song({ seed: 5 + i, seconds: 4, sampleRate: 8000 }), { sampleRate: 8000 }),
);
const postings = fingerprints.flatMap(({ records }, track) => {
  const pairs = new PairList();
  appendMarkPairs(records, identity, 0, pairs);
  return Array.from({ length: pairs.count }, (_, i) => [pairs.hashes[i]!, track, pairs.frames[i]!] as const);
});
// One list long enough to carry its length.
for (let i = 0; i < 100; i++) postings.push([7, 2, i * 3]);
const column = (k: 0 | 1 | 2) => Uint32Array.from(postings, (each) => each[k]);
const { configHash } = fingerprints[0]!;
const segment = buildSegment(
  "mark-v1",
  configHash,
  tracks,
  { hashes: column(0), tracks: column(1), frames: column(2) },
  fingerprints.map(({ records }) => records),
);
const reference = { key: "segments/a.lwsg", bytes: 1, tracks: 3, postings: 10, removed: [1] };
const manifest = encodeManifest({ profile: "mark-v1", configHash, segments: [reference], journalStart: 3 });
const journal = encodeJournalEntry({
  kind: "add",
  track: { id: "a", title: "First" },
  fingerprint: fingerprints[0]!,
  replace: false,
});
const hashes = [...new Set(column(0))];
const batch = new PostingBatch();

/** Makes the checksums of a segment right again: of its parts where the header tells where they lie, then of the header. */
function mendSegment(bytes: Uint8Array): void {
  if (bytes.length < 128) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const body = view.getUint32(24, true) + view.getUint32(80, true);
  const sums = 128 + view.getUint32(20, true);
  const directory = sums + 4 * Math.ceil(body / 16_384);
  const start = bytes.length - body;
  if (directory > start || start > bytes.length || start < 0) return;
  for (let at = start, sum = sums; at < bytes.length; at += 16_384, sum += 4) {
    view.setUint32(sum, crc32c(bytes, at, Math.min(bytes.length, at + 16_384)), true);
  }
  view.setUint32(68, crc32c(bytes, 128, sums), true);
  view.setUint32(72, crc32c(bytes, directory, start), true);
  view.setUint32(76, crc32c(bytes, sums, directory), true);
  view.setUint32(124, crc32c(bytes, 0, 124), true);
}

function readSegment(bytes: Uint8Array, round: number): number {
  if (round % 3 !== 0) mendSegment(bytes);
  const opened = Segment.fromBytes("fuzzed", bytes);
  for (let i = 0; i < 20; i++) {
    batch.count = 0;
    opened.collect(hashes[(round * 20 + i) % hashes.length]!, 20_000, batch);
  }
  let held = batch.tracks.byteLength + batch.frames.byteLength;
  for (let track = 0; track < opened.tracks.length; track++) {
    held += opened.peaksOf(track)?.byteLength ?? 0;
  }
  if (round % 16 === 1) opened.visit(() => undefined);
  return held;
}

runFuzz(
  "catalog",
  {
    seeds: [segment, segment, segment, manifest, journal],
    parse(bytes, round) {
      const first = bytes[0];
      if (first === 0x7b) return decodeManifest(bytes).segments.length;
      if (bytes[2] === 0x4a) {
        if (round % 3 !== 0 && bytes.length > 4) {
          const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
          view.setUint32(bytes.length - 4, crc32c(bytes, 0, bytes.length - 4), true);
        }
        const entry = decodeJournalEntry("journal/000000000001", bytes);
        return entry.kind === "add" ? entry.fingerprint.records.byteLength : 0;
      }
      return readSegment(bytes, round);
    },
    maxHeldBytes: 1 << 22,
  },
  process.argv.slice(2),
);
