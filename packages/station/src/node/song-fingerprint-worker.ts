import { parentPort, workerData } from "node:worker_threads";
import type { ProfileId } from "@longwave/fingerprint";
import { fingerprintSong } from "../songs/enroll-repertoire.ts";
import type { Score } from "../songs/score.ts";

const { profile } = workerData as { profile: ProfileId };

parentPort?.on("message", async (score: Score) => {
  const fingerprint = await fingerprintSong(profile, score);
  parentPort?.postMessage(fingerprint, [fingerprint.records.buffer as ArrayBuffer]);
});
