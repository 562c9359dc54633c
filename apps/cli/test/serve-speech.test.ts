import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { repositoryPath, writeRandomSpeechModel } from "@longwave/testkit";
import { afterEach, describe, expect, test } from "vitest";

const main = repositoryPath("apps/cli/dist/main.js");

describe.skipIf(!existsSync(main))("longwave serve, as built", () => {
  let child: ChildProcess | undefined;
  afterEach(() => child?.kill("SIGKILL"));

  async function start(
    ...options: string[]
  ): Promise<{ url: string; metricsUrl: string; log: string[]; ended: Promise<number | null> }> {
    const started = spawn(process.execPath, [main, "serve", "--listen", ":0", "--json", ...options], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    child = started;
    const log: string[] = [];
    createInterface({ input: started.stderr! }).on("line", (line) => log.push(line));
    const ended = new Promise<number | null>((resolve) => started.once("exit", resolve));
    const first = await new Promise<string>((resolve) =>
      createInterface({ input: started.stdout! }).once("line", resolve),
    );
    return { ...JSON.parse(first), log, ended };
  }

  const ask = (url: string, text: string) =>
    fetch(`${url}tts/stream`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text, format: "pcm" }),
    });

  test("serves the metrics, and nothing else, on an address of their own", async () => {
    const { url, metricsUrl } = await start("--workers", "1", "--metrics-addr", ":0");
    expect(new URL(metricsUrl).port).not.toBe(new URL(url).port);
    await (await ask(url, "Count me.")).arrayBuffer();
    const page = await fetch(metricsUrl);
    expect(page.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(await page.text()).toMatch(/^longwave_speech_requests_total 1$/m);
    for (const path of ["tts", "voices", "v1/health"])
      expect((await fetch(new URL(path, metricsUrl))).status, path).toBe(404);
  });

  test("speaks to its end what is under way when it is told to stop, refuses the rest, and ends with 0", async () => {
    const { url, log, ended } = await start("--workers", "1", "--shutdown-timeout", "20s");
    // Far more sound than sockets hold, so that it is under way until it is read.
    const long = "Some words to be spoken, one after the other. ".repeat(60);
    const whole = (await (await ask(url, long)).arrayBuffer()).byteLength;
    expect(whole).toBeGreaterThan(5_000_000);
    const running = await ask(url, long);
    const waiting = ask(url, "These have to wait for a worker.").then(
      ({ status }) => status,
      () => 0,
    );
    // It must be in the queue before the server is told.
    await expect
      .poll(async () => (await fetch(`${url}v1/metrics`)).text(), { timeout: 20_000 })
      .toMatch(/^longwave_speech_queued 1$/m);
    child!.kill("SIGTERM");
    expect(await waiting).toBe(503);
    expect((await running.arrayBuffer()).byteLength).toBe(whole);
    expect(await ended).toBe(0);
    await expect(ask(url, "Too late.")).rejects.toThrow();
    // One JSON line for every text, with who spoke and what became of it.
    const lines = log.map((line) => JSON.parse(line));
    expect(lines.filter(({ code }) => code === undefined)).toHaveLength(2);
    expect(lines[0]).toMatchObject({
      level: "info",
      engine: "formant",
      voice: "formant",
      textLength: long.length,
    });
    expect(lines.some(({ code }) => code === "tts/draining")).toBe(true);
  });

  test("cuts off what is not done when the time to stop is over", async () => {
    const { url, ended } = await start("--workers", "1", "--shutdown-timeout", "200ms");
    const running = await ask(url, "A reader that takes nothing holds its speech up for ever. ".repeat(60));
    const started = performance.now();
    child!.kill("SIGTERM");
    expect(await ended).toBe(0);
    expect(performance.now() - started).toBeLessThan(15_000);
    await running.body!.cancel().catch(() => undefined);
  });

  test("ends when it cannot start, though the threads of a model run already", async () => {
    const model = mkdtempSync(join(tmpdir(), "longwave-serve-"));
    try {
      writeRandomSpeechModel(model);
      const options = ["serve", "--listen", ":0", "--token", "short", "--model", model];
      child = spawn(process.execPath, [main, ...options], { stdio: "ignore" });
      expect(await new Promise((resolve) => child!.once("exit", resolve))).toBe(2);
    } finally {
      rmSync(model, { recursive: true });
    }
  });

  test("refuses an address that it cannot read", async () => {
    const run = spawn(process.execPath, [main, "serve", "--listen", "nowhere"], { stdio: "ignore" });
    child = run;
    expect(await new Promise((resolve) => run.once("exit", resolve))).toBe(2);
  });
});
