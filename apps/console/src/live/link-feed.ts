import { computed, signal } from "@preact/signals";
import { ApiError, getJson, problemText, putJson } from "../api.ts";
import type { Bond, Link, LinkCourse, LinkHistory } from "../model.ts";
import { repeat } from "./repeat.ts";

/** The links as they are; undefined before the first answer. */
export const bond = signal<Bond | undefined>(undefined);
/** What they did, by link: as the station remembers it, and what came since. */
export const courses = signal<ReadonlyMap<string, LinkCourse>>(new Map());
/** Distance of two samples of `courses`, and how many of them are shown. */
export const sampleMs = 1000;
export const shownSamples = 300;
export const linkProblem = signal("");
/** Why the last change of a link was not made; empty if it was. */
export const changeProblem = signal("");
/** False where the stream does not travel over links. */
export const hasLinks = signal(true);

const pollMs = 500;
/** The station's own record is read again this often: a page in the background misses samples. */
const historyMs = 30_000;

/** The receiver hears silence: nothing has arrived for a second. A link that does not answer may still carry. */
export const nothingArrives = computed(() => bond.value?.arrival.state === "lost");

/** Follows whether the links of a stream carry, without what they did before, until the returned function is called. */
export function followArrival(stream: string): () => void {
  const path = `/v1/streams/${encodeURIComponent(stream)}/links`;
  const step = (signal: AbortSignal) => orNone(async () => takeBond(await getJson<Bond>(path, signal)));
  return repeat(step, 2 * pollMs, linkProblem);
}

function takeBond(next: Bond): void {
  bond.value = next;
  hasLinks.value = true;
}

/** Asks for links; a stream may have none. */
async function orNone(ask: () => Promise<void>): Promise<void> {
  try {
    await ask();
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
    bond.value = undefined;
    hasLinks.value = false;
  }
}

/** Follows the links of a stream until the returned function is called. */
export function followLinks(stream: string): () => void {
  let sampledAt = 0;
  let readAt = Number.NEGATIVE_INFINITY;
  const path = `/v1/streams/${encodeURIComponent(stream)}/links`;
  const step = async (signal: AbortSignal) => {
    const now = performance.now();
    if (now - readAt > historyMs && !document.hidden) {
      const { links } = await getJson<LinkHistory>(`${path}/history`, signal);
      readAt = now;
      courses.value = new Map(links.map((each) => [each.id, each]));
      sampledAt = performance.now();
    }
    const next = await getJson<Bond>(path, signal);
    takeBond(next);
    if (performance.now() - sampledAt < sampleMs) return;
    sampledAt = performance.now();
    courses.value = new Map(next.links.map((link) => [link.id, grown(courses.value.get(link.id), link)]));
  };
  return repeat((signal) => orNone(() => step(signal)), pollMs, linkProblem);
}

function grown(course: LinkCourse | undefined, { id, sentBps, loss, rttMs, cut }: Link): LinkCourse {
  const add = <Value>(values: readonly Value[] | undefined, value: Value) => [
    ...(values ?? []).slice(1 - shownSamples),
    value,
  ];
  return {
    id,
    sentBps: add(course?.sentBps, sentBps),
    loss: add(course?.loss, loss),
    rttMs: add(course?.rttMs, rttMs),
    cut: add(course?.cut, cut),
  };
}

/** Whether the sender gives it packets. */
export function carries({ cut, alive, phase }: Link): boolean {
  return !cut && alive && (phase === "warm" || phase === "live" || phase === "degrade");
}

/** Cuts, restores, weighs or impairs a link. */
export async function changeLink(
  id: string,
  what: Partial<{ cut: boolean; weight: number; delayMs: number; loss: number }>,
): Promise<void> {
  try {
    const link = await putJson<Link>(`/v1/links/${encodeURIComponent(id)}`, what);
    if (bond.value !== undefined) {
      bond.value = { ...bond.value, links: bond.value.links.map((each) => (each.id === id ? link : each)) };
    }
    changeProblem.value = "";
  } catch (error) {
    changeProblem.value = problemText(error);
  }
}
