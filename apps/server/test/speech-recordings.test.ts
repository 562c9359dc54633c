import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { SystemClock } from "@longwave/base/node";
import { encodeWav } from "@longwave/media";
import { type SpeechEngine, type SpeechRequest, SpeechService, Tts } from "@longwave/tts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApp } from "../src/index.ts";
import { fetchRecording } from "../src/speech/fetch-recording.ts";
import { isPublicAddress } from "../src/speech/public-address.ts";

/** Speaks back the recording that it is to speak like. */
class EchoEngine implements SpeechEngine {
  readonly name = "echo";
  readonly sampleRate = 24_000;
  readonly defaultVoice = "v";
  readonly canClone = true;
  listVoices() {
    return [{ id: "v", license: "CC0-1.0" }];
  }
  async *speak({ recording }: SpeechRequest): AsyncIterable<Float32Array> {
    yield recording === undefined ? new Float32Array(1920) : recording.pcm.slice();
  }
  async close() {}
}

const service = new SpeechService({
  workers: [new Tts({ engines: [new EchoEngine()] })],
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

const tone = (seconds: number) =>
  encodeWav(
    Float32Array.from({ length: seconds * 24_000 }, (_, i) => 0.5 * Math.sin(i / 20)),
    { sampleRate: 24_000, channels: 1 },
  );

const upload = (bytes: Uint8Array) => {
  const form = new FormData();
  form.set("text", "Hello.");
  form.set("voice_wav", new File([bytes as Uint8Array<ArrayBuffer>], "voice.wav"));
  return app.request("http://localhost/tts", { method: "POST", body: form });
};

describe("an uploaded recording", () => {
  test("is the voice; only its first 30 s are used", async () => {
    const short = await upload(tone(2));
    expect(short.status).toBe(200);
    expect((await short.arrayBuffer()).byteLength).toBe(44 + 2 * 2 * 24_000);
    expect(short.headers.get("x-speech-voice")).toBe("recording");
    const long = await upload(tone(31));
    expect((await long.arrayBuffer()).byteLength).toBe(44 + 2 * 30 * 24_000);
  });

  test("is refused where it is empty, no sound, too long when decoded, or too large", async () => {
    expect((await upload(new Uint8Array(0))).status).toBe(400);
    expect((await upload(new Uint8Array(5000).fill(7))).status).toBeGreaterThanOrEqual(415);
    // 8-bit samples at 8 kHz: 400 s in 3 MB, which is past the limit of 300 s.
    const bomb = Buffer.alloc(44 + 400 * 8000, 128);
    bomb.write("RIFF");
    bomb.writeUInt32LE(bomb.length - 8, 4);
    bomb.write("WAVEfmt ", 8);
    bomb.writeUInt32LE(16, 16);
    [1, 1, 8000, 0, 8000, 0, 1, 8].forEach((word, at) => void bomb.writeUInt16LE(word, 20 + 2 * at));
    bomb.write("data", 36);
    bomb.writeUInt32LE(400 * 8000, 40);
    expect((await upload(bomb)).status).toBe(413);
    expect((await upload(new Uint8Array(17 * 2 ** 20))).status).toBe(413);
    expect(service.statistics).toMatchObject({ running: 0, queued: 0 });
  });
});

test("public addresses are told from those inside a network", () => {
  for (const address of ["8.8.8.8", "1.1.1.1", "2606:4700::1111"])
    expect(isPublicAddress(address)).toBe(true);
  for (const address of [
    "127.0.0.1",
    "10.1.2.3",
    "172.31.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "fd12::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:db8::1",
    "ff02::1",
    "localhost",
    "",
  ]) {
    expect(isPublicAddress(address), address).toBe(false);
  }
});

describe("a recording named by its address", () => {
  let server: Server;
  let host = "";
  const sound = tone(1);
  beforeAll(async () => {
    server = createServer((request, response) => {
      if (request.url === "/ok.wav") response.end(sound);
      else if (request.url === "/again") response.writeHead(302, { location: "/ok.wav" }).end();
      else if (request.url === "/inside") response.writeHead(302, { location: "http://10.0.0.1/x" }).end();
      else if (request.url === "/loop") response.writeHead(302, { location: "/loop" }).end();
      else if (request.url === "/flood") {
        const pour = () => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536)));
        };
        response.on("drain", pour);
        pour();
      } else if (request.url === "/hang") response.flushHeaders();
      else response.writeHead(404).end();
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  /** The loopback address stands for a public one. */
  const policy = (hosts: readonly string[] = [host]) => ({
    hosts,
    maxBytes: 200_000,
    timeoutMs: 500,
    isAllowedAddress: (address: string) => address === "127.0.0.1",
  });

  test("is fetched from a host on the list, redirects included", async () => {
    for (const path of ["ok.wav", "again"]) {
      expect(Buffer.from(await fetchRecording(`http://${host}/${path}`, policy()))).toEqual(
        Buffer.from(sound),
      );
    }
  });

  test.each([
    ["the list is empty", "http://HOST/ok.wav", [], "tts/voice-url-refused"],
    ["its host is not on the list", "http://example.org/ok.wav", undefined, "tts/voice-url-refused"],
    ["its scheme is another", "file:///etc/passwd", undefined, "tts/voice-url-refused"],
    ["it carries credentials", "http://a:b@HOST/ok.wav", undefined, "tts/voice-url-refused"],
    ["it redirects into the network", "http://HOST/inside", ["HOST", "10.0.0.1"], "tts/voice-url-refused"],
    ["it redirects for ever", "http://HOST/loop", undefined, "tts/voice-url-refused"],
    ["it is not there", "http://HOST/none", undefined, "tts/voice-url-refused"],
    ["it does not end", "http://HOST/flood", undefined, "tts/upload-too-large"],
    ["it does not come", "http://HOST/hang", undefined, "tts/timeout"],
  ])("is refused where %s", async (_, url, hosts, code) => {
    const allowed = hosts?.map((each) => each.replace("HOST", host));
    await expect(fetchRecording(url.replace("HOST", host), policy(allowed))).rejects.toMatchObject({ code });
  });

  test("is refused where its name stands for an address inside the network", async () => {
    const port = host.split(":")[1];
    const open = { hosts: [host, `localhost:${port}`], timeoutMs: 500 };
    for (const name of ["127.0.0.1", "localhost"]) {
      await expect(fetchRecording(`http://${name}:${port}/ok.wav`, open)).rejects.toMatchObject({
        code: "tts/voice-url-refused",
      });
    }
  });
});

test("histograms count first audio, time and real-time factor", async () => {
  const text = await (await app.request("http://localhost/v1/metrics")).text();
  expect(text).toMatch(/# TYPE longwave_speech_first_audio_seconds histogram/);
  const spoken = Number(/longwave_speech_real_time_factor_count (\d+)/.exec(text)?.[1]);
  expect(spoken).toBe(service.statistics.finished);
  expect(text).toContain(`longwave_speech_seconds_bucket{le="+Inf"} ${spoken}`);
});
