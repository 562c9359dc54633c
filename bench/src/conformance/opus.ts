// npm run conformance -- opus [--json] [--digest] [vector...]: the twelve vectors of RFC 8251 at five rates, mono and stereo, against the
// reference decodes by the standard's metric, against the encoder's final ranges, and against libopus bit by bit. With
// --digest only final ranges and the SHA-256 of all float output, to compare engines.
import { createHash } from "node:crypto";
import { OpusDecoder, opusCompare, type SampleRate } from "@longwave/opus";
import { createDecoder } from "libopus-wasm";
import { readReferences, readVector, type VectorPacket, vectorFolder, vectorNames } from "../opus-vectors.ts";

const rates: readonly SampleRate[] = [48000, 24000, 16000, 12000, 8000];

interface Decode {
  readonly floats: Float32Array;
  readonly shorts: Int16Array;
  readonly rangesWrong: number;
}

function decodeAll(packets: readonly VectorPacket[], sampleRate: SampleRate, channels: 1 | 2): Decode {
  using float = new OpusDecoder({ sampleRate, channels });
  using short = new OpusDecoder({ sampleRate, channels });
  const floatFrame = new Float32Array(5760 * 2);
  const shortFrame = new Int16Array(5760 * 2);
  const floats: Float32Array[] = [];
  const shorts: Int16Array[] = [];
  let rangesWrong = 0;
  for (const { packet, finalRange } of packets) {
    const samples = float.decode(packet, floatFrame) * channels;
    short.decodeInt16(packet, shortFrame);
    floats.push(floatFrame.slice(0, samples));
    shorts.push(shortFrame.slice(0, samples));
    if (float.finalRange !== finalRange || short.finalRange !== finalRange) rangesWrong++;
  }
  return { floats: joined(floats, Float32Array), shorts: joined(shorts, Int16Array), rangesWrong };
}

function joined<T extends Float32Array | Int16Array>(
  parts: readonly T[],
  make: new (length: number) => T,
): T {
  const all = new make(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Samples that differ from the oracle, float and 16 bit together. */
async function differencesToOracle(
  packets: readonly VectorPacket[],
  decode: Decode,
  sampleRate: SampleRate,
  channels: 1 | 2,
): Promise<number> {
  const options = { sampleRate, channels, maxFrameSize: (sampleRate * 120) / 1000 };
  const float = await createDecoder(options);
  const short = await createDecoder(options);
  let differences = 0;
  let at = 0;
  for (const { packet } of packets) {
    const expectedFloats = float.decodeFloat(packet);
    const expectedShorts = short.decode(packet);
    for (let i = 0; i < expectedFloats.length; i++) {
      if (expectedFloats[i] !== decode.floats[at + i]) differences++;
      if (expectedShorts[i] !== decode.shorts[at + i]) differences++;
    }
    at += expectedFloats.length;
  }
  differences += Math.abs(at - decode.floats.length);
  float.free();
  short.free();
  return differences;
}

if (vectorFolder === undefined) {
  console.error("The conformance vectors are absent: set LONGWAVE_SHARED to the folder of the shared data.");
  process.exit(5);
}

const json = process.argv.includes("--json");
const digestOnly = process.argv.includes("--digest");
const only = process.argv.slice(2).filter((argument) => /^\d+$/.test(argument));
const digest = createHash("sha256");
const rows: Record<string, string | number>[] = [];
let ranges = 0;
let rangesWrong = 0;
let failures = 0;
for (const name of only.length > 0 ? only : vectorNames) {
  const packets = readVector(name);
  const references = digestOnly ? [] : await readReferences(name);
  const row: Record<string, string | number> = { vector: name, packets: packets.length };
  let wrong = 0;
  let differences = 0;
  for (const sampleRate of rates) {
    for (const channels of [2, 1] as const) {
      const decode = decodeAll(packets, sampleRate, channels);
      wrong += decode.rangesWrong;
      digest.update(new Uint8Array(decode.floats.buffer));
      if (sampleRate === 48000 && channels === 2) {
        ranges += packets.length;
        rangesWrong += decode.rangesWrong;
      }
      if (digestOnly) continue;
      differences += await differencesToOracle(packets, decode, sampleRate, channels);
      let best = Number.NEGATIVE_INFINITY;
      for (const reference of references) {
        best = Math.max(best, opusCompare(reference, decode.shorts, { sampleRate, channels }).quality);
        // Most vectors pass with the first one; the second is for decoders that ignore phase inversion.
        if (best >= 0 && channels === 2) break;
      }
      if (!(best >= 0)) failures++;
      row[`${sampleRate / 1000} kHz ${channels === 2 ? "stereo" : "mono"}`] = best.toFixed(1);
      if (sampleRate === 48000 && channels === 2 && best < 99.4) failures++;
    }
  }
  row["ranges wrong"] = wrong;
  row["samples unlike libopus"] = differences;
  if (wrong > 0 || differences > 0) failures++;
  rows.push(row);
  if (!json) console.error(`vector ${name} done`);
}

const summary = {
  finalRanges: `${ranges - rangesWrong} of ${ranges}`,
  sha256OfAllFloatOutput: digest.digest("hex"),
  failures,
};
if (json) {
  console.log(JSON.stringify({ node: process.version, rows, ...summary }, null, 2));
} else {
  const names = Object.keys(rows[0]!);
  console.log(`| ${names.join(" | ")} |\n| ${names.map(() => "---").join(" | ")} |`);
  for (const row of rows) console.log(`| ${names.map((key) => row[key]).join(" | ")} |`);
  console.log(
    `\nFinal ranges: ${summary.finalRanges}. SHA-256 of all float output: ${summary.sha256OfAllFloatOutput}.`,
  );
  console.log(failures === 0 ? "All passed." : `${failures} FAILED.`);
}
process.exit(failures === 0 ? 0 : 1);
