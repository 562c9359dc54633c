// Stored streams of another encoder (Debian's opusenc; fixtures/generate.sh): its own final ranges, the oracle's samples.
import { readdirSync, readFileSync } from "node:fs";
import { OggOpusReader } from "@longwave/media";
import { createDecoder } from "libopus-wasm";
import { expect, test } from "vitest";
import { OpusDecoder } from "../../src/index.ts";

const folder = new URL("../fixtures/", import.meta.url);
const names = readdirSync(folder)
  .filter((file) => file.endsWith(".opus"))
  .map((file) => file.slice(0, -5));

/** Mode, bandwidth and final range of every packet, as opusenc wrote them. */
function encoderRecord(name: string): { mode: string; finalRange: number }[] {
  return readFileSync(new URL(`${name}.ranges.txt`, folder), "utf8")
    .trim()
    .split("\n")
    .map((line) => ({
      mode: /\], (LP|HYB|MDCT),/.exec(line)![1]!,
      finalRange: Number(/(\d+)\]*$/.exec(line)![1]),
    }));
}

test("the fixtures cover SILK, hybrid and CELT", () => {
  expect(names.length).toBe(10);
  const modes = new Set(names.flatMap((name) => encoderRecord(name).map(({ mode }) => mode)));
  expect([...modes].sort()).toEqual(["HYB", "LP", "MDCT"]);
});

test.each(names)("%s: the encoder's final ranges and the oracle's samples", async (name) => {
  const record = encoderRecord(name);
  const reader = await OggOpusReader.open(new Uint8Array(readFileSync(new URL(`${name}.opus`, folder))));
  const channels = reader.links[0]!.head.channels as 1 | 2;
  using decoder = new OpusDecoder({ channels });
  const oracle = await createDecoder({ sampleRate: 48000, channels });
  const pcm = new Float32Array(5760 * 2);
  let index = 0;
  for await (const { data } of reader.packets()) {
    const frames = decoder.decode(data, pcm);
    expect(decoder.finalRange).toBe(record[index++]!.finalRange);
    const expected = oracle.decodeFloat(data);
    expect(frames * channels).toBe(expected.length);
    expect(expected.every((value, i) => value === pcm[i])).toBe(true);
  }
  oracle.free();
  expect(index).toBe(record.length);
});
