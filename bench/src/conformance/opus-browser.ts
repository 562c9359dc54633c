// npm run conformance -- opus-browser: the SHA-256 of all float output of the twelve vectors, ten decodes each, in Debian's
// Chromium; it must be the one that `-- opus --digest` prints in Node. Exit code 1 where it differs, 2 without Chromium.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { OpusDecoder } from "@longwave/opus";
import { chromiumPath, openChromiumPage } from "../chromium-page.js";
import { readVector, vectorFolder, vectorNames } from "../opus-vectors.js";

if (vectorFolder === undefined || !existsSync(chromiumPath)) {
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

const { page, version, close } = await openChromiumPage(pageSource, (path) => {
  const name = /^\/vector\/(\d\d)$/.exec(path)?.[1];
  return name === undefined ? undefined : readFileSync(`${vectorFolder}/testvector${name}.bit`);
});
let differing = 0;
let rangesWrong = 0;
try {
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
    `Chromium ${version}, Node ${process.version}: ${120 - differing} of 120 decodes are the same bits, ${rangesWrong} final ranges wrong.`,
  );
} finally {
  await close();
}
process.exit(differing + rangesWrong === 0 ? 0 : 1);
