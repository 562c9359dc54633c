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
  const missing = missingText();
  return (
    <section class="card" aria-label="Watermark">
      <div class="eyebrow">
        Watermark
        <span class="aside">
          {result === undefined ? "" : `${result.belowDb.toFixed(0)} dB below the sound`}
        </span>
      </div>
      <h2 class="title small wrap">A mark that one cannot hear</h2>
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
            aria-invalid={!isPayload(labPayload.value)}
            aria-describedby="mark-missing"
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
            disabled={sound === undefined || missing !== "" || labBusy.value !== ""}
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
      <p
        id="mark-missing"
        role="status"
        class={sound !== undefined && missing !== "" ? "alarm wrap" : "faint wrap"}
        style="min-height: 1.45em; margin-top: 8px"
      >
        {missing !== "" ? missing : sound === undefined ? "Take a sound first, above." : ""}
      </p>
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

function isPayload(text: string): boolean {
  return /^[0-9a-f]{8}$/i.test(text);
}

/** What the form still wants; empty if nothing. */
function missingText(): string {
  if (!isPayload(labPayload.value)) return "The mark says 8 hexadecimal digits: 0 to 9 and a to f.";
  return labKey.value === "" ? "The mark needs a key." : "";
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
                    {start.toFixed(0)} to {end.toFixed(0)} s, {sync.toFixed(1)} σ above chance,{" "}
                    {bitErrorRate === 0 ? "no bit" : `${(100 * bitErrorRate).toFixed(1)} % of its bits`}{" "}
                    corrected
                  </span>
                </div>
              ))}
      </dd>
    </div>
  );
}
