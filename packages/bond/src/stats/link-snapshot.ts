import { badOption } from "../errors.ts";

/** Version of the snapshots that this package writes. */
export const snapshotVersion = 1;
/** Measurements older than this say nothing about links any more. */
const maxAgeMs = 600_000;

/** What a sender has learned about its links: plain JSON, to be kept across a restart. */
export interface SenderSnapshot {
  readonly version: number;
  readonly wallMs: number;
  /** By link: limit that pacing obeyed in bits per second; null where the link was never full. */
  readonly links: Readonly<Record<string, { readonly capacityBps: number | null }>>;
}

/** What a receiver has learned about the path: plain JSON, to be kept across a restart. */
export interface ReceiverSnapshot {
  readonly version: number;
  readonly wallMs: number;
  /** Playout latency that had become necessary, in milliseconds. */
  readonly bufferMs: number;
  /** Loss of first transmissions, 0 to 1. */
  readonly loss: number;
  /** Reordering within a link, in milliseconds. */
  readonly reorderMs: number;
}

/**
 * True where a snapshot is young enough to be used.
 * @throws BondError `bond/bad-option` where it is none, or of another version
 */
export function isFresh(
  snapshot: { readonly version: number; readonly wallMs: number },
  nowMs: number,
): boolean {
  if (snapshot.version !== snapshotVersion) {
    throw badOption("restore.version", snapshot.version, `${snapshotVersion}; start without the snapshot`);
  }
  const ageMs = nowMs - snapshot.wallMs;
  return ageMs >= 0 && ageMs <= maxAgeMs;
}
