import { type LongwaveError, TaskPool } from "@longwave/base";
import { nodeTaskWorker, SystemClock } from "@longwave/base/node";
import type { ProfileId } from "@longwave/fingerprint";
import type { AudioFile } from "./audio-files.ts";
import type { EnrollTask, EnrollTaskResult } from "./enroll-worker.ts";

/** A file and its fingerprint, or why it has none. */
export interface FingerprintedFile {
  readonly file: AudioFile;
  readonly outcome: EnrollTaskResult | { readonly error: LongwaveError };
}

/** A file that takes longer is given up, and the thread with it. */
export const fileTimeoutUs = 600e6;

/** The fingerprints of files in the order of the files, made on `jobs` threads: with any number of them the same. */
export async function* fingerprintFiles(
  files: AsyncIterable<AudioFile>,
  profile: ProfileId,
  jobs: number,
): AsyncIterable<FingerprintedFile> {
  interface Task extends EnrollTask {
    readonly file: AudioFile;
  }
  async function* tasks(): AsyncIterable<Task> {
    for await (const file of files) yield { file, path: file.path, profile };
  }
  using pool = new TaskPool<Task, EnrollTaskResult>(
    () => nodeTaskWorker(new URL("./enroll-worker.js", import.meta.url)),
    { workers: jobs, timeout: { us: fileTimeoutUs, clock: new SystemClock() } },
  );
  for await (const outcome of pool.map(tasks())) {
    const { file } = outcome.task;
    if ("result" in outcome) yield { file, outcome: outcome.result };
    else yield { file, outcome: { error: outcome.error } };
  }
}
