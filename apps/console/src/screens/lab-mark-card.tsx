import {
  computeMark,
  labApplication,
  labBusy,
  labKey,
  labLoss,
  labMarked,
  labPayload,
  labRate,
  labSound,
} from "../live/lab.ts";
import { type LabMark, labApplicationNames } from "../live/lab-messages.ts";
import { hear, playLab } from "../live/lab-player.ts";
import { PlayIcon } from "../parts/icons.tsx";

/** A watermark of one's own: put in, sent through the codec of the card above, and looked for on the other side. */
export function MarkCard() {
  const sound = labSound.value;
  const result = labMarked.value;
  const isGood = /^[0-9a-f]{8}$/i.test(labPayload.value) && labKey.value !== "";
  return (
    <section class="card" aria-label="Watermark">
      <div class="eyebrow">
        Watermark
        <span class="aside">
          {result === undefined ? "" : `${result.belowDb.toFixed(0)} dB below the sound`}
        </span>
      </div>
      <p class="subtitle wrap">
        A keyed mark goes into the sound, the sound through Opus as chosen above; the same key looks for it
        everywhere.
      </p>
      <form
        class="mark-form"
        onSubmit={(event) => {
          event.preventDefault();
          void computeMark();
        }}
      >
        <label for="mark-payload">
          <span class="mark-name">Says (8 hexadecimal digits)</span>
          <input
            id="mark-payload"
            class="field"
            value={labPayload.value}
            maxLength={8}
            spellcheck={false}
            aria-invalid={!/^[0-9a-f]{8}$/i.test(labPayload.value)}
            onInput={(event) => {
              labPayload.value = event.currentTarget.value.toLowerCase();
            }}
          />
        </label>
        <label for="mark-key">
          <span class="mark-name">Key</span>
          <input
            id="mark-key"
            class="field"
            value={labKey.value}
            maxLength={64}
            spellcheck={false}
            autocomplete="off"
            onInput={(event) => {
              labKey.value = event.currentTarget.value;
            }}
          />
        </label>
        <div class="toolbar">
          <button
            type="submit"
            class="button primary"
            disabled={sound === undefined || !isGood || labBusy.value !== ""}
          >
            Mark and look for it
          </button>
          <button
            type="button"
            class="button"
            disabled={sound === undefined || result === undefined}
            onClick={() => {
              if (sound === undefined || result === undefined) return;
              hear("b");
              void playLab(sound.pcm, result.pcm, 0, "marked");
            }}
          >
            <PlayIcon /> Hear it beside the original
          </button>
        </div>
      </form>
      <dl class="mark-results" aria-live="polite">
        <Found where="The sound as it came" marks={result?.before} />
        <Found where="With the mark" marks={result?.marked} />
        <Found
          where={`After Opus, ${labRate.value} kbit/s${labApplication.value === "audio" ? "" : `, ${labApplicationNames[labApplication.value].toLowerCase()}`}${labLoss.value === 0 ? "" : `, ${labLoss.value} % lost`}`}
          marks={result?.coded}
        />
      </dl>
    </section>
  );
}

function Found({ where, marks }: { where: string; marks: readonly LabMark[] | undefined }) {
  return (
    <div>
      <dt>{where}</dt>
      <dd>
        {marks === undefined
          ? "–"
          : marks.length === 0
            ? "no mark"
            : marks.map(({ payload, start, end, sync, bitErrorRate }) => (
                <div key={start}>
                  <strong>{payload}</strong>
                  <br />
                  <span class="faint">
                    {start.toFixed(0)} to {end.toFixed(0)} s, {sync.toFixed(1)} σ,{" "}
                    {(100 * bitErrorRate).toFixed(1)} % of bits put right
                  </span>
                </div>
              ))}
      </dd>
    </div>
  );
}
