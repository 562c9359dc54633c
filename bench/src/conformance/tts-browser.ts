// npm run conformance -- tts-browser: the built-in voice and a small random model speak in Debian's Chromium, in a worker-less page; every
// sample must be the one that Node computes. Exit code 1 where one differs, 2 without Chromium.
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeRandomSpeechModel } from "@longwave/testkit";
import {
  FormantEngine,
  InlineEngine,
  MemoryByteSource,
  parseModelConfig,
  readVoice,
  SafetensorsFile,
  type SpeechEngine,
  Tts,
} from "@longwave/tts";
import { chromiumPath, openChromiumPage } from "../chromium-page.js";

if (!existsSync(chromiumPath)) {
  console.error("This needs /usr/bin/chromium.");
  process.exit(2);
}

/** Opens the engines from bytes by name; the very same source runs in the page and here. */
const pageSource = `
import {
  FormantEngine, InlineEngine, MemoryByteSource, parseModelConfig, readVoice, SafetensorsFile, Tts,
} from "@longwave/tts";
const bytes = async (name) => new Uint8Array(await (await fetch("/model/" + name)).arrayBuffer());
window.digest = async (name, precision, text) => {
  let engine = new FormantEngine();
  if (name === "native") {
    const config = parseModelConfig(new TextDecoder().decode(await bytes("config.yaml")));
    const file = SafetensorsFile.open(new MemoryByteSource(await bytes("voices/random.safetensors")), "voice");
    engine = new InlineEngine({
      config,
      weights: new MemoryByteSource(await bytes("model.safetensors")),
      tokenizer: await bytes("tokenizer.model"),
      voices: [{ id: "random", license: "CC0-1.0", state: readVoice(file, config, "voice") }],
      precision,
    });
  }
  const tts = new Tts({ engines: [engine] });
  const pieces = [];
  for await (const block of tts.speak(text, { seed: 4 })) pieces.push(block);
  await tts.close();
  const whole = new Uint8Array(await new Blob(pieces).arrayBuffer());
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
  return [[...sum].map((byte) => byte.toString(16).padStart(2, "0")).join(""), whole.length / 4];
};`;

const folder = mkdtempSync(join(tmpdir(), "longwave-tts-browser-"));
writeRandomSpeechModel(folder);
const read = (name: string) => new Uint8Array(readFileSync(join(folder, name)));

function engineHere(name: string, precision: "f32" | "bf16" | "int8"): SpeechEngine {
  if (name === "formant") return new FormantEngine();
  const config = parseModelConfig(new TextDecoder().decode(read("config.yaml")));
  const file = SafetensorsFile.open(new MemoryByteSource(read("voices/random.safetensors")), "voice");
  return new InlineEngine({
    config,
    weights: new MemoryByteSource(read("model.safetensors")),
    tokenizer: read("tokenizer.model"),
    voices: [{ id: "random", license: "CC0-1.0", state: readVoice(file, config, "voice") }],
    precision,
  });
}

async function digestHere(name: string, precision: "f32" | "bf16" | "int8", text: string): Promise<string> {
  await using tts = new Tts({ engines: [engineHere(name, precision)] });
  const hash = createHash("sha256");
  for await (const block of tts.speak(text, { seed: 4 })) hash.update(new Uint8Array(block.buffer));
  return hash.digest("hex");
}

const { page, version, close } = await openChromiumPage(pageSource, (path) =>
  path.startsWith("/model/") && !path.includes("..") ? readFileSync(join(folder, path.slice(7))) : undefined,
);
let differing = 0;
const cases = [
  ["formant", "f32"],
  ["native", "f32"],
  ["native", "bf16"],
  ["native", "int8"],
] as const;
try {
  await page.waitForFunction("window.digest !== undefined");
  const text = "eta oin shr dlc umw fgy";
  for (const [name, precision] of cases) {
    const call = `window.digest(${JSON.stringify(name)}, ${JSON.stringify(precision)}, ${JSON.stringify(text)})`;
    const [digest, samples] = (await page.evaluate(call)) as [string, number];
    const isSame = samples > 0 && digest === (await digestHere(name, precision, text));
    if (!isSame) differing++;
    console.log(`${name} ${precision}: ${samples} samples ${isSame ? "ok, the same bits" : "DIFFER"}`);
  }
  console.log(
    `Chromium ${version}, Node ${process.version}: ${cases.length - differing} of ${cases.length}.`,
  );
} finally {
  await close();
  rmSync(folder, { recursive: true });
}
process.exit(differing === 0 ? 0 : 1);
