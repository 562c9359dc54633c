// Parameters of every SILK frame, decoded from our packets and from the oracle's: gains, spectral frequencies, lags, long-term
// prediction. The first one that differs is named.
import { createEncoder } from "libopus-wasm";
import { describe, expect, test } from "vitest";
import { inspectPacket, OpusDecoder, OpusEncoder, type SilkFrameTrace } from "../../src/index.ts";
import { syntheticSpeech } from "../silk/synthetic-speech.ts";

const rateHz = 16000;
const frames = 320;

async function traces(ourComplexity: number, channels: 1 | 2): Promise<[SilkFrameTrace[], SilkFrameTrace[]]> {
  const pcm = syntheticSpeech(rateHz, channels, 2.4);
  const settings = { sampleRate: rateHz, channels } as const;
  const bitrate = 24000 * channels;
  const oracle = await createEncoder({
    ...settings,
    application: 2048,
    bitrate,
    complexity: 10,
    fec: true,
    packetLossPercent: 15,
    frameSize: frames,
  });
  using encoder = new OpusEncoder({
    ...settings,
    application: "voip",
    bitrateBps: bitrate,
    complexity: ourComplexity,
    inbandFec: 1,
    packetLossPercent: 15,
  });
  using ours = new OpusDecoder(settings);
  using theirs = new OpusDecoder(settings);
  const out = new Float32Array(frames * channels);
  const packet = new Uint8Array(4000);
  const silk: [SilkFrameTrace[], SilkFrameTrace[]] = [[], []];
  for (let at = 0; at + frames * channels <= pcm.length; at += frames * channels) {
    const piece = pcm.subarray(at, at + frames * channels);
    const made = packet.subarray(0, encoder.encodeInt16(piece, packet));
    for (const [side, bytes, decoder] of [
      [0, made, ours],
      [1, oracle.encode(piece), theirs],
    ] as const) {
      for (const frame of inspectPacket(bytes, decoder).frames)
        if (frame.kind === "silk") silk[side].push(frame);
      decoder.decode(bytes, out);
    }
  }
  oracle.free();
  return silk;
}

describe("SILK parameters of wideband speech", () => {
  test.each([1, 2] as const)("all frames of %i channels equal the oracle's", async (channels) => {
    const [ours, theirs] = await traces(10, channels);
    expect(theirs.length).toBeGreaterThan(120);
    expect(theirs.some(({ signalType }) => signalType === "voiced")).toBe(true);
    expect(theirs.some(({ redundant }) => redundant)).toBe(true);
    for (const [index, frame] of theirs.entries()) {
      for (const name of Object.keys(frame) as (keyof SilkFrameTrace)[]) {
        expect(ours[index]?.[name], `frame ${index}: ${name}`).toEqual(frame[name]);
      }
    }
    expect(ours.length).toBe(theirs.length);
  });

  test("another complexity shows in the parameters", async () => {
    const [ours, theirs] = await traces(0, 1);
    const different = theirs.filter((frame, i) => String(frame.nlsfIndices) !== String(ours[i]?.nlsfIndices));
    expect(different.length).toBeGreaterThan(10);
  });
});
