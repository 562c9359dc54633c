import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { getJson, hasToken, problemText, request } from "../api.ts";
import { clock } from "../format.ts";
import { type Health, health, troubles } from "../live/health-feed.ts";
import { connection, isLive, stream } from "../live/live.ts";
import { repeat } from "../live/repeat.ts";
import { Fact } from "../parts/fact.tsx";
import { JobsCard } from "../parts/jobs-card.tsx";
import { TroubleText } from "../parts/notices.tsx";
import { waitingFor } from "../parts/waiting-card.tsx";
import { ChainCard } from "./system-chain.tsx";

interface Version {
  readonly version: string;
  readonly node: string;
}

const version = signal<Version | undefined>(undefined);
const metrics = signal<ReadonlyMap<string, number>>(new Map());
const problem = signal("");
/** Why an answer could not be shown. */
const answerProblem = signal("");

const pollMs = 2000;

async function load(signal: AbortSignal): Promise<void> {
  health.value = await getJson<Health>("/v1/health", signal);
  version.value ??= await getJson<Version>("/v1/version", signal);
  metrics.value = parseMetrics(await (await request("/v1/metrics", { signal })).text());
}

/** Sums the series of each metric. */
function parseMetrics(text: string): Map<string, number> {
  const values = new Map<string, number>();
  for (const line of text.split("\n")) {
    const match = /^([a-z_]+)(?:\{.*\})? (\S+)$/.exec(line);
    if (match !== null) values.set(match[1]!, (values.get(match[1]!) ?? 0) + Number(match[2]));
  }
  return values;
}

/** How the server is doing. */
export function SystemScreen() {
  useEffect(() => repeat(load, pollMs, problem), []);
  const uptime = health.value?.uptimeSeconds;
  const cpu = metrics.value.get("longwave_process_cpu_seconds_total");
  const memory = metrics.value.get("longwave_process_resident_bytes");
  return (
    <div class="grid">
      <ChainCard />
      <div class="grid two">
        <section class="card" aria-label="System">
          <div class="eyebrow">System</div>
          <h1 class="title small wrap">{heading()}</h1>
          <p class="subtitle wrap">
            {problem.value !== ""
              ? problem.value
              : (health.value?.waitingFor ?? "All recordings of the programme are enrolled.")}
          </p>
          {troubles.value.map((each) => (
            <p class="trouble wrap" key={`${each.part} ${each.stream} ${each.says}`}>
              <span class="badge bad">look here</span> {each.says} <TroubleText trouble={each} />
            </p>
          ))}
          <dl class="facts">
            <Fact name="Up for" value={uptime === undefined ? undefined : clock(uptime * 1000)} />
            <Fact
              name="Processor"
              value={
                cpu === undefined || uptime === undefined
                  ? undefined
                  : `${((100 * cpu) / Math.max(1, uptime)).toFixed(0)} % of a core`
              }
            />
            <Fact
              name="Memory"
              value={memory === undefined ? undefined : `${(memory / 2 ** 20).toFixed(0)} MB`}
            />
            <Fact
              name="Requests answered"
              value={metrics.value.get("longwave_http_requests_total")?.toLocaleString("en")}
            />
          </dl>
        </section>
        <section class="card" aria-label="Station">
          <div class="eyebrow">Station</div>
          <h2 class="title small">
            {stream.value?.id ?? (connection.value === "connecting" ? "Asking the server" : "No station")}
          </h2>
          <p class="subtitle wrap">{stream.value?.programme ?? ""}</p>
          <dl class="facts">
            <Fact
              name="On air for"
              value={stream.value === undefined ? undefined : clock(stream.value.playedMs)}
            />
            <Fact name="Listeners" value={isLive.value ? stream.value?.listeners.toString() : undefined} />
            <Fact name="Connection" value={connection.value} />
            <Fact name="Version" value={version.value?.version} />
            <Fact name="Node.js" value={version.value?.node} />
          </dl>
          <p class="muted" style="margin-top: 20px">
            For machines: <Answer path="/openapi.json">API description</Answer>,{" "}
            <Answer path="/v1/metrics">metrics</Answer>, <Answer path="/v1/streams">streams</Answer>.
          </p>
          {answerProblem.value !== "" && (
            <p role="alert" class="alarm wrap">
              {answerProblem.value}
            </p>
          )}
        </section>
        <JobsCard />
      </div>
    </div>
  );
}

function heading(): string {
  if (problem.value !== "" || health.value === undefined) return waitingFor(problem.value);
  if (health.value.waitingFor !== null) return "Starting";
  return troubles.value.length === 0 ? "Everything is ready" : "Not all of it works";
}

/** A link to what the server answers. Where it wants a token, which a link cannot carry, the answer is fetched and shown in a tab. */
function Answer({ path, children }: { path: string; children: string }) {
  const click = (event: MouseEvent) => {
    if (!hasToken()) return;
    event.preventDefault();
    void showAnswer(path);
  };
  return (
    <a href={path} onClick={click}>
      {children}
    </a>
  );
}

async function showAnswer(path: string): Promise<void> {
  // Opened at the click itself: later it would be a popup, which browsers block.
  const tab = open("", "_blank");
  try {
    const answer = await (await request(path)).blob();
    const url = URL.createObjectURL(answer);
    if (tab === null) throw new Error("The browser did not allow a new tab.");
    tab.location.replace(url);
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    answerProblem.value = "";
  } catch (error) {
    tab?.close();
    answerProblem.value = problemText(error);
  }
}
