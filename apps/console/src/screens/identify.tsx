import { signal } from "@preact/signals";
import { ApiError, problemText, request } from "../api.ts";
import { bytesText, chance, clock, thousands, tooLarge } from "../format.ts";
import { lastOnAir } from "../live/archive-feed.ts";
import { stream } from "../live/live.ts";
import type { IdentifyAnswer } from "../model.ts";
import { FileIcon, MicIcon } from "../parts/icons.tsx";
import { MatchPicture } from "../parts/match-picture.tsx";
import { encodeWav } from "../parts/wav.ts";

type Step = "idle" | "recording" | "asking" | "answered" | "failed";

const step = signal<Step>("idle");
const what = signal("");
const answer = signal<IdentifyAnswer | undefined>(undefined);
const problem = signal("");
const over = signal(false);
const recordSeconds = 8;
const maxBytes = 32 * 1024 * 1024;

const reasons: Readonly<Record<string, string>> = {
  silence: "The clip is silent.",
  "too-short": "The clip is too short; two seconds are the least, five are better.",
  "no-peaks": "The clip holds nothing that could be recognised, such as pure noise.",
  "below-threshold": "Nothing in the catalog fits well enough.",
  ambiguous: "Several recordings fit equally well.",
  budget: "The catalog was too busy to answer fully.",
};

async function ask(clip: Blob, name: string): Promise<void> {
  what.value = name;
  if (clip.size > maxBytes) {
    problem.value = tooLarge({ name, size: clip.size }, maxBytes, "the server");
    step.value = "failed";
    return;
  }
  step.value = "asking";
  try {
    const response = await request("/v1/identify", {
      method: "POST",
      headers: { "content-type": "application/octet-stream" },
      body: clip,
    });
    answer.value = (await response.json()) as IdentifyAnswer;
    step.value = "answered";
  } catch (error) {
    problem.value = refusal(error, clip, name);
    step.value = "failed";
  }
}

/** Why a clip was not taken. */
function refusal(error: unknown, clip: Blob, name: string): string {
  const status = error instanceof ApiError ? error.status : 0;
  // A gateway before the server may take less than the server itself.
  if (status === 413)
    return `${name} has ${bytesText(clip.size)}, which is more than this server takes. Cut a minute out of it.`;
  if (status === 415 || status === 422)
    return `${name} is no sound that the server knows. ${problemText(error)}`;
  return problemText(error);
}

/** What the archive recorded last. */
async function takeFromAir(id: string): Promise<void> {
  what.value = "what was on air";
  step.value = "asking";
  try {
    await ask(await lastOnAir(id, 10), "What was on air");
  } catch (error) {
    problem.value = problemText(error);
    step.value = "failed";
  }
}

/** Why the microphone gives nothing, by the name of the browser's error. */
const microphoneProblems: Readonly<Record<string, string>> = {
  NotAllowedError: "The microphone was not allowed. Allow it in the browser's address bar, or drop a file.",
  NotFoundError: "This machine has no microphone. Drop a file.",
  NotReadableError: "The microphone is in use by another program.",
};

async function record(): Promise<void> {
  step.value = "recording";
  what.value = "microphone";
  try {
    if (navigator.mediaDevices === undefined) {
      throw new Error(
        "Browsers give the microphone only to pages of this machine, or over https. Drop a file.",
      );
    }
    const sound = await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    });
    const recorder = new MediaRecorder(sound);
    const pieces: Blob[] = [];
    recorder.ondataavailable = ({ data }) => pieces.push(data);
    const done = new Promise((resolve) => {
      recorder.onstop = resolve;
    });
    recorder.start();
    await new Promise((resolve) => setTimeout(resolve, recordSeconds * 1000));
    recorder.stop();
    await done;
    for (const track of sound.getTracks()) track.stop();
    const context = new OfflineAudioContext(1, 1, 48_000);
    const decoded = await context.decodeAudioData(await new Blob(pieces).arrayBuffer());
    await ask(encodeWav(decoded.getChannelData(0), decoded.sampleRate), "What the microphone heard");
  } catch (error) {
    problem.value =
      microphoneProblems[(error as Error).name] ??
      (error instanceof DOMException ? "The microphone cannot be used. Drop a file." : problemText(error));
    step.value = "failed";
  }
}

function take(files: FileList | null | undefined): void {
  const file = files?.[0];
  if (file !== undefined && step.value !== "recording" && step.value !== "asking") void ask(file, file.name);
}

/** What is this clip? A file or the microphone. */
export function IdentifyScreen() {
  const busy = step.value === "recording" || step.value === "asking";
  const id = stream.value?.id;
  return (
    <div class="grid two wide-right">
      <section class="card">
        <div class="eyebrow">Identify</div>
        <h1 class="title small wrap">Which recording is it?</h1>
        <label
          class={over.value ? "drop over" : "drop"}
          style="margin-top: 16px"
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
          <span class="muted">or drop one here: a clip of 2 to 120 seconds</span>
          <input
            class="visually-hidden"
            type="file"
            accept="audio/*,.flac,.opus,.mka"
            aria-label="Clip to identify"
            disabled={busy}
            onChange={(event) => take(event.currentTarget.files)}
          />
        </label>
        <div class="toolbar">
          <button type="button" class="button" disabled={busy} onClick={() => void record()}>
            <MicIcon />{" "}
            {step.value === "recording" ? `Listening for ${recordSeconds} s` : "Use the microphone"}
          </button>
          <button
            type="button"
            class="button"
            disabled={busy || id === undefined}
            onClick={() => id !== undefined && void takeFromAir(id)}
          >
            Take the last 10 s on air
          </button>
        </div>
        <p class="faint picture-text">
          A clip is turned into a few hundred details (hashes: pairs of spectral peaks), and those are looked
          up in the <a href="#/catalog">catalog</a>. Noise, codecs and a start anywhere in the song do not
          matter.
        </p>
      </section>
      <section class="card answer" aria-label="Answer">
        <div class="eyebrow">Answer</div>
        <p class="visually-hidden" role="status">
          {spoken()}
        </p>
        <AnswerBody />
      </section>
    </div>
  );
}

/** The answer as it is read out: without its picture. */
function spoken(): string {
  if (step.value === "recording" || step.value === "asking") return "Please wait.";
  const { match } = answer.value ?? {};
  if (step.value !== "answered" || match === undefined) return "";
  return match === null ? "Not in the catalog." : `It is ${match.title ?? match.track}.`;
}

function AnswerBody() {
  if (step.value === "idle") {
    return (
      <div class="state">
        <strong>No clip yet</strong>
        <span>Record what plays near you, or take a piece of a song from your disk.</span>
      </div>
    );
  }
  if (step.value === "recording") return <div class="state">Listening to the microphone</div>;
  if (step.value === "asking") return <div class="state">Looking for {what.value}</div>;
  if (step.value === "failed" || answer.value === undefined) {
    return (
      <div class="state" role="alert">
        <strong>That did not work</strong>
        <span>{problem.value}</span>
      </div>
    );
  }
  const { match, reason, queryMs } = answer.value;
  return (
    <>
      <h2 class="title small">{match === null ? "Not in the catalog" : (match.title ?? match.track)}</h2>
      <p class="subtitle wrap">
        {match === null
          ? (reasons[reason ?? ""] ?? "Nothing fits.")
          : `${what.value} begins ${clock(match.offsetMs)} into it`}
      </p>
      {match !== null && (
        <dl class="facts">
          <div>
            <dt>Details that agree</dt>
            <dd>
              {thousands(match.votes)} <small>of {thousands(match.queryHashes)} hashes</small>
            </dd>
          </div>
          <div>
            <dt>Chance of an error</dt>
            <dd>{chance(match.pFalse)}</dd>
          </div>
          <div>
            <dt>Length of the clip</dt>
            <dd>{clock(queryMs)}</dd>
          </div>
        </dl>
      )}
      <MatchPicture answer={answer.value} />
    </>
  );
}
