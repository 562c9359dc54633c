import { setPriority } from "node:os";
import { parentPort } from "node:worker_threads";
import type { Fingerprint, ProfileId } from "@longwave/fingerprint";
import { fingerprintSong } from "../songs/enroll-repertoire.ts";
import type { Score } from "../songs/score.ts";
import { type JingleOptions, renderJingle } from "../watermark/jingle.ts";

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

/** A song to be fingerprinted. */
export interface FingerprintRequest {
  readonly profile: ProfileId;
  readonly score: Score;
}

/** One thing to be made, with a number for the answer. */
export interface SongRequest {
  readonly number: number;
  readonly fingerprint?: FingerprintRequest;
  readonly jingle?: Omit<JingleOptions, "pause">;
}

export interface SongAnswer {
  readonly number: number;
  readonly answer: Fingerprint | Float32Array<ArrayBuffer>;
}

parentPort?.on("message", async ({ number, fingerprint, jingle }: SongRequest) => {
  if (fingerprint !== undefined) {
    const answer = await fingerprintSong(fingerprint.profile, fingerprint.score);
    give({ number, answer }, answer.records.buffer as ArrayBuffer);
  }
  if (jingle !== undefined) {
    const answer = await renderJingle(jingle);
    give({ number, answer }, answer.buffer);
  }
});

function give(answer: SongAnswer, moved: ArrayBuffer): void {
  parentPort?.postMessage(answer, [moved]);
}
