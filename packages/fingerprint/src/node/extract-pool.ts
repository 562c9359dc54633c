import { TaskPool, type TaskPoolOptions } from "@longwave/base";
import { nodeTaskWorker } from "@longwave/base/node";
import type { Fingerprint } from "../fingerprint.ts";
import type { ProfileId } from "../profile.ts";

/** Sound to fingerprint: mono or interleaved samples at their own rate. */
export interface ExtractTask {
  readonly profile: ProfileId;
  readonly samples: Float32Array;
  readonly sampleRate: number;
  readonly channels?: number;
}

// Workers need JavaScript: run from source (tests), the built file is used.
const workerUrl = new URL(
  import.meta.url.endsWith(".ts") ? "../../dist/node/extract-worker.js" : "./extract-worker.js",
  import.meta.url,
);

/** Options of {@link createExtractPool}. */
export interface ExtractPoolOptions extends Pick<TaskPoolOptions<ExtractTask>, "workers" | "timeout"> {
  /** Hand the samples over to the worker, where they fill their buffer, instead of copying them. Default false. */
  readonly handOver?: boolean;
}

/**
 * Fingerprints on several threads. Each is the same bits as `extract` gives, and `map` gives them in the order of the tasks.
 *
 * @example
 * using pool = createExtractPool({ workers: 4 });
 * for await (const outcome of pool.map(tasks)) if ("result" in outcome) await catalog.enroll(names.next(), outcome.result);
 */
export function createExtractPool(options: ExtractPoolOptions): TaskPool<ExtractTask, Fingerprint> {
  const { handOver = false, ...rest } = options;
  return new TaskPool(() => nodeTaskWorker(workerUrl), {
    ...rest,
    transfer: ({ samples }) =>
      handOver && samples.byteLength === samples.buffer.byteLength ? [samples.buffer] : [],
  });
}
