import { SystemClock } from "@longwave/base/node";
import { OggOpusReader } from "@longwave/media";
import { OpusDecoder } from "@longwave/opus";
import { FormantEngine, SpeechService, Tts } from "@longwave/tts";
import { afterAll, expect, test } from "vitest";
import { createApp } from "../src/index.ts";

const service = new SpeechService({
  workers: [new Tts({ engines: [new FormantEngine()] })],
  clock: new SystemClock(),
});
const app = createApp({
  host: { version: "0.0.0", stations: new Map(), speech: service, notReady: () => undefined },
  token: undefined,
  loopback: true,
  corsOrigins: [],
  consoleDirectory: undefined,
});
afterAll(() => service.drain());

/** A mono file's sound at 48 kHz, pre-skip and padding cut. */
async function decodeOggOpus(bytes: Uint8Array): Promise<number[]> {
  using decoder = new OpusDecoder({ channels: 1 });
  const reader = await OggOpusReader.open(bytes);
  const block = new Float32Array(5760);
  const samples: number[] = [];
  for await (const { data, skipStart, trimEnd } of reader.packets()) {
    const frames = decoder.decode(data, block);
    samples.push(...block.subarray(skipStart, frames - trimEnd));
  }
  return samples;
}

const ask = (path: string, body: unknown) =>
  app.request(`http://localhost${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

test("speech as Ogg Opus has the length and the sound of the WAV", async () => {
  const text = "The quick brown fox jumps over the lazy dog.";
  const wav = new Uint8Array(await (await ask("/tts", { text })).arrayBuffer());
  const start = Buffer.from(wav).indexOf("data") + 8;
  const samples = new Int16Array(wav.slice(start).buffer);
  const answer = await ask("/tts", { text, format: "opus" });
  expect(answer.headers.get("content-type")).toBe("audio/ogg;codecs=opus");
  const bytes = new Uint8Array(await answer.arrayBuffer());
  expect(bytes.length).toBeLessThan(wav.length / 5);
  const decoded = await decodeOggOpus(bytes);
  expect(decoded.length).toBe(samples.length * 2);
  // Alike, and at the same place: the likeness falls where either is shifted. Voice coding moves phases, so it is not 1.
  const likeness = (shift: number) => {
    let both = 0;
    let ours = 0;
    let theirs = 0;
    for (let i = 100; i < samples.length - 100; i++) {
      const original = samples[i + shift]! / 32_768;
      const coded = decoded[2 * i]!;
      both += original * coded;
      ours += original * original;
      theirs += coded * coded;
    }
    return both / Math.sqrt(ours * theirs);
  };
  expect(likeness(0)).toBeGreaterThan(0.8);
  expect(likeness(0)).toBeGreaterThan(Math.max(likeness(-12), likeness(12), likeness(-48), likeness(48)));
  const again = new Uint8Array(await (await ask("/tts", { text, format: "opus" })).arrayBuffer());
  expect(again).toEqual(bytes);
});

test("OpenAI's clients may ask for opus; leaving in the middle frees the worker", async () => {
  const answer = await ask("/v1/audio/speech", {
    model: "tts-1",
    input: "A long enough sentence to be left in the middle of it, before it is over.",
    voice: "formant",
    response_format: "opus",
  });
  const reader = answer.body!.getReader();
  expect(new TextDecoder().decode((await reader.read()).value!.subarray(0, 4))).toBe("OggS");
  await reader.cancel();
  expect(service.statistics).toMatchObject({ running: 0, queued: 0 });
});
