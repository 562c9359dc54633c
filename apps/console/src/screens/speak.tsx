import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError, getJson, postJson, problemText } from "../api.ts";
import { stream } from "../live/live.ts";
import { repeat } from "../live/repeat.ts";
import type { SpokenReport, Voice } from "../model.ts";
import { SpeakIcon } from "../parts/icons.tsx";
import { waitingFor } from "../parts/waiting-card.tsx";

const maxCharacters = 1000;
const pollMs = 1000;

const words = signal("Good evening. You are listening to Longwave.");
const voice = signal("");
const voices = signal<readonly Voice[] | undefined>(undefined);
const reports = signal<readonly SpokenReport[] | undefined>(undefined);
/** Why the last text was not taken; and why the list of texts cannot be read. */
const problem = signal("");
const listProblem = signal("");
const busy = signal(false);

async function load(id: string, signal?: AbortSignal): Promise<void> {
  voices.value ??= await loadVoices(signal);
  const path = `/v1/streams/${encodeURIComponent(id)}/announcements`;
  reports.value = (await getJson<{ announcements: SpokenReport[] }>(path, signal)).announcements;
}

/** None where the server has no engine. */
async function loadVoices(signal?: AbortSignal): Promise<readonly Voice[]> {
  try {
    return await getJson<Voice[]>("/v1/voices", signal);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return [];
    throw error;
  }
}

async function say(id: string): Promise<void> {
  busy.value = true;
  problem.value = "";
  try {
    const chosen = voices.value?.find((each) => `${each.engine}/${each.id}` === voice.value);
    await postJson(`/v1/streams/${encodeURIComponent(id)}/announcements`, {
      text: words.value,
      ...(chosen !== undefined && { voice: chosen.id, engine: chosen.engine }),
    });
    await load(id);
  } catch (error) {
    problem.value = problemText(error);
  }
  busy.value = false;
}

/** Type, and it is spoken over the programme. */
export function SpeakScreen() {
  const id = stream.value?.id;
  useEffect(
    () => (id === undefined ? undefined : repeat((signal) => load(id, signal), pollMs, listProblem)),
    [id],
  );
  const isMute = voices.value?.length === 0;
  const isEmpty = words.value.trim() === "";
  return (
    <div class="grid two">
      <section class="card" aria-label="Speak">
        <div class="eyebrow">Speak</div>
        <h1 class="title small wrap">Type, and it goes on air</h1>
        <form
          class="speak"
          onSubmit={(event) => {
            event.preventDefault();
            if (id !== undefined && !isEmpty && !busy.value) void say(id);
          }}
        >
          <label for="words" class="muted">
            Words (English for the built-in voice)
          </label>
          <textarea
            id="words"
            class="field"
            rows={5}
            maxLength={maxCharacters}
            value={words.value}
            onInput={(event) => {
              words.value = event.currentTarget.value;
            }}
            onKeyDown={(event) => {
              if (event.key === "Enter" && (event.ctrlKey || event.metaKey))
                event.currentTarget.form?.requestSubmit();
            }}
          />
          <label for="voice" class="muted">
            Voice
          </label>
          <select
            id="voice"
            class="field"
            value={voice.value}
            onChange={(event) => {
              voice.value = event.currentTarget.value;
            }}
          >
            <option value="">The engine's own</option>
            {(voices.value ?? []).map((each) => (
              <option key={`${each.engine}/${each.id}`} value={`${each.engine}/${each.id}`}>
                {each.id} ({each.engine}, {each.license})
              </option>
            ))}
          </select>
          <button
            type="submit"
            class="button primary"
            disabled={id === undefined || isEmpty || isMute || busy.value}
          >
            <SpeakIcon /> {busy.value ? "Preparing" : "Put on air"}
          </button>
        </form>
        <p role="status" class="faint wrap" style="min-height: 1.45em; margin-top: 10px">
          {problem.value ||
            (isMute ? "This server has no voice: it was started without an engine." : "") ||
            "The programme fades down while the voice speaks. Ctrl and Enter does the same."}
        </p>
      </section>
      <section class="card" aria-label="Spoken">
        <div class="eyebrow">Spoken</div>
        <Reports />
      </section>
    </div>
  );
}

function Reports() {
  const list = reports.value;
  if (list === undefined || list.length === 0) {
    return (
      <div class="state">
        <strong>{list === undefined ? waitingFor(listProblem.value) : "Nothing was said yet"}</strong>
        <span>{listProblem.value || "What you put on air appears here, with how quickly it was made."}</span>
      </div>
    );
  }
  return (
    <ul class="said">
      {list.map((each) => (
        <li key={each.number}>
          <p class="wrap">{each.text}</p>
          <p class="faint wrap">
            <span class={badges[each.state]}>{each.state}</span> {each.engine}, voice {each.voice}. First
            sound after {each.firstAudioMs} ms
            {each.lengthMs > 0 && `, ${(each.lengthMs / 1000).toFixed(1)} s long`}
            {each.realTimeFactor !== null && `, ${pace(each.realTimeFactor)}`}
            {each.problem !== null && `. ${each.problem}`}
          </p>
        </li>
      ))}
    </ul>
  );
}

/** How quickly a speech was made, by the share of its length that this took. */
function pace(realTimeFactor: number): string {
  return realTimeFactor < 1
    ? `made ${(1 / realTimeFactor).toFixed(1)} times as fast as it plays`
    : `made in ${realTimeFactor.toFixed(1)} times its length`;
}

const badges: Readonly<Record<SpokenReport["state"], string>> = {
  waiting: "badge",
  "on air": "badge good",
  done: "badge",
  failed: "badge bad",
};
