import { signal } from "@preact/signals";
import { problemText, putJson } from "../api.ts";
import { decibels, hertz } from "../format.ts";
import { stream } from "../live/live.ts";
import type { Reception } from "../model.ts";
import { Slider } from "./slider.tsx";

const presets: readonly { readonly name: string; readonly settings: Reception }[] = [
  { name: "Studio", settings: { gainDb: 0, noiseDb: null, lowHz: 0, highHz: 24_000 } },
  { name: "FM", settings: { gainDb: -2, noiseDb: -52, lowHz: 40, highHz: 14_000 } },
  { name: "Medium wave", settings: { gainDb: -3, noiseDb: -34, lowHz: 120, highHz: 4500 } },
  { name: "Telephone", settings: { gainDb: -3, noiseDb: -44, lowHz: 300, highHz: 3400 } },
  { name: "Short wave at night", settings: { gainDb: -10, noiseDb: -22, lowHz: 200, highHz: 3000 } },
];

/** Noise below this is off. */
const noNoiseDb = -80;
const problem = signal("");
/** What was asked for and is not confirmed yet. */
const asked = signal<Reception | undefined>(undefined);
let sending = false;

async function change(id: string, settings: Reception): Promise<void> {
  asked.value = settings;
  if (sending) return;
  sending = true;
  try {
    while (asked.value !== undefined) {
      const next: Reception = asked.value;
      const confirmed = await putJson<Reception>(`/v1/streams/${encodeURIComponent(id)}/reception`, next);
      if (stream.value !== undefined) stream.value = { ...stream.value, reception: confirmed };
      if (asked.value === next) asked.value = undefined;
    }
    problem.value = "";
  } catch (error) {
    problem.value = problemText(error);
    asked.value = undefined;
  } finally {
    sending = false;
  }
}

/** Spoils the sound on its way, to see how much the identification bears. */
export function ReceptionPanel() {
  const current = stream.value;
  // Before the first answer the controls keep their place.
  const settings = asked.value ?? (current === undefined ? presets[0]!.settings : current.reception);
  if (settings === null) {
    return <p class="muted">The reception of this stream cannot be changed.</p>;
  }
  const set = (part: Partial<Reception>) =>
    current !== undefined && void change(current.id, { ...settings, ...part });
  const same = (other: Reception) => JSON.stringify(other) === JSON.stringify(pickReception(settings));
  return (
    <fieldset class="plain" disabled={current === undefined}>
      <fieldset class="chips" style="border: 0; margin: 14px 0 0; padding: 0">
        <legend class="visually-hidden">Kinds of reception</legend>
        {presets.map((preset) => (
          <button
            key={preset.name}
            type="button"
            class="button"
            aria-pressed={same(preset.settings)}
            onClick={() => set(preset.settings)}
          >
            {preset.name}
          </button>
        ))}
      </fieldset>
      <div class="sliders four">
        <Slider
          label="Noise"
          low={noNoiseDb}
          high={-6}
          step={1}
          value={settings.noiseDb ?? noNoiseDb}
          text={settings.noiseDb === null ? "off" : decibels(settings.noiseDb)}
          onChange={(noiseDb) => set({ noiseDb: noiseDb <= noNoiseDb ? null : noiseDb })}
        />
        <Slider
          label="Level"
          low={-40}
          high={6}
          step={1}
          value={settings.gainDb}
          text={decibels(settings.gainDb)}
          onChange={(gainDb) => set({ gainDb })}
        />
        <Slider
          label="Lowest tone"
          low={0}
          high={2000}
          step={20}
          value={settings.lowHz}
          text={settings.lowHz === 0 ? "all" : hertz(settings.lowHz)}
          onChange={(lowHz) => set({ lowHz: Math.min(lowHz, settings.highHz - 100) })}
        />
        <Slider
          label="Highest tone"
          low={1000}
          high={24_000}
          step={100}
          value={settings.highHz}
          text={settings.highHz >= 24_000 ? "all" : hertz(settings.highHz)}
          onChange={(highHz) => set({ highHz: Math.max(highHz, settings.lowHz + 100) })}
        />
      </div>
      <p role="status" class="faint" style="min-height: 1.45em; margin-top: 14px">
        {problem.value ||
          "What listeners hear and the identification works with is spoiled; the archive keeps what arrived."}
      </p>
    </fieldset>
  );
}

function pickReception({ gainDb, noiseDb, lowHz, highHz }: Reception): Reception {
  return { gainDb, noiseDb, lowHz, highHz };
}
