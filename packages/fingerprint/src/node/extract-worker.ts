import { serveNodeTasks } from "@longwave/base/node";
import { extract } from "../extract.ts";
import type { Fingerprint } from "../fingerprint.ts";
import type { ExtractTask } from "./extract-pool.ts";

serveNodeTasks<ExtractTask, Fingerprint>(async ({ profile, samples, sampleRate, channels = 1 }) => {
  const result = extract(profile, samples, { sampleRate, channels });
  return { result, transfer: [result.records.buffer] };
});
