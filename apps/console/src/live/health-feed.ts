import { computed, signal } from "@preact/signals";
import { getJson, needsToken } from "../api.ts";
import { repeat } from "./repeat.ts";

/** Something that does not work while the rest goes on. */
export interface Trouble {
  readonly part: "archive" | "catalog" | "jobs" | "sound" | "other";
  readonly stream: string | null;
  /** What, in a sentence. */
  readonly says: string;
  /** Why, in words; null where the server does not tell. */
  readonly reason: string | null;
}

export interface Health {
  readonly uptimeSeconds: number;
  readonly waitingFor: string | null;
  readonly degraded: readonly string[];
  /** The same with what it concerns and why. */
  readonly parts?: readonly Trouble[];
}

/** How the server is, by its last answer. */
export const health = signal<Health | undefined>(undefined);
export const healthProblem = signal("");

/** What does not work just now. */
export const troubles = computed<readonly Trouble[]>(
  () =>
    health.value?.parts ??
    health.value?.degraded.map((says) => ({ part: "other", stream: null, says, reason: null })) ??
    [],
);

const pollMs = 3000;

/** Follows how the server is, for as long as the page is open. */
export function startHealth(): void {
  repeat(
    async (signal) => {
      if (document.hidden || needsToken.value) return;
      health.value = await getJson<Health>("/v1/health", signal);
    },
    pollMs,
    healthProblem,
  );
}

/** What one can do about it; empty where it mends itself. */
export function adviceFor({ part, reason, says }: Trouble): string {
  const why = `${says} ${reason ?? ""}`;
  if (part === "archive" && /disk is full|no space|quota/i.test(why))
    return "Free some of its disk, or start with --keep 7d so that old recordings go. Recording goes on by itself.";
  if (part === "archive" && /permission|not allowed|read-only/i.test(why))
    return "Let this user write to the archive's folder. Recording goes on by itself.";
  if (part === "archive" && /store/i.test(says))
    return "What is recorded waits in memory until the store is back; nothing has to be restarted.";
  if (part === "archive" && /another (station|writer)/i.test(why))
    return "Stop one of the two stations, then start this one again.";
  if (part === "archive") return "It is tried again every few seconds; nothing has to be restarted.";
  if (part === "catalog" && /disk is full|no space|quota/i.test(why))
    return "Free some of its disk. Enrolling goes on by itself.";
  if (part === "catalog") return "Songs are named again when it is back; nothing has to be restarted.";
  if (part === "jobs") return "Jobs go on when the queue is back; nothing has to be restarted.";
  return part === "sound" ? "Links shows which of them loses it." : "";
}
