// npm run conformance -- opus-browser: the SHA-256 of all float output of the twelve vectors, ten decodes each, in Debian's
// Chromium; it must be the one that `-- opus --digest` prints in Node. Exit code 1 where it differs, 2 without Chromium.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { OpusDecoder } from "@longwave/opus";
import { chromium } from "playwright-core";
import { build } from "vite";
import { readVector, vectorFolder, vectorNames } from "../opus-vectors.js";

const executablePath = "/usr/bin/chromium";
if (vectorFolder === undefined || !existsSync(executablePath)) {
  console.error("This needs the shared vectors (LONGWAVE_SHARED) and /usr/bin/chromium.");
  process.exit(2);
}

/** Runs in the page: decodes a stream in one form and gives every packet's frames, one behind the other, to `sink`. */
const pageSource = `
import { OpusDecoder } from "@longwave/opus";
window.decodeVector = async (name, sampleRate, channels) => {
  const bytes = new DataView(await (await fetch("/vector/" + name)).arrayBuffer());
  const decoder = new OpusDecoder({ sampleRate, channels });
  const frame = new Float32Array(5760 * 2);
  const pieces = [];
  let wrong = 0;
  for (let at = 0; at < bytes.byteLength; ) {
    const length = bytes.getUint32(at);
    const samples = decoder.decode(new Uint8Array(bytes.buffer, at + 8, length), frame) * channels;
    pieces.push(new Uint8Array(frame.slice(0, samples).buffer));
    if (decoder.finalRange !== bytes.getUint32(at + 4)) wrong++;
    at += 8 + length;
  }
  decoder.close();
  const whole = new Uint8Array(await new Blob(pieces).arrayBuffer());
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
  return [[...digest].map((byte) => byte.toString(16).padStart(2, "0")).join(""), wrong];
};`;

/** The same in Node. */
function decodeHere(name: string, sampleRate: 8000 | 12000 | 16000 | 24000 | 48000, channels: 1 | 2): string {
  using decoder = new OpusDecoder({ sampleRate, channels });
  const frame = new Float32Array(5760 * 2);
  const hash = createHash("sha256");
  for (const { packet } of readVector(name)) {
    const samples = decoder.decode(packet, frame) * channels;
    hash.update(new Uint8Array(frame.slice(0, samples).buffer));
  }
  return hash.digest("hex");
}

const script = await bundle();
const server = createServer((request, response) => {
  const name = /^\/vector\/(\d\d)$/.exec(request.url ?? "")?.[1];
  if (name !== undefined) response.end(readFileSync(`${vectorFolder}/testvector${name}.bit`));
  else if (request.url === "/page.js") response.setHeader("content-type", "text/javascript").end(script);
  else
    response
      .setHeader("content-type", "text/html")
      .end('<!doctype html><script type="module" src="/page.js"></script>');
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const browser = await chromium.launch({
  executablePath,
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"],
});
let differing = 0;
let rangesWrong = 0;
try {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await page.waitForFunction("window.decodeVector !== undefined");
  for (const name of vectorNames) {
    for (const rate of [48000, 24000, 16000, 12000, 8000] as const) {
      for (const channels of [2, 1] as const) {
        const call = `window.decodeVector(${JSON.stringify(name)}, ${rate}, ${channels})`;
        const [digest, wrong] = (await page.evaluate(call)) as [string, number];
        rangesWrong += wrong;
        if (digest !== decodeHere(name, rate, channels)) {
          differing++;
          console.log(`vector ${name}, ${rate} Hz, ${channels} channels differs`);
        }
      }
    }
  }
  console.log(
    `Chromium ${browser.version()}, Node ${process.version}: ${120 - differing} of 120 decodes are the same bits, ${rangesWrong} final ranges wrong.`,
  );
} finally {
  await browser.close();
  server.close();
}
process.exit(differing + rangesWrong === 0 ? 0 : 1);

async function bundle(): Promise<string> {
  const result = await build({
    root: fileURLToPath(new URL("../../..", import.meta.url)),
    configFile: false,
    logLevel: "error",
    plugins: [
      {
        name: "page",
        resolveId: (source) => (source === "page" ? "\0page" : undefined),
        load: (source) => (source === "\0page" ? pageSource : undefined),
      },
    ],
    build: { write: false, modulePreload: false, rollupOptions: { input: "page", output: { format: "es" } } },
  });
  const [output] = (Array.isArray(result) ? result : [result]) as { output: { code?: string }[] }[];
  return output?.output.map((each) => each.code ?? "").join("\n") ?? "";
}
