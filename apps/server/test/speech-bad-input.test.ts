import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SystemClock } from "@longwave/base/node";
import { FormantEngine, SpeechService, Tts } from "@longwave/tts";
import { SubprocessEngine, type SubprocessOptions } from "@longwave/tts/node";
import { afterAll, afterEach, expect, test } from "vitest";
import { createApp } from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "longwave-bad-input-"));

/** A speech program that misbehaves, as a shell script. */
function program(name: string, script: string, options: SubprocessOptions = {}): SubprocessEngine {
  const executable = join(folder, name);
  writeFileSync(executable, `#!/bin/sh\n${script}\n`);
  chmodSync(executable, 0o755);
  return new SubprocessEngine({ name, executable, args: [], defaultVoice: "d" }, options);
}

// One worker: whoever keeps it keeps everybody waiting.
const service = new SpeechService({
  workers: [
    new Tts({
      engines: [
        new FormantEngine(),
        program("hangs", "sleep 600", { timeoutMs: 300 }),
        program("floods", "yes", { maxOutputBytes: 1 << 20 }),
        program("fails", "echo 'no such voice' >&2; exit 3"),
        program("babbles", "echo garbage"),
        program("stays-silent", "exit 0"),
      ],
    }),
  ],
  clock: new SystemClock(),
  maxTextBytes: 4096,
});
const app = createApp({
  host: { version: "0.0.0", stations: new Map(), speech: service, notReady: () => undefined },
  token: undefined,
  loopback: true,
  corsOrigins: [],
  consoleDirectory: undefined,
});
afterAll(async () => {
  await service.drain();
  rmSync(folder, { recursive: true });
});

const post = (path: string, body: string, type = "application/json", signal?: AbortSignal) =>
  app.request(`http://localhost${path}`, {
    method: "POST",
    headers: { "content-type": type },
    body,
    ...(signal === undefined ? {} : { signal }),
  });

// Whatever a test sent: the one worker is free again, and speaks.
afterEach(async () => {
  await expect.poll(() => service.statistics, { timeout: 20_000 }).toMatchObject({ running: 0, queued: 0 });
  const response = await post("/tts", JSON.stringify({ text: "Hi." }));
  expect(response.status).toBe(200);
  expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(5000);
});

test.each([
  ["hangs", 504, "tts/process-timeout", /300 ms/],
  ["floods", 502, "tts/output-too-large", /1048576 bytes/],
  ["fails", 502, "tts/non-zero-exit", /exit code 3: no such voice/],
  ["babbles", 502, "tts/wav-malformed", /./],
  ["stays-silent", 502, "tts/wav-malformed", /./],
])("an engine that %s is answered with %i %s", async (engine, status, code, detail) => {
  for (const path of ["/tts", "/tts/stream"]) {
    const response = await post(path, JSON.stringify({ text: "Hello.", engine }));
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code, detail: expect.stringMatching(detail) });
  }
});

test.each([
  ["control characters", "Hel\u0000lo\u001b[2J \u0007there.\u200b\ufeff"],
  ["halves of surrogate pairs", "Hello \ud800 there \udc00."],
  ["emoji", "🙂🙃"],
  ["punctuation alone", "?!…"],
  ["another script", "日本語のテキスト"],
  ["400 letters without a space", "a".repeat(400)],
])("text of %s is spoken, or silence, never an error", async (_, text) => {
  const response = await post("/tts", JSON.stringify({ text }));
  expect(response.status).toBe(200);
  expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(44);
});

test.each([
  ["10 KB of text", "/tts", JSON.stringify({ text: "word ".repeat(2048) }), 413, "tts/text-too-long"],
  [
    "the same in OpenAI's shape",
    "/v1/audio/speech",
    JSON.stringify({ input: "word ".repeat(2048) }),
    413,
    undefined,
  ],
  ["white space alone", "/tts", JSON.stringify({ text: "\u0085 \t\n" }), 400, "tts/empty-text"],
  [
    "a language as a voice",
    "/tts",
    JSON.stringify({ text: "x", voice: "klingon", engine: "formant" }),
    404,
    "tts/voice-unknown",
  ],
  ...["http://127.0.0.1/x.wav", "../../etc/passwd", "--help", "日本", "a\r\nb", "", "v".repeat(65)].flatMap(
    (voice): [string, string, string, number, undefined][] => [
      [
        `${JSON.stringify(voice)} as a voice`,
        "/tts",
        JSON.stringify({ text: "x", voice, engine: "stays-silent" }),
        400,
        undefined,
      ],
      [
        `${JSON.stringify(voice)} in OpenAI's shape`,
        "/v1/audio/speech",
        JSON.stringify({ input: "x", voice: { id: voice } }),
        400,
        undefined,
      ],
    ],
  ),
  ["an unknown engine", "/tts", JSON.stringify({ text: "x", engine: "hal" }), 400, "tts/engine-unknown"],
  ["an unknown field", "/tts", JSON.stringify({ text: "x", langauge: "en" }), 400, "server/bad-request"],
  ["a number as text", "/tts", JSON.stringify({ text: 5 }), 400, "server/bad-request"],
  ["a list", "/tts", "[]", 400, undefined],
  ["broken JSON", "/tts", '{"text": "x', 400, undefined],
  ["deep JSON", "/tts", `{"text": ${"[".repeat(5000)}${"]".repeat(5000)}}`, 400, undefined],
])("%s is refused", async (_, path, body, status, code) => {
  const response = await post(path, body);
  expect(response.status).toBe(status);
  const problem = (await response.json()) as { code?: string };
  if (code !== undefined) expect(problem.code).toBe(code);
});

test("a broken form is refused", async () => {
  const type = "multipart/form-data; boundary=b";
  const cut = '--b\r\ncontent-disposition: form-data; name="text"\r\n\r\nHel';
  expect((await post("/tts", cut, type)).status).toBe(400);
});

test("a client that goes away while it waits, and one in the middle, free their places", async () => {
  const long = JSON.stringify({ text: "One after the other. ".repeat(40), format: "pcm" });
  const first = await post("/tts/stream", long);
  const reader = first.body!.getReader();
  await reader.read();
  const gone = new AbortController();
  const waiting = Promise.resolve(post("/tts/stream", long, "application/json", gone.signal));
  await expect.poll(() => service.statistics.queued, { timeout: 20_000 }).toBe(1);
  gone.abort();
  // Nobody hears the answer; it must only come.
  await waiting.catch(() => {});
  expect(service.statistics.queued).toBe(0);
  await reader.cancel();
});
