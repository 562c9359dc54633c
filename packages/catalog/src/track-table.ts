import { durationSeconds, type Fingerprint, type Profile } from "@longwave/fingerprint";
import { contentHashOf } from "./content-hash.ts";
import type { Track, TrackMetadata } from "./track.ts";

/** The tracks of an open catalog by number (the order of enrollment) and by id. Numbers are never used again. */
export class TrackTable {
  readonly #profile: Profile;
  readonly #tracks: (Track | undefined)[] = [];
  readonly #numberById = new Map<string, number>();
  readonly #idsByContent = new Map<string, Set<string>>();
  #postings = 0;
  #frames = 0;

  constructor(profile: Profile) {
    this.#profile = profile;
  }

  get size(): number {
    return this.#numberById.size;
  }

  /** Postings of all tracks that are there. */
  get postings(): number {
    return this.#postings;
  }

  /** Frames of all tracks that are there. */
  get frames(): number {
    return this.#frames;
  }

  list(): readonly Track[] {
    return this.#tracks.filter((track) => track !== undefined);
  }

  numberOf(id: string): number | undefined {
    return this.#numberById.get(id);
  }

  find(id: string): Track | undefined {
    const number = this.#numberById.get(id);
    return number === undefined ? undefined : this.#tracks[number];
  }

  /** The track of a number; undefined where it was removed. */
  at(number: number): Track | undefined {
    return this.#tracks[number];
  }

  /** Ids of the tracks with this content, other than `except`. */
  duplicatesOf(contentHash: string, except: string): string[] {
    return [...(this.#idsByContent.get(contentHash) ?? [])].filter((id) => id !== except);
  }

  /** The first of each recording in a ranked list: tracks of equal content are one recording. */
  oneOfEachRecording<T extends { readonly track: number }>(ranked: readonly T[]): T[] {
    const seen = new Set<string>();
    return ranked.filter(({ track }) => {
      const { contentHash } = this.#tracks[track]!;
      if (seen.has(contentHash)) return false;
      seen.add(contentHash);
      return true;
    });
  }

  /** Number that the next track gets. */
  get nextNumber(): number {
    return this.#tracks.length;
  }

  /** Adds an enrolled recording under the next number, which it returns; one of the same id is removed first. */
  enroll(metadata: TrackMetadata, fingerprint: Fingerprint, postings: number): number {
    this.remove(metadata.id);
    return this.append({
      ...metadata,
      durationSeconds: durationSeconds(fingerprint),
      hashes: postings,
      contentHash: contentHashOf(fingerprint),
    });
  }

  /** Adds a track under the next number; undefined keeps the number of a removed one. */
  append(track: Track | undefined): number {
    const number = this.#tracks.length;
    this.#tracks.push(track);
    if (track === undefined) return number;
    this.#numberById.set(track.id, number);
    // Two that hold nothing (silence) are not the same recording.
    if (track.hashes > 0) {
      const same = this.#idsByContent.get(track.contentHash) ?? new Set();
      this.#idsByContent.set(track.contentHash, same.add(track.id));
    }
    this.#postings += track.hashes;
    this.#frames += this.#framesOf(track);
    return number;
  }

  remove(id: string): void {
    const number = this.#numberById.get(id);
    if (number === undefined) return;
    const track = this.#tracks[number]!;
    this.#numberById.delete(id);
    this.#tracks[number] = undefined;
    this.#idsByContent.get(track.contentHash)?.delete(id);
    this.#postings -= track.hashes;
    this.#frames -= this.#framesOf(track);
  }

  #framesOf(track: Track): number {
    return Math.ceil((track.durationSeconds * this.#profile.sampleRate) / this.#profile.hopSize);
  }
}
