import type { Job, JobState } from "@longwave/station/jobs";
import { jobStates, noJobs } from "@longwave/station/jobs";
import { ServerError } from "../errors.ts";
import type { Host } from "../host.ts";
import {
  flag,
  integer,
  integerOrNull,
  json,
  listOf,
  objectOf,
  type Route,
  type Schema,
  text,
  textOrNull,
} from "../route.ts";

const maxPage = 500;

const jobSchema: Schema = objectOf({
  id: text,
  kind: text,
  state: { type: "string", enum: jobStates },
  source: text,
  track: textOrNull,
  attempts: integer,
  maxAttempts: integer,
  addedAtMs: integer,
  startedAtMs: integerOrNull,
  endedAtMs: integerOrNull,
  worker: textOrNull,
  result: { type: ["object", "null"] },
  failure: { anyOf: [objectOf({ code: text, message: text }), { type: "null" }] },
});

/** The queue of imports and enrollments, as it stands; it is changed with `longwave jobs`, where the files are. */
export function jobRoutes(host: Host): Route[] {
  return [
    {
      method: "get",
      path: "/v1/jobs",
      tag: "Jobs",
      summary: "Lists the newest jobs of the queue, and counts all",
      parameters: [
        {
          name: "state",
          in: "query",
          description: "Only jobs in this state.",
          schema: { type: "string", enum: jobStates },
        },
        {
          name: "limit",
          in: "query",
          description: "Most jobs in the answer.",
          schema: { type: "integer", minimum: 1, maximum: maxPage, default: 20 },
        },
      ],
      // Counting looks at every job.
      maxConcurrent: 2,
      answer: {
        status: 200,
        description: "Jobs, newest first, and the number in each state; none where no queue is configured.",
        contentType: "application/json",
        schema: objectOf({
          configured: flag,
          jobs: listOf(jobSchema),
          counts: objectOf(Object.fromEntries(jobStates.map((state) => [state, integer]))),
        }),
      },
      handle: async (context) => {
        const state = context.req.query("state");
        if (state !== undefined && !jobStates.includes(state as JobState)) throw badQuery("state", state);
        const limit = Number(context.req.query("limit") ?? 20);
        if (!Number.isInteger(limit) || limit < 1 || limit > maxPage)
          throw badQuery("limit", context.req.query("limit"));
        if (host.jobs === undefined) return json({ configured: false, jobs: [], counts: noJobs });
        const jobs = await host.jobs.list({
          limit,
          ...(state !== undefined && { state: state as JobState }),
        });
        return json({ configured: true, jobs: jobs.map(described), counts: await host.jobs.counts() });
      },
    },
  ];
}

function described(job: Job): Record<string, unknown> {
  const { id, kind, state, source, track, attempts, maxAttempts, addedAtMs } = job;
  const { startedAtMs = null, endedAtMs = null, worker = null, result = null, failure = null } = job;
  const known = { id, kind, state, source, track: track?.id ?? null, attempts, maxAttempts, addedAtMs };
  return { ...known, startedAtMs, endedAtMs, worker, result, failure };
}

function badQuery(name: string, value: string | undefined): ServerError {
  return new ServerError(
    "server/bad-request",
    "usage",
    `${name} is ${JSON.stringify(value?.slice(0, 100))}; see /openapi.json for what it may be.`,
  );
}
