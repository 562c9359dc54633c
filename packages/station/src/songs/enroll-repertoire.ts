import type { Fingerprint, ProfileId } from "@longwave/fingerprint";
import { fingerprintSlowly, type SlowFingerprintOptions } from "../slow-fingerprint.ts";
import type { StationCatalog } from "../station-catalog.ts";
import type { Score } from "./score.ts";
import { SongRenderer } from "./song-renderer.ts";

export interface EnrollRepertoireOptions extends SlowFingerprintOptions {
  /** Told after each song, with the number of its fingerprint records. */
  readonly onEnrolled?: (score: Score, records: number) => void;
  /** Makes the fingerprint of a song elsewhere, such as in another thread; default here, piece by piece. */
  readonly fingerprint?: (score: Score) => Promise<Fingerprint>;
}

/** The fingerprint of a song as it was recorded, without anything that happens on its way. */
export function fingerprintSong(
  profile: ProfileId,
  score: Score,
  options: SlowFingerprintOptions = {},
): Promise<Fingerprint> {
  const renderer = new SongRenderer(score);
  return fingerprintSlowly(profile, (block) => renderer.read(block), options);
}

/** Enrolls every song of a repertoire that the catalog does not know yet, clean, as a record label would deliver it. */
export async function enrollRepertoire(
  catalog: Pick<StationCatalog, "profile" | "enroll">,
  repertoire: readonly Score[],
  options: EnrollRepertoireOptions = {},
): Promise<void> {
  for (const score of repertoire) {
    options.signal?.throwIfAborted();
    const make = options.fingerprint ?? ((each: Score) => fingerprintSong(catalog.profile, each, options));
    const fingerprint = await make(score);
    await catalog.enroll({ id: score.id, title: score.title }, fingerprint, { replace: true });
    options.onEnrolled?.(score, fingerprint.records.length / fingerprint.recordWords);
  }
}
