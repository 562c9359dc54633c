import { MemoryStore, type ObjectStore } from "@longwave/base";
import { gunzipSync, gzipSync } from "fflate";
import type { Chunk } from "./chunk-format.ts";
import { json, seekKey } from "./layout.ts";
import { emptyReport, type RecordingReader } from "./recording-reader.ts";
import type { SealedChunk } from "./sealed-chunk.ts";
import { pointFlags, type SeekPoint, unproven } from "./seek-point.ts";

/** Rows of the array: what is known of every seek point. */
const rows = 8;
/** Points of one Zarr chunk of the array: a day at one a second. */
const groupPoints = 86_400;

/**
 * The seek points of a recording as a Zarr array, for readers that want an overview without fetching chunks: uint32
 * [8, points], gzip. Rows: sample (low, high), packet (low, high), chunk, byte offset in the chunk's packets, run-up for
 * float32 + run-up for int16 * 65,536 (65,535 = none proven), flags. No read depends on it.
 */
export class SeekArray {
  readonly #columns: number[][] = Array.from({ length: rows }, () => []);
  /** Points in groups that were written already. */
  #written = 0;

  /** Starts behind `points` that are stored already; they must fill whole groups, the rest is added again. */
  constructor(points = 0) {
    this.#written = Math.floor(points / groupPoints) * groupPoints;
  }

  get points(): number {
    return this.#written + this.#columns[0]!.length;
  }

  add(
    chunk: Pick<SealedChunk, "index" | "firstPacket" | "firstSample" | "seekPoints">,
    pointFrames: number,
  ): void {
    for (const [i, point] of chunk.seekPoints.entries()) {
      const sample = chunk.firstSample + i * pointFrames;
      this.#push(sample, chunk.firstPacket + point.packet, chunk.index, point);
    }
  }

  /** The same for a stored chunk. */
  addStored(index: number, chunk: Chunk, pointFrames: number): void {
    this.add(
      { index, firstPacket: chunk.firstPacket, firstSample: chunk.firstSample, seekPoints: chunk.points },
      pointFrames,
    );
  }

  /** Forgets the points of `chunk` and later ones. */
  dropFrom(chunk: number): void {
    const keep = this.#columns[4]!.findIndex((each) => each >= chunk);
    if (keep >= 0) for (const column of this.#columns) column.length = keep;
  }

  /** Writes groups that are full. Returns bytes written. */
  async writeFull(store: ObjectStore, id: string): Promise<number> {
    let bytes = 0;
    while (this.#columns[0]!.length >= groupPoints) {
      bytes += await this.#writeGroup(store, id, groupPoints);
      for (const column of this.#columns) column.splice(0, groupPoints);
      this.#written += groupPoints;
    }
    return bytes;
  }

  /** Writes what is left and the array's metadata. Returns bytes written. */
  async finish(store: ObjectStore, id: string): Promise<number> {
    let bytes = await this.writeFull(store, id);
    const points = this.points;
    const group = points > groupPoints ? groupPoints : Math.max(1, points);
    if (this.#columns[0]!.length > 0) bytes += await this.#writeGroup(store, id, group);
    const metadata = json({
      zarr_format: 3,
      node_type: "array",
      shape: [rows, points],
      data_type: "uint32",
      chunk_grid: { name: "regular", configuration: { chunk_shape: [rows, group] } },
      chunk_key_encoding: { name: "default", configuration: { separator: "/" } },
      fill_value: 0,
      codecs: [
        { name: "bytes", configuration: { endian: "little" } },
        { name: "gzip", configuration: { level: 9 } },
      ],
      dimension_names: ["field", "point"],
      attributes: {},
    });
    await store.put(seekKey(id, "zarr.json"), metadata);
    return bytes;
  }

  async #writeGroup(store: ObjectStore, id: string, columns: number): Promise<number> {
    const bytes = new Uint8Array(4 * rows * columns);
    const view = new DataView(bytes.buffer);
    const count = Math.min(columns, this.#columns[0]!.length);
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < count; i++) view.setUint32(4 * (row * columns + i), this.#columns[row]![i]!, true);
    }
    const packed = gzipSync(bytes, { level: 9, mtime: 0 });
    await store.put(seekKey(id, `c/0/${this.#written / groupPoints}`), packed);
    return packed.length;
  }

  #push(sample: number, packet: number, chunk: number, point: SeekPoint): void {
    const values = [
      sample >>> 0,
      Math.floor(sample / 0x1_0000_0000),
      packet >>> 0,
      Math.floor(packet / 0x1_0000_0000),
      chunk,
      point.byteOffset,
      (point.runUpFloat | (point.runUpInt16 << 16)) >>> 0,
      point.flags,
    ];
    for (const [row, value] of values.entries()) this.#columns[row]!.push(value);
  }

  /** Takes up the points of a stored array from its last group on; undefined where it cannot be read. */
  static async load(store: ObjectStore, id: string, points: number): Promise<SeekArray | undefined> {
    const array = new SeekArray(points);
    const rest = points - array.#written;
    if (rest === 0) return array;
    const stored = await store.get(seekKey(id, `c/0/${array.#written / groupPoints}`));
    if (stored === undefined) return undefined;
    const columns = points > groupPoints ? groupPoints : points;
    const raw = new Uint8Array(4 * rows * columns);
    try {
      if (gunzipSync(stored, { out: raw }).length !== raw.length) return undefined;
    } catch {
      return undefined;
    }
    const view = new DataView(raw.buffer);
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < rest; i++) array.#columns[row]!.push(view.getUint32(4 * (row * columns + i), true));
    }
    return array;
  }
}

/** Whether what is stored of the seek array is what these points give. */
export async function isSeekArrayStored(store: ObjectStore, id: string, seek: SeekArray): Promise<boolean> {
  const wanted = new MemoryStore();
  await seek.finish(wanted, id);
  for await (const { key } of wanted.list("")) {
    const stored = await store.get(key);
    const bytes = (await wanted.get(key))!;
    if (stored === undefined) return false;
    if (equal(stored, bytes)) continue;
    // Another version of the compressor may have packed the same numbers otherwise.
    if (!key.includes("/c/")) return false;
    const numbers = gunzipSync(bytes);
    try {
      if (!equal(gunzipSync(stored, { out: new Uint8Array(numbers.length + 1) }), numbers)) return false;
    } catch {
      return false;
    }
  }
  return true;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** How far decoding has to run up, over all seek points of a recording. */
export interface RunUpSummary {
  /** Points by the packets of their run-up: those above the `atMost` of the entry before, up to this one's. */
  readonly runUps: readonly { readonly atMost: number; readonly points: number }[];
  /** Points with a stored decoder state. */
  readonly states: number;
  /** Points from which decoding starts at an earlier one. */
  readonly unproven: number;
}

/** Upper ends of the summary's entries in packets; the last takes what is longer. */
const runUpSteps = [0, 8, 16, 32, 64, 128, 0xfffe];

/** Counts the run-ups of a recording's seek array; undefined where it has none that can be read. */
export async function summarizeRunUps(
  store: ObjectStore,
  id: string,
  points: number,
): Promise<RunUpSummary | undefined> {
  const counts = runUpSteps.map((atMost) => ({ atMost, points: 0 }));
  let states = 0;
  let unprovenPoints = 0;
  const columns = Math.min(points, groupPoints);
  for (let group = 0; group * groupPoints < points; group++) {
    const stored = await store.get(seekKey(id, `c/0/${group}`));
    const raw = new Uint8Array(4 * rows * columns);
    try {
      if (stored === undefined || gunzipSync(stored, { out: raw }).length !== raw.length) return undefined;
    } catch {
      return undefined;
    }
    const view = new DataView(raw.buffer);
    for (let i = 0; i < Math.min(groupPoints, points - group * groupPoints); i++) {
      const runUp = view.getUint32(4 * (6 * columns + i), true) & 0xffff;
      if ((view.getUint32(4 * (7 * columns + i), true) & pointFlags.stateStored) !== 0) states++;
      else if (runUp === unproven) unprovenPoints++;
      else counts.find((each) => runUp <= each.atMost)!.points++;
    }
  }
  return { runUps: counts.filter((each) => each.points > 0), states, unproven: unprovenPoints };
}

/** The seek points of the first `chunks` chunks, read from the chunks themselves. */
export async function collectSeek(reader: RecordingReader, chunks: number): Promise<SeekArray> {
  const seek = new SeekArray();
  for (let number = 0; number < chunks; number++) {
    seek.addStored(number, await reader.chunk(number, emptyReport(reader.info)), reader.info.pointFrames);
  }
  return seek;
}
