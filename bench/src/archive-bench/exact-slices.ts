import { Archive } from "@longwave/archive";
import { MemoryStore, SeededRandom } from "@longwave/base";
import { createSeekableDecoder } from "@longwave/opus";
import { opusStream, type StreamItem, streamKinds } from "@longwave/testkit/opus-streams";
import { report } from "./table.js";

const seconds = 20;
const longestSlice = 4800;
/** Short chunks, so that slices meet many borders. */
const chunkFrames = 240_000;

/** Random slices of every kind of stream against the sequential decode, as floats and as 16-bit integers. */
export async function measureExactness(slicesInAll: number): Promise<void> {
  const slices = Math.ceil(slicesInAll / streamKinds.length);
  let wrongFloat = 0;
  let wrongInt16 = 0;
  const baseline = new Map<string, number>();
  for (const kind of streamKinds) {
    const items = await opusStream(kind, seconds);
    const expected = decodeAll(items, kind.channels);
    const expectedInt16 = Int16Array.from(expected, roundToInt16);
    const archive = await Archive.open(new MemoryStore(), { decoder: createSeekableDecoder });
    await archive.import(
      { channels: kind.channels, items: () => items },
      { id: "r", chunkFrames, chunksPerShard: 3 },
    );
    const { frames } = await archive.info("r");
    const random = new SeededRandom(kind.name.length, 5);
    for (let i = 0; i < slices; i++) {
      const from = random.below(frames);
      const to = Math.min(frames, from + 1 + random.below(longestSlice));
      const [a, b] = [from * kind.channels, to * kind.channels];
      const float = await archive.read("r", { from, to });
      if (!same(float.pcm, expected.subarray(a, b))) wrongFloat++;
      const int16 = await archive.read("r", { from, to, as: "int16" });
      if (!same(int16.pcm, expectedInt16.subarray(a, b))) wrongInt16++;
    }
    archive.close();
    if (/^CELT music|^SILK speech wide/.test(kind.name)) {
      baseline.set(kind.name, fixedPreRollWrong(items, kind.channels, expected));
    }
  }
  const kinds = `${streamKinds.length} kinds of stream`;
  report({
    number: "1",
    what: `random slices that differ from the sequential decode, float32 (${slices * streamKinds.length} over ${kinds})`,
    target: "0",
    figure: String(wrongFloat),
    ok: wrongFloat === 0,
  });
  report({
    number: "1",
    what: "the same slices as int16",
    target: "0",
    figure: String(wrongInt16),
    ok: wrongInt16 === 0,
  });
  for (const [name, share] of baseline) {
    report({
      number: "1",
      what: `fixed 80 ms pre-roll, wrong starts, ${name}`,
      target: "> 65 % (the check bites)",
      figure: `${(100 * share).toFixed(0)} %`,
      ok: share > 0.65,
    });
  }
}

/** One decoder from the first packet on; pre-skip removed. */
export function decodeAll(items: readonly StreamItem[], channels: number): Float32Array {
  const pieces: Float32Array[] = [];
  const pcm = new Float32Array(5760 * channels);
  let decoder: ReturnType<typeof createSeekableDecoder> | undefined;
  let skip = 0;
  let total = 0;
  for (const item of items) {
    if (item.type === "segment") {
      decoder = createSeekableDecoder(item.head, "opus-1");
      skip = item.head.preSkip;
      continue;
    }
    const frames =
      item.type === "loss" ? decoder!.decode(null, pcm, item.frames) : decoder!.decode(item.data, pcm);
    const cut = Math.min(skip, frames);
    skip -= cut;
    pieces.push(pcm.slice(cut * channels, frames * channels));
    total += (frames - cut) * channels;
  }
  decoder?.close();
  const all = new Float32Array(total);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** Share of starts that a pre-roll of 80 ms gets wrong, judged by the first packet. */
function fixedPreRollWrong(items: readonly StreamItem[], channels: number, expected: Float32Array): number {
  const first = items[0]!;
  if (first.type !== "segment") throw new Error("The stream begins without a head.");
  const packets = items.filter((item) => item.type === "packet");
  const decoder = createSeekableDecoder(first.head, "opus-1");
  const pcm = new Float32Array(5760 * channels);
  const random = new SeededRandom(1);
  const rounds = 200;
  let wrong = 0;
  for (let round = 0; round < rounds; round++) {
    const packet = 10 + random.below(packets.length - 20);
    decoder.reset();
    for (let k = packet - 4; k <= packet; k++) decoder.decode(packets[k]!.data, pcm);
    const at = (packet * 960 - first.head.preSkip) * channels;
    if (!same(pcm.subarray(0, 960 * channels), expected.subarray(at, at + 960 * channels))) wrong++;
  }
  decoder.close();
  return wrong / rounds;
}

function roundToInt16(value: number): number {
  const scaled = value * 32_768;
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const rounded = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
  return Math.min(32_767, Math.max(-32_768, rounded));
}

function same(a: Float32Array | Int16Array, b: Float32Array | Int16Array): boolean {
  const bytes = (view: Float32Array | Int16Array) =>
    Buffer.from(view.buffer, view.byteOffset, view.byteLength);
  return bytes(a).equals(bytes(b));
}
