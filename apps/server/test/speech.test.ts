import { SystemClock } from "@longwave/base/node";
import { FormantEngine, type SpeechEngine, SpeechService, Tts } from "@longwave/tts";
import { afterAll, describe, expect, test } from "vitest";
import { createApp } from "../src/index.ts";

const service = new SpeechService({
  workers: [new Tts({ engines: [new FormantEngine()] }), new Tts({ engines: [new FormantEngine()] })],
  clock: new SystemClock(),
  maxQueued: 64,
});
const app = createApp({
  host: { version: "0.0.0", stations: new Map(), speech: service, notReady: () => undefined },
  token: undefined,
  loopback: true,
  corsOrigins: [],
  consoleDirectory: undefined,
});
afterAll(() => service.drain());

const post = (path: string, body: unknown) =>
  app.request(`http://localhost${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

describe("the speech routes", () => {
  test("say at /health that they are alive, and in which version", async () => {
    const response = await app.request("http://localhost/health");
    expect([response.status, await response.json()]).toEqual([200, { status: "ok", version: "0.0.0" }]);
  });

  test("list voices with their licences", async () => {
    const voices = await (await app.request("http://localhost/voices")).json();
    expect(voices[0]).toEqual({ id: "formant", license: "MIT", language: "en", engine: "formant" });
  });

  test("speak a WAV with right sizes and name the engine", async () => {
    const response = await post("/tts", { text: "Hello.", seed: 3 });
    expect(response.status).toBe(200);
    expect(response.headers.get("x-speech-engine")).toBe("formant");
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect(new TextDecoder().decode(bytes.subarray(0, 4))).toBe("RIFF");
    expect(new DataView(bytes.buffer).getUint32(4, true)).toBe(bytes.length - 8);
    const again = new Uint8Array(await (await post("/v1/speech", { text: "Hello.", seed: 3 })).arrayBuffer());
    expect(again).toEqual(bytes);
  });

  test("stream the reference's header and s16 blocks; leaving frees the worker", async () => {
    const response = await post("/tts/stream", { text: "A long enough sentence to be left in the middle." });
    const reader = response.body!.getReader();
    const head = (await reader.read()).value!;
    expect(new DataView(head.buffer).getUint32(40, true)).toBe(2_000_000_000);
    expect((await reader.read()).value!.length).toBeGreaterThan(100);
    await reader.cancel();
    expect(service.statistics.running).toBe(0);
  });

  test("take the reference's form", async () => {
    const form = new FormData();
    form.set("text", "Hello.");
    form.set("voice_url", "formant-deep");
    const response = await app.request("http://localhost/tts", { method: "POST", body: form });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-disposition")).toMatch(/attachment/);
    expect(response.headers.get("x-speech-voice")).toBe("formant-deep");
    await response.arrayBuffer();
  });

  test("take JSON as curl -d sends it, which says that it is a form", async () => {
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const asJson = await (await post("/v1/speech", { text: "Hello.", seed: 3 })).arrayBuffer();
    for (const path of ["/v1/speech", "/tts"]) {
      const body = JSON.stringify({ text: "Hello.", seed: 3 });
      const response = await app.request(`http://localhost${path}`, { method: "POST", headers, body });
      expect(response.status).toBe(200);
      expect(Buffer.from(await response.arrayBuffer()).equals(Buffer.from(asJson))).toBe(true);
    }
    const form = await app.request("http://localhost/tts", { method: "POST", headers, body: "text=Hello." });
    expect(form.headers.get("content-disposition")).toMatch(/attachment/);
    await form.arrayBuffer();
    for (const body of ['{"text":', '{"colour":1}', "{}"]) {
      const response = await app.request("http://localhost/tts", { method: "POST", headers, body });
      expect(response.status, body).toBe(400);
    }
  });

  test.each([
    ["an address as voice", { text: "x", voice_url: "http://169.254.169.254/latest" }, 400],
    ["a file as voice", { text: "x", voice_url: "../../etc/passwd" }, 400],
    ["two voices", { text: "x", voice_url: "alba", voice_wav: "x" }, 400],
    ["no text", { voice_url: "alba" }, 400],
  ])("refuse a form with %s", async (_, fields, status) => {
    const response = await app.request("http://localhost/tts", {
      method: "POST",
      body: new URLSearchParams(fields),
    });
    expect(response.status).toBe(status);
  });

  test.each([
    [{}, 400, "server/bad-request"],
    [{ text: "" }, 400, "tts/empty-text"],
    [{ text: " \n" }, 400, "tts/empty-text"],
    [{ text: "x", voice: "nobody" }, 404, "tts/voice-unknown"],
    [{ text: "x", speed: 2 }, 400, "server/bad-request"],
    [{ text: "x", seed: -1 }, 400, "server/bad-request"],
    [{ text: "x".repeat(10_000) }, 413, "tts/text-too-long"],
  ])("refuse %j", async (body, status, code) => {
    const response = await post("/tts", body);
    expect(response.status).toBe(status);
    expect((await response.json()).code).toBe(code);
  });

  test("take the shape of OpenAI's client, and answer errors in its shape", async () => {
    const response = await post("/v1/audio/speech", {
      model: "tts-1",
      input: "Hello.",
      voice: { id: "formant" },
      response_format: "pcm",
    });
    expect(response.status).toBe(200);
    expect((await response.arrayBuffer()).byteLength % 2).toBe(0);
    const refused = await post("/v1/audio/speech", {
      model: "tts-1",
      input: "x",
      voice: "formant",
      response_format: "mp3",
    });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toEqual({
      error: {
        message: expect.stringMatching(/"wav", "pcm", "opus"/),
        type: "invalid_request_error",
        param: null,
        code: "server/bad-request",
      },
    });
    expect((await post("/v1/audio/speech", { input: "x", voice: "formant", speed: 1.5 })).status).toBe(400);
  });

  test("50 requests at once are all answered", async () => {
    const all = await Promise.all(Array.from({ length: 50 }, () => post("/tts", { text: "Hi." })));
    expect(all.map(({ status }) => status)).toEqual(Array(50).fill(200));
    const bodies = await Promise.all(all.map((each) => each.arrayBuffer()));
    expect(new Set(bodies.map(({ byteLength }) => byteLength)).size).toBe(1);
    expect(service.statistics).toMatchObject({ running: 0, queued: 0 });
  });

  test("make no more sound than a slow client takes", async () => {
    let made = 0;
    const endless: SpeechEngine = {
      name: "endless",
      sampleRate: 24_000,
      defaultVoice: "v",
      listVoices: () => [{ id: "v", license: "CC0-1.0" }],
      async *speak({ signal }) {
        for (;;) {
          signal?.throwIfAborted();
          made++;
          yield new Float32Array(1920);
        }
      },
      close: async () => {},
    };
    const speech = new SpeechService({
      workers: [new Tts({ engines: [endless] })],
      clock: new SystemClock(),
    });
    const slow = createApp({
      host: { version: "0.0.0", stations: new Map(), speech, notReady: () => undefined },
      token: undefined,
      loopback: true,
      corsOrigins: [],
      consoleDirectory: undefined,
    });
    const response = await slow.request("http://localhost/tts/stream", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text: "For ever.", format: "pcm" }),
    });
    const reader = response.body!.getReader();
    for (let block = 0; block < 3; block++) await reader.read();
    await new Promise((later) => setTimeout(later, 50));
    expect(made).toBeLessThanOrEqual(5);
    expect(speech.statistics.running).toBe(1);
    await reader.cancel();
    expect(speech.statistics.running).toBe(0);
    await speech.drain();
  });

  test("count what was done", async () => {
    const text = await (await app.request("http://localhost/v1/metrics")).text();
    expect(text).toMatch(/longwave_speech_requests_total \d+/);
    expect(text).toMatch(/longwave_speech_queued 0/);
  });
});
