import type { Job, JobCounts } from "@longwave/station/jobs";

/** A job in one line. */
export function jobLine(job: Job): string {
  const { id, kind, state, source, track, attempts, result, failure } = job;
  const what = track === undefined ? source : `${source} as ${track.id}`;
  const tries = attempts > 1 ? `, begun ${attempts} times` : "";
  const end =
    state === "done" && result !== undefined
      ? `: ${Object.entries(result)
          .map(([name, value]) => `${name} ${value}`)
          .join(", ")}`
      : failure === undefined
        ? ""
        : `: ${failure.message} (${failure.code})`;
  return `${id}  ${state}${tries}  ${kind} ${what}${end}`;
}

/** The number of jobs in each state. */
export function countsLine(counts: JobCounts): string {
  return Object.entries(counts)
    .map(([state, count]) => `${count} ${state}`)
    .join(", ");
}
