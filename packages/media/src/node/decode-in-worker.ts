import { Worker } from "node:worker_threads";
import { abortError } from "../decode/audio-decoder.ts";
import type { DecodedAudio } from "../decode/decode-audio-bytes.ts";
import { MediaError } from "../errors.ts";
import type { DecodeAnswer, DecodeJob } from "./decode-worker.ts";

// Workers need JavaScript: run from source (tests), the built file is used.
const workerUrl = new URL(
  import.meta.url.endsWith(".ts") ? "../../dist/node/decode-worker.js" : "./decode-worker.js",
  import.meta.url,
);

/** Megabytes of heap that a decoder may use besides its buffers. */
const maxHeapMb = 512;

/**
 * Runs one decoding on a thread of its own and ends that thread when the signal fires. `job.bytes` is handed over to the
 * thread where it owns its whole buffer, else copied.
 * @throws MediaError what the decoder threw, the signal's reason, or `media/decode-failed` where the thread died
 */
export function decodeInWorker(job: DecodeJob, signal: AbortSignal): Promise<DecodedAudio> {
  return new Promise((resolve, reject) => {
    const whole = job.bytes.byteLength === job.bytes.buffer.byteLength;
    const worker = new Worker(workerUrl, {
      workerData: job,
      transferList: whole ? [job.bytes.buffer as ArrayBuffer] : [],
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
      execArgv: [],
    });
    let ended = false;
    const end = (settle: () => void) => {
      if (ended) return;
      ended = true;
      signal.removeEventListener("abort", abort);
      void worker.terminate().then(settle, settle);
    };
    const abort = () => end(() => reject(abortError(signal)));
    signal.addEventListener("abort", abort, { once: true });
    worker.once("message", (answer: DecodeAnswer) => {
      end(() => {
        if ("audio" in answer) resolve(answer.audio);
        else reject(new MediaError(answer.code, answer.message));
      });
    });
    worker.once("error", (error: NodeJS.ErrnoException) => end(() => reject(crash(error))));
    worker.once("exit", (code) => {
      end(() =>
        reject(new MediaError("media/decode-failed", `The decoder ended without an answer (exit ${code}).`)),
      );
    });
  });
}

function crash(cause: NodeJS.ErrnoException): MediaError {
  const reason = cause.message.replace(/\.$/, "");
  // A program that was built or removed under a running process: not the fault of the content.
  if (/MODULE_NOT_FOUND$/.test(cause.code ?? "")) {
    const message = `The decoder cannot be loaded: ${reason}. Where the program was built or installed anew meanwhile, start it again.`;
    return new MediaError("media/unreadable", message, { cause });
  }
  return new MediaError("media/decode-failed", `The decoder crashed: ${reason}.`, { cause });
}
