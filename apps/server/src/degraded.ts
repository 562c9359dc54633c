import type { SoundArrival } from "@longwave/station";
import type { Host, HostedStation } from "./host.ts";

/** Something that does not work just now while the rest goes on. */
export interface DegradedPart {
  readonly part: "archive" | "catalog" | "jobs" | "sound" | "other";
  /** Id of the stream that it concerns; null where it concerns all. */
  readonly stream: string | null;
  /** A sentence for everybody. */
  readonly says: string;
  /** Why, in the words of what failed: it may name addresses, though never a password. */
  readonly reason: string | null;
}

/** All that does not work just now. */
export function degradedParts({ archive, catalog, jobs, stations, degraded }: Host): DegradedPart[] {
  const parts: DegradedPart[] = [];
  const add = (
    part: DegradedPart["part"],
    says: string,
    reason: string | null,
    stream: string | null = null,
  ) => parts.push({ part, stream, says, reason: reason === null ? null : plainReason(reason) });
  const away = archive?.delivery?.away;
  if (away !== undefined) add("archive", "The archive's store is away.", away);
  if (catalog?.away !== undefined)
    add("catalog", "The catalog is away: nothing is identified.", catalog.away);
  if (jobs?.away !== undefined) add("jobs", "The queue of jobs is away: it is not shown.", jobs.away);
  for (const { station, recorder, bond, enrolmentFailure } of stations.values()) {
    const notEnrolled = enrolmentFailure?.();
    if (notEnrolled !== undefined)
      add(
        "catalog",
        `Songs of ${station.id} cannot be enrolled: they are not recognised.`,
        notEnrolled,
        station.id,
      );
    const failure = away === undefined ? recorder?.failure : undefined;
    if (failure !== undefined) add("archive", `Nothing is recorded of ${station.id}.`, failure, station.id);
    if (bond === undefined) continue;
    const { arrival } = bond.status();
    const says = arrivalSentence(station.id, arrival);
    if (says !== undefined) add("sound", says, arrivalReason(station, arrival), station.id);
  }
  for (const says of degraded?.() ?? []) add("other", says, null);
  return parts;
}

function arrivalSentence(id: string, { state }: SoundArrival): string | undefined {
  if (state === "whole") return undefined;
  return state === "lost" ? `No sound of ${id} arrives.` : `Sound of ${id} is lost again and again.`;
}

function arrivalReason(
  station: HostedStation["station"],
  { sinceMs, concealedBlocks }: SoundArrival,
): string {
  const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`;
  const lastsMs = Math.max(0, station.status().receivedMs - (sinceMs ?? 0));
  return `The links let too little through: ${seconds(concealedBlocks * 20)} of the last ${seconds(lastsMs)} were concealed.`;
}

const maxReasonLength = 300;

/** A reason for others to read: one line, not too long, and nothing in an address that lets somebody in. */
export function plainReason(reason: string): string {
  const plain = reason
    .slice(0, 10 * maxReasonLength)
    .replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/?#]*@/gi, "$1")
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s?#]*)[?#][^\s"']*/gi, "$1")
    .replace(/\b(password|token|secret)=\S+/gi, "$1=…")
    .replace(/\s+/g, " ")
    .trim();
  return plain.length <= maxReasonLength ? plain : `${plain.slice(0, maxReasonLength - 1)}…`;
}
