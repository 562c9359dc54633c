import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError, getJson } from "../api.ts";
import { bytesText, clock, thousands } from "../format.ts";
import { stream } from "../live/live.ts";
import type { ArchiveList, Bond, Stream, Voice } from "../model.ts";
import type { ScreenName } from "../router.ts";

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

/** Null where the server has no such part. */
async function part<T>(path: string): Promise<T | null> {
  try {
    return await getJson<T>(path);
  } catch (error) {
    if (error instanceof ApiError && error.status >= 400 && error.status < 500) return null;
    throw error;
  }
}

async function load(id: string): Promise<void> {
  const name = encodeURIComponent(id);
  try {
    bond.value = await part<Bond>(`/v1/streams/${name}/links`);
    archive.value = await part<ArchiveList>(`/v1/archive?stream=${name}`);
    tracks.value = await part<{ total: number; postings: number }>("/v1/catalog/tracks?limit=1");
    voices.value ??= await part<readonly Voice[]>("/v1/voices");
  } catch {
    // The notice above every screen says that the server is gone; what was known stays.
  }
}

/** The way of the sound through the station, stage by stage. */
export function ChainCard() {
  const current = stream.value;
  const id = current?.id;
  useEffect(() => {
    if (id === undefined) return;
    void load(id);
    const timer = setInterval(() => void load(id), pollMs);
    return () => clearInterval(timer);
  }, [id]);
  return (
    <section class="card" aria-label="The way of the sound">
      <div class="eyebrow">The way of the sound</div>
      <ol class="chain">
        {stages(current).map(({ name, screen, state, text }) => (
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

function stages(current: Stream | undefined): Stage[] {
  const waiting = current === undefined ? "Asking the server" : undefined;
  return [
    {
      name: "Programme",
      screen: "on-air",
      state: current?.running === true ? "good" : waiting === undefined ? "bad" : "",
      text: waiting ?? (current!.onAir === null ? "Silence" : `Plays ${current!.onAir.title}`),
    },
    {
      name: "Encoder",
      screen: "on-air",
      state: current?.encoder ? "good" : "",
      text:
        waiting ?? (current!.encoder ? `Opus, ${current!.encoder.bitrateBps / 1000} kbit/s` : "Linear PCM"),
    },
    linkStage(bond.value),
    archiveStage(archive.value),
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
      state: voices.value ? "good" : "",
      text:
        voices.value === null
          ? "No engine on this server"
          : voices.value === undefined
            ? "Asking the server"
            : `Voices: ${voices.value
                .map(({ id }) => id)
                .slice(0, 4)
                .join(", ")}${voices.value.length > 4 ? " and more" : ""}`,
    },
  ];
}

function linkStage(state: Bond | null | undefined): Stage {
  const common = { name: "Links", screen: "links" } as const;
  if (state === undefined) return { ...common, state: "", text: "Asking the server" };
  if (state === null) return { ...common, state: "", text: "The sound does not travel over links" };
  const alive = state.links.filter((link) => link.alive && !link.cut);
  return {
    ...common,
    state: alive.length > 0 ? "good" : "bad",
    text: `${alive.length} of ${state.links.length} carry; ${thousands(state.recovered)} packets recovered, ${thousands(
      state.concealedBlocks * 20,
    )} ms of sound made up`,
  };
}

function archiveStage(list: ArchiveList | null | undefined): Stage {
  const common = { name: "Archive", screen: "archive" } as const;
  if (list === undefined) return { ...common, state: "", text: "Asking the server" };
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
