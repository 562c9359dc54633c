// Mapping family 3 against libopus' own projection decoder: stored packets of it with the hashes of its decodes, and, where
// gcc and libopus-dev are installed, streams that are made and decoded by it here.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repositoryPath } from "@longwave/testkit";
import { describe, expect, test } from "vitest";
import { OpusMultistreamDecoder, type OpusMultistreamLayout } from "../../src/index.ts";
import { hasLibopus } from "../packets/libopus-harness.ts";
import { syntheticSpeech } from "../silk/synthetic-speech.ts";

interface Packet {
  readonly finalRange: number;
  readonly bytes: Uint8Array;
}

interface Stream {
  readonly layout: OpusMultistreamLayout;
  readonly packets: readonly Packet[];
}

/** See projection-harness.c for the form. */
function readStream(file: Buffer): Stream {
  const headBytes = file.readUInt32LE(0);
  const head = file.subarray(4, 4 + headBytes);
  const [channels, streams, coupled] = [head[9]!, head[19]!, head[20]!];
  const layout = {
    channels,
    streams,
    coupled,
    mapping: Uint8Array.from({ length: channels }, (_, channel) => channel),
    demixingMatrix: Int16Array.from({ length: channels * (streams + coupled) }, (_, i) =>
      head.readInt16LE(21 + 2 * i),
    ),
  };
  const packets: Packet[] = [];
  for (let at = 4 + headBytes; at < file.length; ) {
    const size = file.readUInt32LE(at);
    packets.push({ finalRange: file.readUInt32LE(at + 4), bytes: file.subarray(at + 8, at + 8 + size) });
    at += 8 + size;
  }
  return { layout, packets };
}

function decodeAll({ layout, packets }: Stream) {
  using shortDecoder = new OpusMultistreamDecoder(layout);
  using floatDecoder = new OpusMultistreamDecoder(layout);
  using int24Decoder = new OpusMultistreamDecoder(layout);
  const samples = 960 * layout.channels;
  const shorts = new Int16Array(samples * packets.length);
  const floats = new Float32Array(samples * packets.length);
  const int24 = new Int32Array(samples * packets.length);
  packets.forEach(({ bytes, finalRange }, index) => {
    const [from, to] = [index * samples, (index + 1) * samples];
    expect(shortDecoder.decodeInt16(bytes, shorts.subarray(from, to))).toBe(960);
    expect(floatDecoder.decode(bytes, floats.subarray(from, to))).toBe(960);
    expect(int24Decoder.decodeInt24(bytes, int24.subarray(from, to))).toBe(960);
    expect(shortDecoder.finalRange).toBe(finalRange);
  });
  return { shorts, floats, int24 };
}

function sha256(values: Int16Array | Float32Array): string {
  return createHash("sha256")
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest("hex");
}

function largestDifference(ours: Int16Array | Float32Array, theirs: Int16Array | Float32Array): number {
  expect(ours.length).toBe(theirs.length);
  let largest = 0;
  for (let i = 0; i < ours.length; i++) largest = Math.max(largest, Math.abs(ours[i]! - theirs[i]!));
  return largest;
}

test("stored SILK packets decode to libopus' samples, 16 bit and float", () => {
  const folder = repositoryPath("packages/opus/test/fixtures");
  const { shorts, floats } = decodeAll(readStream(readFileSync(`${folder}/projection-silk.packets`)));
  const [int16Hash, floatHash] = readFileSync(`${folder}/projection-silk.sha256`, "utf8")
    .split("\n")
    .map((line) => line.slice(0, 64));
  expect([sha256(shorts), sha256(floats)]).toEqual([int16Hash, floatHash]);
});

test("24 bit takes the matrix over integers: within its roundings of the float decode", () => {
  const folder = repositoryPath("packages/opus/test/fixtures");
  const { floats, int24 } = decodeAll(readStream(readFileSync(`${folder}/projection-silk.packets`)));
  let largest = 0;
  for (let i = 0; i < floats.length; i++) {
    largest = Math.max(largest, Math.abs(int24[i]! - floats[i]! * 8388608));
  }
  // Per stream channel (4): half a unit for the sample, half for the product; more for the float sums.
  expect(largest).toBeGreaterThan(0);
  expect(largest).toBeLessThan(5);
});

describe.skipIf(!hasLibopus)(
  `streams that libopus makes here${hasLibopus ? "" : " (skipped: gcc or libopus-dev absent)"}`,
  () => {
    test.each([
      // SILK is integer arithmetic in every build of libopus: exact.
      { channels: 4, coder: "silk", bitrate: 40_000, floatLimit: 0, shortLimit: 0 },
      { channels: 16, coder: "silk", bitrate: 160_000, floatLimit: 0, shortLimit: 0 },
      // CELT of Debian's build has vectorised sums: 1e-6, one unit for each stream channel.
      { channels: 4, coder: "celt", bitrate: 256_000, floatLimit: 2e-6, shortLimit: 4 },
      { channels: 6, coder: "celt", bitrate: 300_000, floatLimit: 2e-6, shortLimit: 6 },
      { channels: 16, coder: "celt", bitrate: 640_000, floatLimit: 4e-6, shortLimit: 16 },
    ])("$channels channels, $coder", (plan) => {
      const { theirShorts, theirFloats, stream } = throughLibopus(plan);
      const { shorts, floats } = decodeAll(stream);
      expect(largestDifference(floats, theirFloats)).toBeLessThanOrEqual(plan.floatLimit);
      expect(largestDifference(shorts, theirShorts)).toBeLessThanOrEqual(plan.shortLimit);
    });
  },
);

function throughLibopus(plan: { channels: number; coder: string; bitrate: number }) {
  const directory = mkdtempSync(join(tmpdir(), "longwave-projection-"));
  try {
    const program = join(directory, "harness");
    const source = repositoryPath("packages/opus/test/decoder/projection-harness.c");
    const built = spawnSync("gcc", ["-O1", "-o", program, source, "-lopus"], { encoding: "utf8" });
    if (built.status !== 0) throw new Error(built.stderr);
    const sound = syntheticSpeech(48_000, plan.channels, 0.3, 11);
    const stem = join(directory, "stream");
    const args = [stem, String(plan.channels), plan.coder, String(plan.bitrate)];
    const run = spawnSync(program, args, { input: new Uint8Array(sound.buffer) });
    if (run.status !== 0) throw new Error(`The harness ended with ${run.status}.`);
    const raw = (extension: string) => new Uint8Array(readFileSync(`${stem}.${extension}`)).buffer;
    return {
      stream: readStream(readFileSync(`${stem}.packets`)),
      theirShorts: new Int16Array(raw("int16")),
      theirFloats: new Float32Array(raw("float")),
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
