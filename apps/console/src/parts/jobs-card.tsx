import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { getJson } from "../api.ts";
import { repeat } from "../live/repeat.ts";

interface Job {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly source: string;
  readonly failure: { readonly message: string } | null;
}
interface Queue {
  readonly configured: boolean;
  readonly jobs: readonly Job[];
  readonly counts: Readonly<Record<string, number>>;
}

const queue = signal<Queue | undefined>(undefined);
const problem = signal("");
const refreshMs = 10_000;

/** A server that has no queue is not asked again. */
async function load(signal: AbortSignal): Promise<void> {
  if (queue.value?.configured === false) return;
  queue.value = await getJson<Queue>("/v1/jobs?limit=5", signal);
}

/** The queue of imports and enrollments; nothing where the server has none. */
export function JobsCard() {
  useEffect(() => repeat(load, refreshMs, problem), []);
  if (queue.value === undefined || !queue.value.configured) return null;
  const { jobs, counts } = queue.value;
  const open = (counts["waiting"] ?? 0) + (counts["running"] ?? 0);
  return (
    <section class="card" aria-label="Jobs">
      <div class="eyebrow">Jobs</div>
      <h2 class="title small">{open === 0 ? "Nothing waits" : `${open.toLocaleString("en")} to do`}</h2>
      {problem.value !== "" && <p class="subtitle wrap">{problem.value}</p>}
      <dl class="facts">
        {Object.entries(counts).map(([state, count]) => (
          <div key={state}>
            <dt>{state.replace(/^./, (letter) => letter.toUpperCase())}</dt>
            <dd>{count.toLocaleString("en")}</dd>
          </div>
        ))}
      </dl>
      {jobs.map(({ id, kind, state, source, failure }) => (
        <p class="muted wrap" key={id} style="margin-top: 8px">
          {state} · {kind} {source.split("/").at(-1)}
          {failure === null ? "" : `: ${failure.message}`}
        </p>
      ))}
    </section>
  );
}
