import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeWav } from "@longwave/media";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { concatenate } from "../src/audio/concatenate.ts";
import { writeSafetensors } from "../src/model/safetensors-writer.ts";
import { exportVoiceByProgram } from "../src/node/export-voice-program.ts";
import { openTts } from "../src/node/open-tts.ts";
import { knownCommands, SubprocessEngine, type SubprocessOptions } from "../src/node/subprocess-engine.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "longwave-tts-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A program of ours: a Node script that stands for a speech program. */
function fake(name: string, body: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!${process.execPath}\n${body}`);
  chmodSync(path, 0o755);
  return path;
}

function wavFile(sampleRate: number, channels = 1): string {
  const path = join(folder, `${sampleRate}-${channels}.wav`);
  const pcm = Float32Array.from({ length: sampleRate * channels }, (_, i) => 0.5 * Math.sin(i * 0.1));
  writeFileSync(path, encodeWav(pcm, { sampleRate, channels }));
  return path;
}

const run = (executable: string, options: SubprocessOptions = {}, sampleRate: number | "any" = 24_000) => {
  const engine = new SubprocessEngine(
    { name: "fake", executable, args: [], defaultVoice: "d", sampleRate },
    options,
  );
  return (signal?: AbortSignal) => concatenate(engine.speak({ text: "hi", ...(signal ? { signal } : {}) }));
};

describe("a subprocess engine", () => {
  test("gives the program's text on stdin and takes its WAV", async () => {
    const heard = join(folder, "heard.txt");
    const path = fake(
      "good",
      `const fs=require("fs");fs.writeFileSync(${JSON.stringify(heard)},fs.readFileSync(0));` +
        `process.stdout.write(fs.readFileSync(${JSON.stringify(wavFile(24_000))}))`,
    );
    const pcm = await run(path)();
    expect(readFileSync(heard, "utf8")).toBe("hi");
    expect(pcm.length).toBe(24_000);
    expect(Math.max(...pcm)).toBeCloseTo(0.5, 3);
  });

  test("runs any command line, split into words without a shell", async () => {
    const heard = join(folder, "arguments.json");
    const path = fake(
      "any",
      `const fs=require("fs");fs.writeFileSync(${JSON.stringify(heard)},JSON.stringify(process.argv.slice(2)));` +
        `process.stdout.write(fs.readFileSync(${JSON.stringify(wavFile(16_000))}))`,
    );
    const command = `"${path}" --voice {voice} --as={voice}.bin 'two words' $HOME ""`;
    const tts = await openTts({ command, commandRate: 16_000 });
    expect((await concatenate(tts.speak("hi", { voice: "anna" }))).length).toBe(24_000);
    expect(tts.engines).toEqual(["command"]);
    expect(JSON.parse(readFileSync(heard, "utf8"))).toEqual([
      "--voice",
      "anna",
      "--as=anna.bin",
      "two words",
      "$HOME",
      "",
    ]);
    for (const broken of ["", "  ", 'piper "open', "a'b"]) {
      await expect(openTts({ command: broken, engine: "command" })).rejects.toMatchObject({
        code: "tts/option-invalid",
      });
    }
  });

  test("resamples a declared other rate", async () => {
    const path = fake(
      "rate",
      `process.stdout.write(require("fs").readFileSync(${JSON.stringify(wavFile(16_000))}))`,
    );
    expect((await run(path, {}, 16_000)()).length).toBe(24_000);
    await expect(run(path)()).rejects.toMatchObject({ code: "tts/format-unsupported" });
  });

  test.each([
    [
      "stereo",
      "tts/format-unsupported",
      () => `process.stdout.write(require("fs").readFileSync(${JSON.stringify(wavFile(24_000, 2))}))`,
    ],
    [
      "garbage",
      "tts/wav-malformed",
      () => `process.stdout.write("this is no WAV file at all, not even close to it")`,
    ],
    ["nothing", "tts/wav-malformed", () => ""],
    ["failure", "tts/non-zero-exit", () => `process.stderr.write("no voice today");process.exit(3)`],
    [
      "flood",
      "tts/output-too-large",
      () =>
        `const b=Buffer.alloc(65536);const f=()=>{while(process.stdout.write(b));process.stdout.once("drain",f)};f()`,
    ],
    ["hang", "tts/process-timeout", () => `setInterval(()=>{},1000)`],
  ])("%s is %s", async (name, code, body) => {
    const options = { timeoutMs: name === "hang" ? 400 : 20_000, maxOutputBytes: 1 << 20 };
    await expect(run(fake(name, body()), options)()).rejects.toMatchObject({ code });
  });

  test("a failing program's last words are in the message", async () => {
    const path = fake("words", `process.stderr.write("x".repeat(20000)+"the end");process.exit(1)`);
    await expect(run(path)()).rejects.toThrow(/the end$/);
  });

  test("a program that is not there is said to be absent", async () => {
    await expect(run(join(folder, "absent"))()).rejects.toMatchObject({ code: "tts/executable-not-found" });
  });

  test("an abort ends the program and its children", async () => {
    const pids = join(folder, "pids");
    const path = fake(
      "tree",
      `const c=require("child_process").spawn(process.execPath,["-e","setInterval(()=>{},1000)"]);` +
        `require("fs").writeFileSync(${JSON.stringify(pids)},c.pid+" "+process.pid);setInterval(()=>{},1000)`,
    );
    const abort = new AbortController();
    const speech = run(path)(abort.signal);
    const started = async () => {
      for (let i = 0; i < 200; i++) {
        try {
          const text = readFileSync(pids, "utf8");
          if (text.includes(" ")) return text.split(" ").map(Number);
        } catch {}
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error("The program did not start.");
    };
    const ids = await started();
    abort.abort(new Error("gone"));
    await expect(speech).rejects.toThrow("gone");
    for (let i = 0; i < 100 && ids.some(isRunning); i++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(ids.filter(isRunning)).toEqual([]);
  });
});

function isRunning(pid: number): boolean {
  try {
    // A zombie that nobody has waited for yet does not count.
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

const espeak = (() => {
  try {
    execFileSync("espeak-ng", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

test.skipIf(!espeak)("espeak-ng speaks (skipped where it is not installed)", async () => {
  const engine = new SubprocessEngine(knownCommands.find(({ name }) => name === "espeak-ng")!);
  const pcm = await concatenate(engine.speak({ text: "Hello world" }));
  expect(pcm.length / 24_000).toBeGreaterThan(0.4);
  expect(Math.max(...pcm)).toBeGreaterThan(0.1);
});

describe("the reference's program as a maker of voices", () => {
  const out = () => join(folder, "made.safetensors");
  const make = (body: string, timeoutMs?: number) =>
    exportVoiceByProgram("clip.wav", out(), { executablePath: fake("export", body), timeoutMs });

  test("is given the recording and the place, and what it writes is kept", async () => {
    const bytes = writeSafetensors(
      new Map([["audio_prompt", { dtype: "F32", shape: [1, 1, 2], data: new Float32Array(2) }]]),
    );
    const source = join(folder, "source.safetensors");
    writeFileSync(source, bytes);
    await make(
      `const [, , verb, audio, out, quiet] = process.argv;
      if (verb !== "export-voice" || audio !== "clip.wav" || quiet !== "--quiet") process.exit(9);
      require("fs").copyFileSync(${JSON.stringify(source)}, out)`,
    );
    expect(readFileSync(out()).equals(bytes)).toBe(true);
  });

  test.each([
    ["garbage", `require("fs").writeFileSync(process.argv[4], "no voice")`, "tts/model-malformed"],
    ["nothing", "", "tts/model-malformed"],
    ["a complaint", `console.error("no weights"); process.exit(4)`, "tts/non-zero-exit"],
    ["no end", "setInterval(() => {}, 1000)", "tts/process-timeout"],
  ])("%s is refused and leaves no file", async (_, body, code) => {
    rmSync(out(), { force: true });
    await expect(make(body, code === "tts/process-timeout" ? 200 : undefined)).rejects.toMatchObject({
      code,
    });
    expect(existsSync(out())).toBe(false);
  });

  test("that is not there is said to be absent", async () => {
    const absent = exportVoiceByProgram("a.wav", out(), { executablePath: join(folder, "absent") });
    await expect(absent).rejects.toMatchObject({ code: "tts/executable-not-found" });
  });
});
