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
 * The snapshot where it is young enough to be used.
 * @throws BondError `bond/bad-option` where it is none, or of another version
 */
export function freshOf<Snapshot extends SenderSnapshot | ReceiverSnapshot>(
  snapshot: Snapshot | undefined,
  nowMs: number,
): Snapshot | undefined {
  if (snapshot === undefined) return undefined;
  if (snapshot.version !== snapshotVersion) {
    throw badOption("restore.version", snapshot.version, `${snapshotVersion}; start without the snapshot`);
  }
  // It comes from a file: what is no snapshot must not become an estimate.
  if ("links" in snapshot) {
    if (typeof snapshot.links !== "object" || snapshot.links === null)
      throw badOption("restore.links", String(snapshot.links), "an object by link");
    for (const [id, link] of Object.entries(snapshot.links))
      if (link.capacityBps !== null) checkNumber(`restore.links.${id}.capacityBps`, link.capacityBps);
  } else
    for (const key of ["bufferMs", "loss", "reorderMs"] as const)
      checkNumber(`restore.${key}`, snapshot[key]);
  checkNumber("restore.wallMs", snapshot.wallMs);
  const ageMs = nowMs - snapshot.wallMs;
  return ageMs >= 0 && ageMs <= maxAgeMs ? snapshot : undefined;
}

function checkNumber(name: string, value: number): void {
  if (typeof value === "number" && Number.isFinite(value) && value >= 0) return;
  throw badOption(name, String(value), "a number from 0; start without the snapshot");
}
