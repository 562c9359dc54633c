// npm run conformance -- tts-browser: the built-in voice and a small random model speak in Debian's Chromium, on the page's thread, and from the
// store in a worker; every sample must be the one that Node computes. Then the worker's engine is left in the middle, the store is used without
// the server, and a speech is played through an AudioWorklet. Exit code 1 where something differs, 2 without Chromium.
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
import { BrowserEngine, SpeechPlayer } from "@longwave/tts/browser";
const bytes = async (name) => new Uint8Array(await (await fetch("/model/" + name)).arrayBuffer());
window.digest = async (name, precision, text) => {
  let engine = new FormantEngine();
  if (name === "worker") engine = await BrowserEngine.open({ modelUrl: "/model/", precision });
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
};
// Leaves a speech in the middle, asks for a voice that is not there, aborts, speaks to the end, and asks after closing.
window.refusals = async (text) => {
  const engine = await BrowserEngine.open({ modelUrl: "/model", precision: "int8" });
  const endless = { text, seed: 4, sampling: { eosThreshold: 1e9 } };
  let heard = 0;
  for await (const _ of engine.speak(endless)) if (++heard === 3) break;
  const codes = [];
  const attempt = async (run) => {
    try {
      await run();
      codes.push("none");
    } catch (error) {
      codes.push(error.code ?? error.message);
    }
  };
  const drain = async (speech) => { for await (const _ of speech); };
  await attempt(() => drain(engine.speak({ text, voice: "nobody" })));
  const abort = new AbortController();
  await attempt(async () => {
    for await (const _ of engine.speak({ ...endless, signal: abort.signal })) abort.abort(new Error("gone"));
  });
  await attempt(() => drain(engine.speak({ text, seed: 4 })));
  await engine.close();
  await attempt(() => drain(engine.speak({ text })));
  await attempt(() => BrowserEngine.open({ modelUrl: "/nowhere/" }));
  return [heard, codes];
};
// Plays a speech to its end and stops another; the level is that of the sound on its way to the output.
window.play = async (text) => {
  const tts = new Tts({ engines: [await BrowserEngine.open({ modelUrl: "/model/" })] });
  const speech = tts.speak(text, { seed: 4 });
  let level = 0;
  const player = await SpeechPlayer.open(speech.sampleRate, {
    connectTo: (node) => {
      const analyser = new AnalyserNode(node.context, { fftSize: 2048 });
      node.connect(analyser).connect(node.context.destination);
      const wave = new Float32Array(2048);
      setInterval(() => {
        analyser.getFloatTimeDomainData(wave);
        level = Math.max(level, ...wave.map(Math.abs));
      }, 20);
    },
  });
  const frames = await player.play(speech);
  const stopped = player.play(tts.speak(text, { seed: 4 }));
  player.stop();
  const left = await stopped;
  await player.close();
  await tts.close();
  return [frames, left, level];
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

const asked: string[] = [];
const { page, version, close } = await openChromiumPage(pageSource, (path) => {
  if (!path.startsWith("/model/") || path.includes("..")) return undefined;
  asked.push(path);
  return readFileSync(join(folder, path.slice(7)));
});
let differing = 0;
const cases = [
  ["formant", "f32"],
  ["native", "f32"],
  ["native", "bf16"],
  ["native", "int8"],
  ["worker", "f32"],
  ["worker", "int8"],
] as const;
let checks = 0;
function check(name: string, isGood: boolean, found: unknown): void {
  checks++;
  if (!isGood) differing++;
  console.log(`${name}: ${isGood ? "ok" : `WRONG, ${JSON.stringify(found)}`}`);
}
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
  const weights = asked.filter((path) => path.endsWith("model.safetensors")).length;
  // Three engines of the page fetched the weights; of those in workers only the first.
  check("weights are fetched once for all workers", weights === 4, weights);
  const [heard, codes] = (await page.evaluate(`window.refusals(${JSON.stringify(text)})`)) as [
    number,
    string[],
  ];
  const wanted = ["tts/voice-unknown", "gone", "none", "tts/closed", "tts/config-invalid"];
  check("leaving, refusals and aborts", heard === 3 && String(codes) === String(wanted), [heard, codes]);
  const [played, left, level] = (await page.evaluate(`window.play("eta oin")`)) as [number, number, number];
  check("a speech is played to its end, and stops at once", played > 0 && left < played, [played, left]);
  check("sound reaches the output", level > 0.01, level);
  console.log(
    `Chromium ${version}, Node ${process.version}: ${cases.length + checks - differing} of ${cases.length + checks}.`,
  );
} finally {
  await close();
  rmSync(folder, { recursive: true });
}
process.exit(differing === 0 ? 0 : 1);
