import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { getJson, postJson } from "../api.ts";
import { stream } from "../live/live.ts";
import type { SpokenReport, Voice } from "../model.ts";
import { SpeakIcon } from "../parts/icons.tsx";

const maxCharacters = 1000;
const pollMs = 1000;

const words = signal("Good evening. You are listening to Longwave.");
const voice = signal("");
const voices = signal<readonly Voice[] | undefined>(undefined);
const reports = signal<readonly SpokenReport[] | undefined>(undefined);
const problem = signal("");
const busy = signal(false);

async function load(id: string): Promise<void> {
  try {
    voices.value ??= await getJson<Voice[]>("/v1/voices");
    const path = `/v1/streams/${encodeURIComponent(id)}/announcements`;
    reports.value = (await getJson<{ announcements: SpokenReport[] }>(path)).announcements;
  } catch (error) {
    problem.value = (error as Error).message;
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
    problem.value = (error as Error).message;
  }
  busy.value = false;
}

/** Type, and it is spoken over the programme. */
export function SpeakScreen() {
  const id = stream.value?.id;
  useEffect(() => {
    if (id === undefined) return;
    void load(id);
    const timer = setInterval(() => void load(id), pollMs);
    return () => clearInterval(timer);
  }, [id]);
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
          <button type="submit" class="button primary" disabled={id === undefined || isEmpty || busy.value}>
            <SpeakIcon /> {busy.value ? "Preparing" : "Put on air"}
          </button>
        </form>
        <p role="status" class="faint wrap" style="min-height: 1.45em; margin-top: 10px">
          {problem.value || "The programme fades down while the voice speaks. Ctrl and Enter does the same."}
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
        <strong>{list === undefined ? "Asking the server" : "Nothing was said yet"}</strong>
        <span>What you put on air appears here, with how quickly it was made.</span>
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
            {each.realTimeFactor !== null && `, made in ${each.realTimeFactor.toFixed(2)} of its length`}
            {each.problem !== null && `. ${each.problem}`}
          </p>
        </li>
      ))}
    </ul>
  );
}

const badges: Readonly<Record<SpokenReport["state"], string>> = {
  waiting: "badge",
  "on air": "badge good",
  done: "badge",
  failed: "badge bad",
};
