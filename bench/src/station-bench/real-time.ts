import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { DirectoryStore } from "@longwave/base/node";
import { repositoryPath } from "@longwave/testkit";
import { clickInBrowser } from "./browser-clicks.js";
import { memoryRow, row } from "./rows.js";
import { verifyArchive } from "./verify-archive.js";

/** Clicks on "30 s ago", spread over the run. */
const clicks = 30;

/** A station in real time: share of a core, memory, no frame concealed, no event lost, answers of the archive. */
export async function runInRealTime(folder: string, seconds: number): Promise<void> {
  const directory = join(folder, "live");
  const program = repositoryPath("apps/cli/dist/main.js");
  const args = ["station", "--port", "0", "--songs", "6", "--archive", directory];
  const started = performance.now();
  const station = spawn(process.execPath, [program, ...args], { env: { ...process.env, NO_COLOR: "1" } });
  try {
    const url = await addressOf(station);
    const listening = (performance.now() - started) / 1000;
    row("from start to listening", `${listening.toFixed(2)} s`, "<= 30 s", listening <= 30);
    const events = followEvents(url);
    // The beginning also enrolls the programme; the share is taken once that is over.
    for (let waited = 0; waited < 240 && !(await isReady(url)); waited++) await sleep(500);
    const first = await readMetrics(url);
    const begun = performance.now();
    const memory: number[] = [];
    const times: number[] = [];
    for (let click = 1; click <= clicks; click++) {
      await sleep(Math.max(0, begun + (click * seconds * 1000) / clicks - performance.now()));
      memory.push((await readMetrics(url)).rss);
      times.push(await clickOn30SecondsAgo(url));
    }
    const last = await readMetrics(url);
    const share = ((last.cpu - first.cpu) * 1000) / (performance.now() - begun);
    row(
      `station in real time, ${seconds} s`,
      `${(100 * share).toFixed(1)} % of a core`,
      "<= 50 %",
      share <= 0.5,
    );
    memoryRow("memory in real time", memory);
    row("frames concealed since the start", `${last.concealed}`, "0", last.concealed === 0);
    const { count, isWhole } = events.end();
    row("events followed over HTTP", `${count}`, "none lost", isWhole && count > 0);
    times.sort((a, b) => a - b);
    row(
      `sound of 30 s ago over HTTP, median / worst of ${clicks}`,
      `${times[clicks >> 1]!.toFixed(0)} / ${times.at(-1)!.toFixed(0)} ms`,
      "<= 100 ms",
      times.at(-1)! <= 100,
    );
    await clickInBrowser(url, clicks);
  } finally {
    await stop(station);
  }
  await verifyArchive("archive in real time", new DirectoryStore(directory), seconds);
}

/** Where a station that was started listens. */
export function addressOf(station: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    station.stdout!.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
      const found = /(http:\/\/\S+)\s/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
    station.once("exit", (status) => reject(new Error(`The station ended with ${status}.`)));
  });
}

/** Whether its programme is enrolled. */
export async function isReady(url: string): Promise<boolean> {
  const { ready } = (await (await fetch(`${url}v1/ready`)).json()) as { ready: boolean };
  return ready;
}

async function readMetrics(url: string): Promise<{ cpu: number; rss: number; concealed: number }> {
  const text = await (await fetch(`${url}v1/metrics`)).text();
  const value = (name: string) =>
    Number(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, "m").exec(text)?.[1] ?? 0);
  return {
    cpu: value("longwave_process_cpu_seconds_total"),
    rss: value("longwave_process_resident_bytes"),
    concealed: value("longwave_concealed_blocks_total"),
  };
}

/** Milliseconds until the first half second of sound is there, as the console asks for it. */
async function clickOn30SecondsAgo(url: string): Promise<number> {
  const { recordings } = (await (await fetch(`${url}v1/archive`)).json()) as {
    recordings: { id: string; frames: number }[];
  };
  const { id, frames } = recordings.at(-1)!;
  const from = Math.max(0, frames - 30 * 48_000);
  const asked = performance.now();
  const answer = await fetch(`${url}v1/archive/${id}?from=${from}&to=${from + 24_000}`);
  const bytes = (await answer.arrayBuffer()).byteLength;
  const took = performance.now() - asked;
  if (answer.status !== 200 || bytes < 24_000 * 4) throw new Error(`${answer.status}, ${bytes} bytes`);
  return took;
}

/** Reads the events as they come and notes whether a number is missing. */
export function followEvents(url: string, stream = ""): { end(): { count: number; isWhole: boolean } } {
  const stop = new AbortController();
  let count = 0;
  let isWhole = true;
  const read = async () => {
    const answer = await fetch(`${url}v1/events${stream && `?stream=${stream}`}`, { signal: stop.signal });
    const decoder = new TextDecoder();
    let rest = "";
    for await (const bytes of answer.body!) {
      const lines = (rest + decoder.decode(bytes as Uint8Array, { stream: true })).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const seq = /^id: (\d+)$/.exec(line)?.[1];
        if (seq !== undefined) isWhole &&= Number(seq) === count++;
      }
    }
  };
  const reading = read().catch(() => {
    if (!stop.signal.aborted) isWhole = false;
  });
  return {
    end() {
      stop.abort();
      void reading;
      return { count, isWhole };
    },
  };
}

/** Ends a station as Ctrl-C does, and waits for it. */
export async function stop(station: ChildProcess): Promise<void> {
  station.removeAllListeners("exit");
  if (station.exitCode !== null) return;
  const gone = new Promise((resolve) => station.once("exit", resolve));
  station.kill("SIGINT");
  await gone;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
