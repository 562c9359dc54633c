import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repositoryPath } from "@longwave/testkit";
import { describe, expect, test } from "vitest";
import { aggregate } from "../src/speech/bench-report.ts";
import { readText } from "../src/speech/read-text.ts";

test("a bench reports each run and the spread of the warm ones", () => {
  const run = (kind: "cold" | "warm", synthesisMs: number) => ({
    kind,
    synthesisMs,
    audioMs: 1000,
    firstMs: 5,
    cpuMs: 1,
  });
  const report = aggregate([run("cold", 900), run("warm", 100), run("warm", 300)]);
  expect(report.rtf).toEqual({ min: 0.1, max: 0.3, mean: 0.2 });
  expect(report.runs.map(({ rtf }) => rtf)).toEqual([0.9, 0.1, 0.3]);
});

describe("the text to say", () => {
  async function* input(...pieces: string[]) {
    for (const piece of pieces) yield new TextEncoder().encode(piece);
  }
  test("is the argument, or standard input for - and nothing", async () => {
    expect(await readText("hi", input("no"))).toBe("hi");
    expect(await readText("-", input("ä", "b"))).toBe("äb");
    expect(await readText(undefined, input("x"))).toBe("x");
  });
  test("is refused beyond the limit, without reading on", async () => {
    await expect(readText("-", input("x".repeat(60), "x".repeat(60)), 100)).rejects.toMatchObject({
      code: "tts/text-too-long",
    });
  });
});

const main = repositoryPath("apps/cli/dist/main.js");

describe.skipIf(!existsSync(main))("longwave say, as built", () => {
  test("makes an audible file and names the engine", () => {
    const folder = mkdtempSync(join(tmpdir(), "longwave-say-"));
    const out = join(folder, "a.wav");
    const report = JSON.parse(
      execFileSync(process.execPath, [main, "say", "hello", "-o", out, "--json"], { encoding: "utf8" }),
    );
    expect(report).toMatchObject({ engine: "formant", out });
    const wav = readFileSync(out);
    const samples = new Int16Array(wav.buffer.slice(wav.byteOffset + 44, wav.byteOffset + (wav.length & ~1)));
    const rms = Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length) / 32_768;
    expect(rms).toBeGreaterThan(0.03);
    rmSync(folder, { recursive: true });
  });
  test("ends quietly when nobody reads any more", async () => {
    const text = "Nobody hears the end of this sentence. ".repeat(100);
    const child = spawn(process.execPath, [main, "say", text, "-o", "-", "--stream", "-q"]);
    let messages = "";
    child.stderr.on("data", (piece) => (messages += piece));
    child.stdout.once("data", () => child.stdout.destroy());
    expect(await new Promise((resolve) => child.once("close", resolve))).toBe(0);
    expect(messages).toBe("");
  });
  test("refuses empty text with exit code 2, a missing model with 5", () => {
    const code = (...args: string[]) => {
      try {
        execFileSync(process.execPath, [main, "say", ...args], { stdio: "ignore" });
        return 0;
      } catch (error) {
        return (error as { status: number }).status;
      }
    };
    expect(code(" ")).toBe(2);
    expect(code("x", "--engine", "native", "-o", "/dev/null")).toBe(5);
  });
});
