import { serveNodeTasks } from "@longwave/base/node";
import { extract, type Fingerprint, type ProfileId } from "@longwave/fingerprint";
import { decodeSound } from "./read-sound.ts";

/** What a worker of `id enroll --jobs` is asked for: the fingerprint of a file. */
export interface EnrollTask {
  readonly path: string;
  readonly profile: ProfileId;
}

/** The fingerprint, and what the file lacked. */
export interface EnrollTaskResult {
  readonly fingerprint: Fingerprint;
  readonly truncated: boolean;
  readonly warnings: readonly string[];
}

serveNodeTasks<EnrollTask, EnrollTaskResult>(async ({ path, profile }) => {
  const { samples, sampleRate, channels, truncated, warnings } = await decodeSound(path);
  const fingerprint = extract(profile, samples, { sampleRate, channels });
  return { result: { fingerprint, truncated, warnings }, transfer: [fingerprint.records.buffer] };
});
