import { isFullSweep } from "@longwave/testkit";
import { createDecoder, createEncoder, Signal } from "libopus-wasm";
import { describe, expect, test } from "vitest";
import { createSilkCore, SilkOnlyDecoder } from "./silk-core.ts";
import { syntheticSpeech } from "./synthetic-speech.ts";
import { readVector, vectorFolder } from "./vectors.ts";

const absent = vectorFolder === undefined ? " (skipped: shared data absent)" : "";

/** Deterministic losses: about `share` of the packets, in bursts. */
function lossPattern(count: number, share: number, seed: number): boolean[] {
  let state = seed;
  let lost = false;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const draw = state / 2 ** 32;
    lost = lost ? draw < 0.5 : draw < share / 2;
    return lost;
  });
}

/** Whole vectors in `verify:exhaustive`; `npm run conformance -- opus` decodes them whole too. */
const packetLimit = isFullSweep ? undefined : 400;

function frameMsOf(packet: Uint8Array): number {
  return [10, 20, 40, 60][(packet[0]! >> 3) & 3]!;
}

function firstDifference(a: Int16Array, b: Int16Array): number {
  if (a.length !== b.length) return Math.min(a.length, b.length);
  return a.findIndex((value, index) => value !== b[index]);
}

describe.skipIf(vectorFolder === undefined)(`conformance vectors of SILK${absent}`, () => {
  test.each([
    ["02", 48000, 2],
    ["02", 12000, 1],
    ["03", 24000, 2],
    ["03", 8000, 1],
    ["04", 48000, 1],
    ["04", 16000, 2],
    ["04", 8000, 2],
  ] as const)(
    "vector %s at %i Hz with %i channels: every sample and final range",
    async (name, rate, channels) => {
      const ours = new SilkOnlyDecoder(await createSilkCore(), rate, channels);
      const oracle = await createDecoder({ sampleRate: rate, channels });
      const wrong: string[] = [];
      for (const [index, { packet, finalRange }] of readVector(name).slice(0, packetLimit).entries()) {
        const at = firstDifference(ours.decode(packet), oracle.decode(packet));
        if (at >= 0) wrong.push(`packet ${index}: sample ${at}`);
        if (ours.finalRange !== finalRange) wrong.push(`packet ${index}: final range`);
      }
      expect(wrong).toEqual([]);
    },
  );

  test.each([
    ["02", 0.1, 48000, 2],
    ["03", 0.3, 48000, 2],
    ["04", 0.3, 16000, 1],
    ["04", 0.1, 24000, 2],
  ] as const)(
    "vector %s with losses (%d) is concealed as the oracle does at %i Hz, %i channels",
    async (name, share, rate, channels) => {
      const ours = new SilkOnlyDecoder(await createSilkCore(), rate, channels);
      const oracle = await createDecoder({ sampleRate: rate, channels });
      const packets = readVector(name).slice(0, packetLimit);
      const losses = lossPattern(packets.length, share, 7);
      const wrong: string[] = [];
      for (const [index, { packet }] of packets.entries()) {
        const lost = losses[index] === true && index > 0;
        const milliseconds = frameMsOf(packet);
        const a = lost ? ours.conceal(milliseconds) : ours.decode(packet);
        const b = lost ? oracle.decodePacketLoss((milliseconds * rate) / 1000) : oracle.decode(packet);
        const at = firstDifference(a, b);
        if (at >= 0) wrong.push(`packet ${index}${lost ? " (lost)" : ""}: sample ${at}`);
      }
      expect(losses.filter((lost) => lost).length).toBeGreaterThan(20);
      expect(wrong).toEqual([]);
    },
  );
});

describe("streams of the reference encoder", () => {
  test.each([
    [8000, 1, 20, 12000],
    [12000, 1, 40, 20000],
    [16000, 1, 60, 24000],
    [16000, 2, 20, 40000],
    [16000, 2, 60, 40000],
  ] as const)(
    "%i Hz, %i channels, %i ms: redundancy of lost frames is the oracle's",
    async (rate, channels, milliseconds, bitrate) => {
      const frames = (rate * milliseconds) / 1000;
      const pcm = syntheticSpeech(rate, channels, 6);
      const encoder = await createEncoder({
        sampleRate: rate,
        channels,
        application: 2048,
        signal: Signal.Voice,
        bitrate,
        fec: true,
        packetLossPercent: 25,
        frameSize: frames,
      });
      const packets: Uint8Array[] = [];
      for (let at = 0; at + frames * channels <= pcm.length; at += frames * channels) {
        packets.push(encoder.encode(pcm.subarray(at, at + frames * channels)));
      }
      const ours = new SilkOnlyDecoder(await createSilkCore(), rate, channels);
      const oracle = await createDecoder({ sampleRate: rate, channels });
      const losses = lossPattern(packets.length, 0.3, 3);
      const wrong: string[] = [];
      let recovered = 0;
      for (const [index, packet] of packets.entries()) {
        if (losses[index] === true && index > 0) continue;
        if (index > 1 && losses[index - 1] === true) {
          // Of a burst only the last frame has redundancy; the ones before it are concealed.
          let first = index - 1;
          while (first > 1 && losses[first - 1] === true) first--;
          for (let lost = first; lost < index - 1; lost++) {
            const at = firstDifference(ours.conceal(milliseconds), oracle.decodePacketLoss(frames));
            if (at >= 0) wrong.push(`concealed ${lost}: sample ${at}`);
          }
          const at = firstDifference(
            ours.decodeFec(packet),
            oracle.decode(packet, { decodeFec: true, frameSize: frames }),
          );
          recovered++;
          if (at >= 0) wrong.push(`recovered ${index - 1}: sample ${at}`);
        }
        const at = firstDifference(ours.decode(packet), oracle.decode(packet));
        if (at >= 0) wrong.push(`packet ${index}: sample ${at}`);
      }
      expect(recovered).toBeGreaterThan(5);
      expect(wrong).toEqual([]);
    },
  );

  test("comfort noise under long concealment after speech pauses is the oracle's", async () => {
    const rate = 16000;
    const pcm = syntheticSpeech(rate, 1, 4);
    // A pause of one second with a faint noise floor, from which the decoder learns.
    for (let i = rate; i < 2 * rate; i++) pcm[i] = ((i * 7919) % 41) - 20;
    const encoder = await createEncoder({
      sampleRate: rate,
      channels: 1,
      application: 2048,
      signal: Signal.Voice,
      bitrate: 16000,
      frameSize: 320,
    });
    const ours = new SilkOnlyDecoder(await createSilkCore(), rate, 1);
    const oracle = await createDecoder({ sampleRate: rate, channels: 1 });
    const wrong: string[] = [];
    const compare = (what: string, a: Int16Array, b: Int16Array) => {
      const at = firstDifference(a, b);
      if (at >= 0) wrong.push(`${what}: sample ${at}`);
    };
    for (let frame = 0; (frame + 1) * 320 <= pcm.length; frame++) {
      const packet = encoder.encode(pcm.subarray(frame * 320, (frame + 1) * 320));
      if (frame === 95) {
        for (let n = 0; n < 60; n++) compare(`noise ${n}`, ours.conceal(20), oracle.decodePacketLoss(320));
        for (let n = 0; n < 5; n++)
          compare(`short noise ${n}`, ours.conceal(10), oracle.decodePacketLoss(160));
      }
      compare(`packet ${frame}`, ours.decode(packet), oracle.decode(packet));
    }
    expect(wrong).toEqual([]);
  });

  test("a change of the internal rate and of the channels in mid-stream is the oracle's", async () => {
    const ours = new SilkOnlyDecoder(await createSilkCore(), 48000, 2);
    const oracle = await createDecoder({ sampleRate: 48000, channels: 2 });
    const wrong: string[] = [];
    let packetIndex = 0;
    for (const [rate, channels, milliseconds] of [
      [8000, 1, 20],
      [16000, 2, 20],
      [16000, 1, 10],
      [12000, 2, 60],
      [8000, 2, 40],
      [16000, 2, 20],
      [16000, 1, 20],
      [16000, 2, 20],
    ] as const) {
      const frames = (rate * milliseconds) / 1000;
      const encoder = await createEncoder({
        sampleRate: rate,
        channels,
        application: 2048,
        signal: Signal.Voice,
        bitrate: 16000 * channels,
        frameSize: frames,
      });
      const pcm = syntheticSpeech(rate, channels, 1);
      for (let at = 0; at + frames * channels <= pcm.length; at += frames * channels) {
        const packet = encoder.encode(pcm.subarray(at, at + frames * channels));
        const difference = firstDifference(ours.decode(packet), oracle.decode(packet));
        if (difference >= 0)
          wrong.push(`packet ${packetIndex} (${rate} Hz, ${channels}): sample ${difference}`);
        packetIndex++;
      }
    }
    expect(wrong).toEqual([]);
  });
});
