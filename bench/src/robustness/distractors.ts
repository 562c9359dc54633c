import { type Random, SeededRandom } from "@longwave/base";
import { DirectoryStore } from "@longwave/base/node";
import { buildSegment, encodeManifest, Segment, type SegmentReference, type Track } from "@longwave/catalog";
import { appendMarkPairs, identity, markColumns, markFirstBin, PairList } from "@longwave/fingerprint";

const framesPerSecond = 31.25;
const trackSeconds = 90;
/** Pieces of sources that a distractor is patched from, seconds, and how far they are stretched and transposed. */
const pieceSeconds = [3, 8] as const;
const mostWarp = 1.25;
/** More than the highest frequency of a peak, 1/256 bin. */
const frequencies = 2 ** 17;
/** So many hours a segment, so that building takes a bounded amount of memory. */
const hoursPerSegment = 250;

/**
 * Peaks of a recording that never was: pieces of real ones, each stretched and transposed by up to a quarter. Inside a piece the
 * peaks lie to each other as they do in sound, so that hashes and lists have the profile's own statistics.
 */
export function distractorPeaks(sources: readonly Uint32Array[], random: Random): Uint32Array {
  const keys: number[] = [];
  const warp = () => mostWarp ** (2 * random.next() - 1);
  const end = trackSeconds * framesPerSecond;
  for (let at = 0; at < end; ) {
    const source = sources[random.below(sources.length)]!;
    const [least, most] = pieceSeconds;
    const frames = Math.round((least + (most - least) * random.next()) * framesPerSecond);
    const start = random.below(Math.max(1, source.at(-1)! - frames));
    const [tempo, pitch] = [warp(), warp()];
    for (let i = 0; i < source.length; i += 2) {
      const frame = source[i + 1]!;
      if (frame < start || frame >= start + frames) continue;
      const frequency = Math.round(source[i]! * pitch);
      const moved = at + Math.round((frame - start) * tempo);
      const bin = frequency / 256 - markFirstBin;
      if (bin < 0 || bin > markColumns - 1 || moved >= end) continue;
      keys.push(moved * frequencies + frequency);
    }
    at += Math.round(frames * tempo);
  }
  const peaks = new Uint32Array(2 * keys.length);
  for (const [i, key] of Uint32Array.from(keys).sort().entries()) {
    peaks[2 * i] = key % frequencies;
    peaks[2 * i + 1] = Math.floor(key / frequencies);
  }
  return peaks;
}

/** Columns that grow. */
class GrowingColumns {
  hashes: Uint32Array = new Uint32Array(1 << 20);
  tracks: Uint32Array = new Uint32Array(1 << 20);
  frames: Uint32Array = new Uint32Array(1 << 20);
  count = 0;

  add(pairs: PairList, track: number): void {
    while (this.count + pairs.count > this.hashes.length) {
      this.hashes = doubled(this.hashes);
      this.tracks = doubled(this.tracks);
      this.frames = doubled(this.frames);
    }
    this.hashes.set(pairs.hashes.subarray(0, pairs.count), this.count);
    this.frames.set(pairs.frames.subarray(0, pairs.count), this.count);
    this.tracks.fill(track, this.count, this.count + pairs.count);
    this.count += pairs.count;
  }

  /** What is filled. */
  columns(): { hashes: Uint32Array; tracks: Uint32Array; frames: Uint32Array } {
    const part = (column: Uint32Array) => column.subarray(0, this.count);
    return { hashes: part(this.hashes), tracks: part(this.tracks), frames: part(this.frames) };
  }
}

function doubled(column: Uint32Array): Uint32Array {
  const larger = new Uint32Array(2 * column.length);
  larger.set(column);
  return larger;
}

/** Writes a catalog of `mark-v1` that holds `hours` of distractors into a folder; segments that are there stay. */
export async function writeDistractors(
  folder: string,
  hours: number,
  sources: readonly Uint32Array[],
  configHash: string,
): Promise<void> {
  const store = new DirectoryStore(folder);
  const segments: SegmentReference[] = [];
  for (let from = 0; from < hours; from += hoursPerSegment) {
    const key = `segments/distractors-${from}.lwsg`;
    const random = new SeededRandom(1, from);
    if ((await store.head(key)) === undefined) {
      const count = Math.round((Math.min(hours - from, hoursPerSegment) * 3600) / trackSeconds);
      await store.put(key, distractorSegment(from, count, sources, random, configHash));
    }
    const { layout, tracks } = await Segment.open(store, key, 0);
    const { postings, end: bytes } = layout;
    segments.push({ key, bytes, tracks: tracks.length, postings, removed: [] });
  }
  const manifest = encodeManifest({ profile: "mark-v1", configHash, segments, journalStart: 1 });
  await store.put("manifest.json", manifest);
}

function distractorSegment(
  hour: number,
  count: number,
  sources: readonly Uint32Array[],
  random: Random,
  configHash: string,
): Uint8Array {
  const columns = new GrowingColumns();
  const pairs = new PairList();
  const peaks: Uint32Array[] = [];
  const tracks = Array.from({ length: count }, (_, track): Track => {
    const own = distractorPeaks(sources, random);
    pairs.count = 0;
    appendMarkPairs(own, identity, 0, pairs);
    columns.add(pairs, track);
    peaks.push(own);
    const id = `distractor-${hour}-${track}`;
    const contentHash = (hour * 1e6 + track + 1).toString(16).padStart(32, "0");
    return { id, durationSeconds: trackSeconds, hashes: pairs.count, contentHash };
  });
  return buildSegment("mark-v1", configHash, tracks, columns.columns(), peaks);
}
