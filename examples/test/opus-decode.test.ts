// Runs the examples of examples/opus-decode: the Node one here, the worker and the AudioWorklet in Chromium.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { OggOpusWriter } from "@longwave/media";
import { OpusDecoder } from "@longwave/opus";
import { createEncoder } from "libopus-wasm";
import { type Browser, chromium } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

const executablePath = "/usr/bin/chromium";
const hasChromium = existsSync(executablePath);
const absent = hasChromium ? "" : " (skipped: /usr/bin/chromium absent)";
const folder = fileURLToPath(new URL("../opus-decode/", import.meta.url));
const packets: Uint8Array[] = [];
let expected = new Float32Array(0);

beforeAll(async () => {
  const encoder = await createEncoder({ channels: 2, bitrate: 96_000 });
  using decoder = new OpusDecoder();
  const pcm = new Float32Array(1920);
  const sound: number[] = [];
  for (let packet = 0; packet < 25; packet++) {
    const tone = Float32Array.from(
      { length: 1920 },
      (_, i) => 0.3 * Math.sin((packet * 960 + (i >> 1)) / (15 + (i & 1) * 8)),
    );
    packets.push(encoder.encodeFloat(tone).slice());
    decoder.decode(packets.at(-1)!, pcm);
    sound.push(...pcm);
  }
  encoder.free();
  expected = Float32Array.from(sound);
});

test("node.ts writes the samples of an Ogg Opus file", async () => {
  const directory = await mkdtemp(join(tmpdir(), "longwave-example-"));
  const input = join(directory, "in.opus");
  const output = join(directory, "out.raw");
  await writeFile(input, oggFile());
  const before = process.argv;
  process.argv = [before[0]!, "node.ts", input, output];
  await import("../opus-decode/node.ts");
  process.argv = before;
  await vi.waitFor(async () => expect((await readFile(output)).length).toBe((25 * 960 - 312) * 4), 5000);
  using decoder = new OpusDecoder();
  const pcm = new Int16Array(1920);
  const sound = packets.flatMap((packet) => [...pcm.subarray(0, 2 * decoder.decodeInt16(packet, pcm))]);
  const written = await readFile(output);
  const skipped = Int16Array.from(sound.slice(2 * 312));
  expect(written.equals(Buffer.from(skipped.buffer))).toBe(true);
  await rm(directory, { recursive: true });
});

function oggFile(): Uint8Array {
  const pieces: Uint8Array[] = [];
  const writer = new OggOpusWriter((bytes: Uint8Array) => void pieces.push(bytes.slice()), {
    head: {
      channels: 2,
      preSkip: 312,
      inputSampleRate: 48000,
      gainQ8: 0,
      family: 0,
      streams: 1,
      coupled: 1,
      mapping: Uint8Array.of(0, 1),
    },
    serial: 1,
  });
  for (const packet of packets) writer.write(packet);
  writer.finish();
  return Buffer.concat(pieces);
}

describe.skipIf(!hasChromium)(`in Chromium${absent}`, () => {
  let server: Server;
  let browser: Browser;
  let url = "";

  beforeAll(async () => {
    const scripts = new Map<string, string>();
    for (const name of ["worker", "worklet"]) scripts.set(`/${name}.js`, await bundle(`${folder}${name}.ts`));
    server = createServer((request, response) => {
      const script = scripts.get(request.url ?? "");
      response.setHeader("content-type", script === undefined ? "text/html" : "text/javascript");
      response.end(script ?? "<!doctype html><title>example</title>");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const args = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking".split(
      " ",
    );
    browser = await chromium.launch({ executablePath, args });
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  test("worker.ts decodes to the same bits as Node", async () => {
    const page = await browser.newPage();
    await page.goto(url);
    const digest = await page.evaluate(
      async (input: number[][]) => {
        const worker = new Worker("/worker.js", { type: "module" });
        const parts: Float32Array[] = [];
        for (const packet of input) {
          const answer = new Promise<Float32Array>((resolve, reject) => {
            worker.onmessage = ({ data }) => resolve(data);
            worker.onerror = (event) => reject(new Error(event.message));
          });
          worker.postMessage({ packet: Uint8Array.from(packet) });
          parts.push(await answer);
        }
        worker.terminate();
        const bytes = await new Blob(parts as BlobPart[]).arrayBuffer();
        const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
        return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
      },
      packets.map((packet) => [...packet]),
    );
    const ours = createHash("sha256").update(new Uint8Array(expected.buffer)).digest("hex");
    expect(digest).toBe(ours);
    await page.close();
  });

  test("worklet.ts plays the decoded sound", async () => {
    const page = await browser.newPage();
    await page.goto(url);
    const left = await page.evaluate(
      async (input: number[][]) => {
        const context = new OfflineAudioContext(2, 48000, 48000);
        await context.audioWorklet.addModule("/worklet.js");
        const node = new AudioWorkletNode(context, "opus-player", { outputChannelCount: [2] });
        node.connect(context.destination);
        for (const packet of input) node.port.postMessage(Uint8Array.from(packet));
        await new Promise((resolve) => setTimeout(resolve, 300));
        return Array.from((await context.startRendering()).getChannelData(0));
      },
      packets.map((packet) => [...packet]),
    );
    const start = left.findIndex((value) => value !== 0);
    const first = expected.findIndex((value, i) => i % 2 === 0 && value !== 0) / 2;
    expect(start).toBeGreaterThanOrEqual(0);
    const length = Math.min(left.length - start, 25 * 960 - first - 128);
    expect(length).toBeGreaterThan(20 * 960);
    for (let i = 0; i < length; i++) {
      if (left[start + i] !== expected[2 * (first + i)]) expect.fail(`sample ${i} of ${length}`);
    }
    await page.close();
  });
});

async function bundle(entry: string): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: "error",
    resolve: { conditions: ["longwave-source", "import", "default"] },
    build: {
      write: false,
      target: "es2022",
      lib: { entry, formats: ["es"], fileName: "bundle" },
    },
  });
  const output = Array.isArray(result) ? result[0]! : result;
  if (!("output" in output)) throw new Error("The bundle is missing.");
  return output.output[0].code;
}
