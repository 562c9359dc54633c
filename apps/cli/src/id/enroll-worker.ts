import { serveNodeTasks } from "@longwave/base/node";
import { extract, type Fingerprint, type ProfileId } from "@longwave/fingerprint";
import { readSound } from "./read-sound.ts";

/** What a worker of `id enroll --jobs` is asked for: the fingerprint of a file. */
export interface EnrollTask {
  readonly path: string;
  readonly profile: ProfileId;
}

serveNodeTasks<EnrollTask, Fingerprint>(async ({ path, profile }) => {
  const { samples, sampleRate, channels = 1 } = await readSound(path);
  const result = extract(profile, samples, { sampleRate, channels });
  return { result, transfer: [result.records.buffer] };
});
