import { signal } from "@preact/signals";
import { ApiError, getJson, putJson } from "../api.ts";
import type { Bond, Link, LinkCourse, LinkHistory } from "../model.ts";

/** The links as they are; undefined before the first answer. */
export const bond = signal<Bond | undefined>(undefined);
/** What they did, by link: as the station remembers it, and what came since. */
export const courses = signal<ReadonlyMap<string, LinkCourse>>(new Map());
/** Distance of two samples of `courses`, and how many of them are shown. */
export const sampleMs = 1000;
export const shownSamples = 300;
/** "none" where the stream does not travel over links. */
export const linkProblem = signal("");

const pollMs = 500;
/** The station's own record is read again this often: a page in the background misses samples. */
const historyMs = 30_000;

/** Follows the links of a stream until the returned function is called. */
export function followLinks(stream: string): () => void {
  let sampledAt = 0;
  let readAt = Number.NEGATIVE_INFINITY;
  let stopped = false;
  const path = `/v1/streams/${encodeURIComponent(stream)}/links`;
  const step = async () => {
    try {
      const now = performance.now();
      if (now - readAt > historyMs && !document.hidden) {
        readAt = now;
        const { links } = await getJson<LinkHistory>(`${path}/history`);
        courses.value = new Map(links.map((each) => [each.id, each]));
        sampledAt = performance.now();
      }
      const next = await getJson<Bond>(path);
      if (stopped) return;
      bond.value = next;
      linkProblem.value = "";
      if (performance.now() - sampledAt < sampleMs) return;
      sampledAt = performance.now();
      courses.value = new Map(next.links.map((link) => [link.id, grown(courses.value.get(link.id), link)]));
    } catch (error) {
      linkProblem.value =
        error instanceof ApiError && error.status === 404 ? "none" : (error as Error).message;
    }
  };
  void step();
  const timer = setInterval(() => void step(), pollMs);
  return () => {
    stopped = true;
    clearInterval(timer);
  };
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
  } catch (error) {
    linkProblem.value = (error as Error).message;
  }
}
