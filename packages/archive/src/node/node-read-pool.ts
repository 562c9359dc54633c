import { availableParallelism } from "node:os";
import { parentPort, Worker } from "node:worker_threads";
import { Archive, type ArchiveOptions } from "../archive.ts";
import { type PoolWorker, ReadPool, serveReads } from "../read-pool.ts";
import { nodeSha256 } from "./node-sha256.ts";
import { openStore } from "./open-store.ts";

export interface NodeReadPoolOptions {
  /** The archive: as for `openStore`. */
  readonly store: string;
  /** Module that exports the decoder factory, as `import.meta.resolve("@longwave/opus")` gives it. */
  readonly decoderModule: string;
  /** Name of the factory in it; default `createSeekableDecoder`. */
  readonly decoderName?: string;
  /** Default: one a core. */
  readonly workers?: number;
}

interface WorkerData {
  readonly longwaveReadPool: true;
  readonly options: NodeReadPoolOptions;
}

// Workers need JavaScript: run from source (tests), the built file is used.
const isSource = import.meta.url.endsWith(".ts");
const workerUrl = new URL(isSource ? "../../dist/node/read-worker.js" : "./read-worker.js", import.meta.url);

/**
 * A pool of worker threads that read from an archive.
 *
 * @example
 * const pool = nodeReadPool({ store: "./archive", decoderModule: import.meta.resolve("@longwave/opus") });
 * for await (const { pcm } of pool.readMany(requests)) train(pcm);
 * pool.close();
 */
export function nodeReadPool(options: NodeReadPoolOptions): ReadPool {
  const workerData: WorkerData = { longwaveReadPool: true, options };
  return new ReadPool(
    () => asPoolWorker(new Worker(workerUrl, { workerData, ...(isSource ? { execArgv: [] } : {}) })),
    options.workers ?? availableParallelism(),
  );
}

function asPoolWorker(worker: Worker): PoolWorker {
  return {
    postMessage: (message) => worker.postMessage(message),
    addEventListener: (type, listener) => {
      if (type === "message") worker.on("message", (data: unknown) => listener({ data }));
      else worker.on("error", (error) => listener({ message: error.message }));
    },
    terminate: () => void worker.terminate(),
  };
}

/** What a thread of the pool runs. */
export async function runReadWorker(data: WorkerData): Promise<void> {
  const port = parentPort!;
  const { store, decoderModule, decoderName = "createSeekableDecoder" } = data.options;
  const module = (await import(decoderModule)) as Record<string, ArchiveOptions["decoder"]>;
  const decoder = module[decoderName];
  if (decoder === undefined) throw new Error(`${decoderModule} exports no ${decoderName}.`);
  serveReads(
    {
      postMessage: (message, transfer) => port.postMessage(message, transfer as ArrayBuffer[]),
      addEventListener: (_, listener) =>
        void port.on("message", (message: unknown) => listener({ data: message })),
    },
    async () =>
      Archive.open((await openStore(store, { mustExist: true })).store, { decoder, sha256: nodeSha256 }),
  );
}
