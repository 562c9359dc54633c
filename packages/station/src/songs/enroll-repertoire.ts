import type { Catalog } from "@longwave/catalog";
import { fingerprintSlowly, type SlowFingerprintOptions } from "../slow-fingerprint.ts";
import type { Score } from "./score.ts";
import { SongRenderer } from "./song-renderer.ts";

export interface EnrollRepertoireOptions extends SlowFingerprintOptions {
  /** Told after each song, with the number of its fingerprint records. */
  readonly onEnrolled?: (score: Score, records: number) => void;
}

/** Enrolls every song of a repertoire that the catalog does not know yet, clean, as a record label would deliver it. */
export async function enrollRepertoire(
  catalog: Catalog,
  repertoire: readonly Score[],
  options: EnrollRepertoireOptions = {},
): Promise<void> {
  for (const score of repertoire) {
    const renderer = new SongRenderer(score);
    const fingerprint = await fingerprintSlowly(catalog.profile, (block) => renderer.read(block), options);
    await catalog.enroll({ id: score.id, title: score.title }, fingerprint, { replace: true });
    options.onEnrolled?.(score, fingerprint.records.length / fingerprint.recordWords);
  }
}
