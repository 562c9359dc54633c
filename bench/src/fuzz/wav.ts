// npm run fuzz -- wav 60s | --count 1000000: mutated WAV files through the parser, cut into random pieces.
import { SeededRandom } from "@longwave/base";
import { encodeWav, WavReader } from "@longwave/media";
import { runFuzz } from "../fuzz-run.ts";

const sound = Float32Array.from({ length: 64 }, (_, i) => ((i * 37) % 64) / 32 - 1);
const text = (length: number) => new TextEncoder().encode("GUANO|Version:1.0\n".repeat(40).slice(0, length));
const seeds = [
  ...(["u8", "s16", "s24", "s32", "f32", "f64"] as const).map((encoding) =>
    encodeWav(sound, {
      sampleRate: 48_000,
      channels: 2,
      encoding,
      trailingChunks: [{ id: "guan", bytes: text(33) }],
    }),
  ),
  encodeWav(sound.subarray(0, 63), {
    sampleRate: 8000,
    channels: 1,
    encoding: "u8",
    chunks: [{ id: "bext", bytes: text(602) }],
  }),
  riff64(),
  encodeWav(sound, { sampleRate: 384_000, channels: 4 }),
  ...[0, 0x7fff_f000, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff].map(claiming),
];

runFuzz(
  "wav",
  {
    seeds,
    parse(bytes, round) {
      const random = new SeededRandom(round, 1);
      const reader = new WavReader(() => undefined);
      for (let at = 0; at < bytes.length; ) {
        const length = 1 + random.below(random.below(2) === 0 ? 8 : bytes.length);
        reader.push(bytes.subarray(at, at + length));
        at += length;
      }
      reader.end();
      return reader.chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0);
    },
    maxHeldBytes: 1 << 20,
  },
  process.argv.slice(2),
);

/** A file whose sound chunk states another size than it has. */
function claiming(size: number): Uint8Array {
  const bytes = encodeWav(sound, { sampleRate: 8000, channels: 1 });
  new DataView(bytes.buffer).setUint32(bytes.length - 128 - 4, size, true);
  return bytes;
}

/** A small file with the header of a large one. */
function riff64(): Uint8Array {
  const bytes = encodeWav(sound, { sampleRate: 48_000, channels: 2 });
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("RF64"), 0);
  view.setUint32(4, 0xffff_ffff, true);
  bytes.set(new TextEncoder().encode("ds64"), 12);
  view.setUint32(20, bytes.length - 8, true);
  view.setUint32(28, 128, true);
  view.setUint32(bytes.length - 128 - 4, 0xffff_ffff, true);
  return bytes;
}
