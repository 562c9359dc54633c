import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError, getJson, problemText } from "../api.ts";
import { bytesText, clock, duration, thousands } from "../format.ts";
import { carries } from "../live/link-feed.ts";
import { connection, stream } from "../live/live.ts";
import { repeat } from "../live/repeat.ts";
import type { ArchiveList, Bond, OnAir, Stream, Voice } from "../model.ts";
import { waitingFor } from "../parts/waiting-card.tsx";
import type { ScreenName } from "../screen-names.ts";

/** One stage of the station: what it does now. */
interface Stage {
  readonly name: string;
  readonly screen: ScreenName;
  readonly state: "good" | "bad" | "";
  readonly text: string;
}

const stateNames = { good: "works", bad: "look here", "": "waits" } as const;

/** Answers of the parts; null for a part that this server has not. */
const bond = signal<Bond | null | undefined>(undefined);
const archive = signal<ArchiveList | null | undefined>(undefined);
const tracks = signal<{ total: number; postings: number } | null | undefined>(undefined);
const voices = signal<readonly Voice[] | null | undefined>(undefined);
const pollMs = 2000;

/** Why a part could not be asked, by its path; what was known of it stays. */
const problems = signal<Readonly<Record<string, string>>>({});

/** Asks for a part: null where the server has no such part, `known` where it does not answer. */
async function part<T>(path: string, known: T | null | undefined, abort: AbortSignal) {
  let problem = "";
  let found: T | null | undefined = known;
  try {
    found = await getJson<T>(path, abort);
  } catch (error) {
    if (abort.aborted) return known;
    if (error instanceof ApiError && error.status === 404) found = null;
    else problem = problemText(error);
  }
  if ((problems.value[path] ?? "") !== problem) problems.value = { ...problems.value, [path]: problem };
  return found;
}

/** Each part says its own problem. */
const ownProblem = signal("");
const voicesPath = "/v1/voices";
const tracksPath = "/v1/catalog/tracks?limit=1";
const linksPath = (id: string) => `/v1/streams/${encodeURIComponent(id)}/links`;
const archivePath = (id: string) => `/v1/archive?stream=${encodeURIComponent(id)}`;

async function load(id: string, abort: AbortSignal): Promise<void> {
  bond.value = await part(linksPath(id), bond.value, abort);
  archive.value = await part(archivePath(id), archive.value, abort);
  tracks.value = await part(tracksPath, tracks.value, abort);
  voices.value ??= await part(voicesPath, voices.value, abort);
}

/** The way of the sound through the station, stage by stage. */
export function ChainCard() {
  const current = stream.value;
  const id = current?.id;
  useEffect(
    () => (id === undefined ? undefined : repeat((abort) => load(id, abort), pollMs, ownProblem)),
    [id],
  );
  return (
    <section class="card" aria-label="The way of the sound">
      <div class="eyebrow">The way of the sound</div>
      <ol class="chain">
        {stagesNow(current).map(({ name, screen, state, text }) => (
          <li key={name}>
            <a href={`#/${screen}`}>{name}</a>
            <p class="muted wrap">{text}</p>
            <span class={`badge ${state}`}>{stateNames[state]}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** The stages as they were last known; of none is said that it works while the server is away. */
function stagesNow(current: Stream | undefined): Stage[] {
  const known = stages(current);
  if (connection.value !== "lost") return known;
  return known.map((stage) => ({ ...stage, state: "", text: "The server cannot be reached." }));
}

/** What a stage says of which nothing is known. */
function asking(path: string): string {
  return problems.value[path] || waitingFor("");
}

function stages(current: Stream | undefined): Stage[] {
  const waiting = current === undefined ? waitingFor("") : undefined;
  const id = current?.id ?? "";
  return [
    {
      name: "Programme",
      screen: "on-air",
      state: current?.running === true ? "good" : waiting === undefined ? "bad" : "",
      text: waiting ?? playing(current!.onAir),
    },
    {
      name: "Encoder",
      screen: "on-air",
      state: current?.encoder ? "good" : "",
      text:
        waiting ?? (current!.encoder ? `Opus, ${current!.encoder.bitrateBps / 1000} kbit/s` : "Linear PCM"),
    },
    linkStage(bond.value, asking(linksPath(id))),
    archiveStage(archive.value, asking(archivePath(id))),
    {
      name: "Identification",
      screen: "catalog",
      state: current?.heard ? "good" : "",
      text:
        waiting ??
        `${current!.heard === null ? "Hears nothing that it knows" : `Hears ${current!.heard.title}`}${
          tracks.value ? `; knows ${thousands(tracks.value.total)} recordings` : ""
        }`,
    },
    {
      name: "Speech",
      screen: "speak",
      state: voices.value?.length ? "good" : "",
      text:
        voices.value === null || voices.value?.length === 0
          ? "No engine on this server"
          : voices.value === undefined
            ? asking(voicesPath)
            : `Voices: ${voices.value
                .map(({ id }) => id)
                .slice(0, 4)
                .join(", ")}${voices.value.length > 4 ? " and more" : ""}`,
    },
  ];
}

function playing(onAir: OnAir | null): string {
  if (onAir === null) return "Silence";
  return `${onAir.item === "announcement" ? "Says:" : "Plays"} ${onAir.title}`;
}

function linkStage(state: Bond | null | undefined, unknown: string): Stage {
  const common = { name: "Links", screen: "links" } as const;
  if (state === undefined) return { ...common, state: "", text: unknown };
  if (state === null) return { ...common, state: "", text: "The sound does not travel over links" };
  const carrying = state.links.filter(carries);
  // Links that were bad are still used where there is none better.
  const alive = carrying.length > 0 ? carrying : state.links.filter((link) => link.alive && !link.cut);
  return {
    ...common,
    state: alive.length > 0 ? "good" : "bad",
    text: `${alive.length} of ${state.links.length} carry; ${thousands(state.recovered)} packets recovered, ${duration(
      state.concealedBlocks * 20,
    )} of sound made up`,
  };
}

function archiveStage(list: ArchiveList | null | undefined, unknown: string): Stage {
  const common = { name: "Archive", screen: "archive" } as const;
  if (list === undefined) return { ...common, state: "", text: unknown };
  if (list === null) return { ...common, state: "", text: "Nothing is kept" };
  const isRecording = list.recordings.some((each) => each.state === "recording");
  const length = list.recordings.reduce((sum, { frames }) => sum + frames / 48, 0);
  const bytes = list.recordings.reduce((sum, each) => sum + each.bytes, 0);
  return {
    ...common,
    state: isRecording && list.damaged.length === 0 ? "good" : "bad",
    text: `${isRecording ? "Records" : "Does not record"}; holds ${clock(length)}, ${bytesText(bytes)}${
      list.damaged.length > 0 ? `; ${list.damaged.length} damaged` : ""
    }`,
  };
}
