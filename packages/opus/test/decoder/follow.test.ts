import { opusStream, streamKinds } from "@longwave/testkit/opus-streams";
import { expect, test } from "vitest";
import { OpusDecoder } from "../../src/index.ts";

const pcm = new Float32Array(5760 * 2);
const other = new Float32Array(5760 * 2);

function wholeState(decoder: OpusDecoder): string {
  const digest = new Uint32Array(4);
  decoder.wholeStateDigest(digest);
  return digest.join();
}

test.each(streamKinds.map((kind) => [kind.name, kind] as const))(
  "%s: following without output leads to the same state, and the same samples behind it",
  async (_, kind) => {
    const items = await opusStream(kind, 1);
    using decoding = new OpusDecoder({ channels: kind.channels, gainQ8: kind.gainQ8 ?? 0 });
    using following = new OpusDecoder({ channels: kind.channels, gainQ8: kind.gainQ8 ?? 0 });
    const wrong: number[] = [];
    for (const [i, item] of items.entries()) {
      if (item.type === "segment") continue;
      const packet = item.type === "loss" ? null : item.data;
      const frames = item.type === "loss" ? item.frames : undefined;
      const length = decoding.decode(packet, pcm, frames);
      if (i % 7 === 6) following.decode(packet, other, frames);
      else expect(following.follow(packet, frames)).toBe(length);
      const samples = length * kind.channels;
      if (i % 7 === 6 && Buffer.compare(bytes(pcm, samples), bytes(other, samples)) !== 0) wrong.push(i);
      if (wholeState(decoding) !== wholeState(following)) wrong.push(i);
    }
    expect(wrong).toEqual([]);
  },
);

test("what decode refuses, follow refuses alike, and keeps the state", () => {
  using decoder = new OpusDecoder({ channels: 1 });
  decoder.follow(null);
  const before = wholeState(decoder);
  expect(() => decoder.follow(Uint8Array.of(3))).toThrow(
    expect.objectContaining({ code: "opus/invalid-packet" }),
  );
  expect(() => decoder.follow(Uint8Array.of(8, 1, 2), 480)).toThrow(
    expect.objectContaining({ code: "opus/buffer-too-small" }),
  );
  for (const frames of [0, -960, 100, 48_000])
    expect(() => decoder.follow(null, frames)).toThrow(
      expect.objectContaining({ code: "opus/bad-argument" }),
    );
  expect(wholeState(decoder)).toBe(before);
});

function bytes(samples: Float32Array, count: number): Uint8Array {
  return new Uint8Array(samples.buffer, 0, 4 * count);
}
