import type { ProfileId } from "./profile.ts";

/**
 * The fingerprint of one recording: plain data, safe to clone or transfer between threads.
 *
 * `records` holds `recordWords` u32 words each, sorted: the hash, then the frame it belongs to (and for `panako-v2` the
 * frames of the second and third peak). Times are frames of `hopSize / sampleRate` seconds.
 */
export interface Fingerprint {
  readonly profile: ProfileId;
  /** First 8 bytes of SHA-256 over the canonical JSON of profile and settings, as 16 hexadecimal digits. */
  readonly configHash: string;
  readonly sampleRate: number;
  readonly hopSize: number;
  /** Length of the analysed signal in samples at `sampleRate`. */
  readonly sourceLength: number;
  readonly recordWords: number;
  readonly records: Uint32Array;
}

/** Number of records in a fingerprint. */
export function recordCount(fingerprint: Fingerprint): number {
  return fingerprint.records.length / fingerprint.recordWords;
}

/** Length of the analysed signal in seconds. */
export function durationSeconds(fingerprint: Fingerprint): number {
  return fingerprint.sourceLength / fingerprint.sampleRate;
}

/**
 * Receives finished records. `records` holds `count` records and belongs to the stream: it is overwritten after the call
 * returns.
 */
export type RecordSink = (records: Uint32Array, count: number) => void;

/** Receives a spectral peak that is final: its frame, its frequency bin and its level in dB. */
export type PeakSink = (frame: number, bin: number, decibels: number) => void;

/**
 * Receives a whitened row of the spectrum of `mark-v1`: 450 levels in half dB, of the bins from 10 on. The row belongs to the
 * stream and is overwritten after the call returns.
 */
export type WhitenedSink = (frame: number, row: Int8Array) => void;
