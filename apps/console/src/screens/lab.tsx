import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { bytesText, clock, thousands } from "../format.ts";
import {
  codedConstellation,
  compute,
  labApplication,
  labBusy,
  labCoded,
  labLoss,
  labLosses,
  labProblem,
  labRate,
  labRates,
  labSound,
  maxSeconds,
  originalConstellation,
  takeFile,
  takeFromArchive,
} from "../live/lab.ts";
import { type LabApplication, type LabConstellation, labApplicationNames } from "../live/lab-messages.ts";
import { hear, heardSide, labPlaying, labPosition, labSideB, playLab, stopLab } from "../live/lab-player.ts";
import { stream } from "../live/live.ts";
import { Fact } from "../parts/fact.tsx";
import { FileIcon, PlayIcon, StopIcon } from "../parts/icons.tsx";
import {
  bandwidthNames,
  ConstellationPicture,
  modeColours,
  modeNames,
  TracePicture,
} from "../parts/lab-pictures.tsx";
import type { View } from "../parts/time-view.ts";
import { type Zoom, ZoomButtons } from "../parts/zoom.tsx";
import { MarkCard } from "./lab-mark-card.tsx";

const over = signal(false);
/** The part of the sound that both pictures show. */
const view = signal<View | undefined>(undefined);

function labZoom(): Zoom {
  return { chosen: view, whole: { fromMs: 0, toMs: (labSound.value?.seconds ?? 1) * 1000 }, leastMs: 200 };
}

/** The codec and the fingerprints in this page, on a sound of one's own: nothing is uploaded. */
export function LabScreen() {
  useEffect(() => stopLab, []);
  useEffect(() => {
    view.value = undefined;
  }, [labSound.value]);
  return (
    <div class="grid">
      <div class="grid two">
        <SourceCard />
        <ListenCard />
      </div>
      <TraceCard />
      <ConstellationCard />
      <MarkCard />
    </div>
  );
}

function SourceCard() {
  const sound = labSound.value;
  const id = stream.value?.id;
  const take = (files: FileList | null | undefined) => {
    const file = files?.[0];
    if (file !== undefined) void takeFile(file);
  };
  return (
    <section class="card" aria-label="Sound">
      <div class="eyebrow">Lab</div>
      <h1 class="title small wrap">What does Opus make of a sound?</h1>
      <p class="subtitle wrap">Everything here runs in this page; nothing is uploaded.</p>
      <label
        class={over.value ? "drop over" : "drop"}
        style="margin-top: 14px; min-height: 132px"
        onDragOver={(event) => {
          event.preventDefault();
          over.value = true;
        }}
        onDragLeave={() => {
          over.value = false;
        }}
        onDrop={(event) => {
          event.preventDefault();
          over.value = false;
          take(event.dataTransfer?.files);
        }}
      >
        <span class="button" aria-hidden="true">
          <FileIcon /> Choose a file
        </span>
        <span class="muted">or drop one here; its first {maxSeconds} s are used</span>
        <input
          class="visually-hidden"
          type="file"
          accept="audio/*,.flac,.opus"
          aria-label="Sound for the Lab"
          onChange={(event) => take(event.currentTarget.files)}
        />
      </label>
      <div class="toolbar">
        <button
          type="button"
          class="button"
          disabled={id === undefined || labBusy.value !== ""}
          onClick={() => id !== undefined && void takeFromArchive(id)}
        >
          Take the last 20 s on air
        </button>
      </div>
      <p role="status" class="faint wrap" style="min-height: 1.45em; margin-top: 10px">
        {labProblem.value ||
          labBusy.value ||
          (sound === undefined ? "" : `${sound.name}, ${clock(sound.seconds * 1000)}`)}
      </p>
    </section>
  );
}

function ListenCard() {
  const sound = labSound.value;
  const result = labCoded.value;
  const choose = (rate: number, application: LabApplication, loss = labLoss.value) => {
    labRate.value = rate;
    labApplication.value = application;
    labLoss.value = loss;
    void recode();
  };
  return (
    <section class="card" aria-label="Compare">
      <div class="eyebrow">
        Compare
        <span class="aside">{result === undefined ? "" : `${Math.round(realRate())} kbit/s in fact`}</span>
      </div>
      <fieldset class="choice">
        <legend>Bit rate (kbit/s)</legend>
        <div class="chips">
          {labRates.map((rate) => (
            <button
              key={rate}
              type="button"
              class="button"
              aria-label={`${rate} kbit/s`}
              aria-pressed={labRate.value === rate}
              onClick={() => choose(rate, labApplication.value)}
            >
              {rate}
            </button>
          ))}
        </div>
      </fieldset>
      <fieldset class="choice">
        <legend>Made for</legend>
        <div class="chips">
          {(["audio", "voip", "lowdelay"] as const).map((application) => (
            <button
              key={application}
              type="button"
              class="button"
              aria-pressed={labApplication.value === application}
              onClick={() => choose(labRate.value, application)}
            >
              {labApplicationNames[application]}
            </button>
          ))}
        </div>
      </fieldset>
      <fieldset class="choice">
        <legend>Packets lost on the way</legend>
        <div class="chips">
          {labLosses.map((loss) => (
            <button
              key={loss}
              type="button"
              class="button"
              aria-label={`${loss} % lost`}
              aria-pressed={labLoss.value === loss}
              onClick={() => choose(labRate.value, labApplication.value, loss)}
            >
              {loss} %
            </button>
          ))}
        </div>
      </fieldset>
      <div class="toolbar">
        <button
          type="button"
          class="button primary"
          style="min-width: 112px"
          disabled={sound === undefined || result === undefined}
          onClick={() => {
            if (labPlaying.value) stopLab();
            else if (sound !== undefined && result !== undefined) void playLab(sound.pcm, result.pcm);
          }}
        >
          {labPlaying.value ? <StopIcon /> : <PlayIcon />}
          {labPlaying.value ? "Stop" : "Play"}
        </button>
        <div class="chips">
          {(["a", "b"] as const).map((side) => (
            <button
              key={side}
              type="button"
              class="button"
              aria-pressed={heardSide.value === side}
              onClick={() => hear(side)}
            >
              {side === "a" ? "A: original" : `B: ${labSideB.value}`}
            </button>
          ))}
        </div>
      </div>
      <dl class="facts">
        <Fact name="Original, 16 bits" value={sound && bytesText(sound.pcm.length * 2)} />
        <Fact name="As Opus" value={result && bytesText(result.totalBytes)} />
        <Fact name="Encoding" value={sound && result && speed(sound.seconds, result.encodeMs)} />
        <Fact name="Decoding" value={sound && result && speed(sound.seconds, result.decodeMs)} />
      </dl>
    </section>
  );
}

/** Codes at the new rate; what plays goes on where it is. */
async function recode(): Promise<void> {
  const wasPlaying = labPlaying.value;
  await compute();
  const [sound, result] = [labSound.value, labCoded.value];
  if (wasPlaying && sound !== undefined && result !== undefined) {
    await playLab(sound.pcm, result.pcm, labPosition());
  }
}

function speed(seconds: number, ms: number) {
  return (
    <>
      {thousands(Math.round((seconds * 1000) / Math.max(1, ms)))} × <small>real time</small>
    </>
  );
}

function realRate(): number {
  const [sound, result] = [labSound.value, labCoded.value];
  return sound === undefined || result === undefined ? 0 : (result.totalBytes * 8) / sound.seconds / 1000;
}

function TraceCard() {
  const result = labCoded.value;
  return (
    <section class="card" aria-label="Packets">
      <div class="eyebrow">Packets</div>
      <h2 class="title small wrap">How each packet was coded</h2>
      {result === undefined ? (
        <Empty kind="trace-place" text="Each packet with its size, mode and bandwidth appears here." />
      ) : (
        <>
          <TracePicture trace={result.trace} zoom={labZoom()} />
          <div class="picture-foot">
            <p class="faint picture-text">
              A bar is a packet of 20 ms: its height is its size, its colour the mode in which Opus coded it.
              The line below is the audio bandwidth that it kept.
            </p>
            <ZoomButtons name="the packets" zoom={labZoom()} />
          </div>
          <div class="trace-key">
            {modeNames.map((name, mode) => (
              <span key={name}>
                <i style={{ background: modeColours[mode]! }} />
                {name} {share(result.trace.mode, mode)}
              </span>
            ))}
            <span>
              bandwidth{" "}
              {bandwidthNames
                .map((name, width) => ({ name, text: share(result.trace.bandwidth, width) }))
                .filter(({ text }) => text !== "0 %")
                .map(({ name, text }) => `${name} ${text}`)
                .join(", ")}
            </span>
          </div>
        </>
      )}
    </section>
  );
}

function share(values: Uint8Array, wanted: number): string {
  const count = values.reduce((sum, value) => sum + (value === wanted ? 1 : 0), 0);
  return `${Math.round((100 * count) / Math.max(1, values.length))} %`;
}

function ConstellationCard() {
  const original = originalConstellation.value;
  const coded = codedConstellation.value;
  const sound = labSound.value;
  return (
    <section class="card" aria-label="Constellation">
      <div class="eyebrow">
        Constellation
        <span class="aside">
          {original === undefined || coded === undefined ? "" : survivors(original.hashes, coded.hashes)}
        </span>
      </div>
      <h2 class="title small wrap">What is left to recognise it by</h2>
      {original === undefined || sound === undefined ? (
        <Empty
          kind="peaks-place"
          text="The peaks by which a recording is recognised appear here, before and after the codec."
        />
      ) : (
        <>
          <ConstellationPicture original={original} coded={coded} zoom={labZoom()} />
          <div class="picture-foot">
            <p class="faint picture-text">
              Pairs of these peaks are the details (hashes) by which a recording is recognised. A filled ring
              came through the codec; an empty one is gone.
            </p>
            <ZoomButtons name="the peaks" zoom={labZoom()} />
          </div>
          <div class="trace-key">
            <span>Rings: peaks of the original ({thousands(original.peaks.length / 3)})</span>
            <span>
              <i style="background: var(--accent)" />
              peaks after Opus{coded === undefined ? "" : ` (${thousands(coded.peaks.length / 3)})`}
            </span>
          </div>
        </>
      )}
    </section>
  );
}

/** Hashes of the original that are there after the codec, at the same time or one frame beside it. */
function survivors(before: LabConstellation["hashes"], after: LabConstellation["hashes"]): string {
  const kept = new Set<string>();
  for (const [hash, frame] of after) for (const near of [-1, 0, 1]) kept.add(`${hash} ${frame + near}`);
  const share =
    before.filter(([hash, frame]) => kept.has(`${hash} ${frame}`)).length / Math.max(1, before.length);
  return `${Math.round(100 * share)} % of ${thousands(before.length)} hashes survive`;
}

/** Takes the place of a picture, so that nothing below it moves when there is one. */
function Empty({ kind, text }: { kind: string; text: string }) {
  return (
    <div class={`state ${kind}`}>
      <strong>No sound yet</strong>
      <span>{text}</span>
    </div>
  );
}
