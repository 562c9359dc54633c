import { Archive } from "@longwave/archive";
import type { ObjectStore } from "@longwave/base";
import { createSeekableDecoder } from "@longwave/opus";
import { row } from "./rows.js";

/** Every sample, every hash and every proof of what a run archived, and that nothing of `seconds` is missing. */
export async function verifyArchive(what: string, store: ObjectStore, seconds: number): Promise<void> {
  const archive = await Archive.open(store, { decoder: createSeekableDecoder });
  let findings = 0;
  let frames = 0;
  let lost = 0;
  for (const info of await archive.list()) {
    frames += info.frames;
    lost += info.counts.lost;
    findings += (await archive.verify(info.id, "decode")).findings.length;
  }
  archive.close();
  row(
    `${what}, every sample decoded and checked`,
    `${(frames / 48_000).toFixed(1)} s of ${seconds.toFixed(1)} s, ${lost} packets lost, ${findings} findings`,
    "all, 0 findings",
    findings === 0 && lost === 0 && frames / 48_000 > seconds - 1,
  );
}
