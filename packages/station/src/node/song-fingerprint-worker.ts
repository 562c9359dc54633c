import { setPriority } from "node:os";
import { parentPort } from "node:worker_threads";
import type { ProfileId } from "@longwave/fingerprint";
import { fingerprintSong } from "../songs/enroll-repertoire.ts";
import type { Score } from "../songs/score.ts";

/** Gives way to the thread that plays: a third of its share where both want the same core. */
const niceness = 5;

// Linux counts priorities by thread; elsewhere this would slow down the thread that plays as well.
if (process.platform === "linux") {
  try {
    setPriority(niceness);
  } catch {
    // It works without.
  }
}

/** A song to be fingerprinted, with a number for the answer. */
export interface SongRequest {
  readonly number: number;
  readonly profile: ProfileId;
  readonly score: Score;
}

parentPort?.on("message", async ({ number, profile, score }: SongRequest) => {
  const fingerprint = await fingerprintSong(profile, score);
  parentPort?.postMessage({ number, fingerprint }, [fingerprint.records.buffer as ArrayBuffer]);
});
