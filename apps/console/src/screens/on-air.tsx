import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { problemText, putJson } from "../api.ts";
import { chance, clock, thousands } from "../format.ts";
import { followArrival, nothingArrives } from "../live/link-feed.ts";
import { connection, isLive, stream, streamReadAt, voteHistory } from "../live/live.ts";
import { playerProblem, playerState, setVolume, volume } from "../live/player.ts";
import { level, peakCount, scope } from "../live/scope-feed.ts";
import type { Heard, OnAir, Stream } from "../model.ts";
import { EventList } from "../parts/event-list.tsx";
import { VolumeIcon } from "../parts/icons.tsx";
import { ListenButton } from "../parts/listen-button.tsx";
import { nowMs } from "../parts/now.ts";
import { ReceptionPanel } from "../parts/reception-panel.tsx";
import { Spectrogram, SpectrogramZoom } from "../parts/spectrogram.tsx";

/** The first screen: what is on air, what was heard, and the sound itself. */
export function OnAirScreen() {
  const id = stream.value?.id;
  useEffect(() => (id === undefined ? undefined : followArrival(id)), [id]);
  return (
    <>
      <h1 class="visually-hidden">On air</h1>
      <div class="grid on-air">
        <HeardCard />
        <StudioCard />
        <section class="card scope wide" aria-label="Received sound">
          <Spectrogram />
          <ScopeLegend />
          <SpectrogramZoom />
        </section>
        <section class="card" aria-label="Reception">
          <div class="eyebrow">Reception</div>
          <p class="muted" style="margin-top: 6px">
            Spoil the sound on its way and watch how much the identification bears.
          </p>
          <ReceptionPanel />
        </section>
        <section class="card" aria-label="Events">
          <div class="eyebrow">Events</div>
          <EventList />
        </section>
      </div>
    </>
  );
}

/** Milliseconds since the state was read, as long as the connection lives. */
function sinceRead(): number {
  return connection.value === "live" ? Math.min(3000, Math.max(0, nowMs.value - streamReadAt.value)) : 0;
}

function HeardCard() {
  const current = stream.value;
  const heard = current?.heard ?? undefined;
  const onAir = current?.onAir ?? undefined;
  const lengthMs = heard !== undefined && onAir?.id === heard.track ? onAir.lengthMs : null;
  const positionMs =
    heard === undefined || current === undefined
      ? 0
      : heard.positionMs + (current.playedMs - heard.atMs) + sinceRead();
  return (
    <section class="card" aria-label="Heard">
      <div class="eyebrow">
        Heard by the receiver
        <span class="aside">
          <HearingBadge known={heard !== undefined} />
        </span>
      </div>
      <h2 class="title" aria-live="polite">
        {heard?.title ?? <span class="faint">{titleOfNothing(current)}</span>}
      </h2>
      <p class="subtitle">{hearing(heard, onAir, current)}</p>
      <Progress positionMs={positionMs} lengthMs={lengthMs} known={heard !== undefined} />
      <dl class="facts">
        <div>
          <dt>Details that agree</dt>
          <dd>
            {heard === undefined ? (
              "–"
            ) : (
              <>
                {thousands(heard.votes)} <small>hashes</small>
              </>
            )}
          </dd>
        </div>
        <div>
          <dt>Chance of an error</dt>
          <dd>{heard === undefined ? "–" : chance(heard.pFalse)}</dd>
        </div>
        <div>
          <dt>From studio to here</dt>
          <dd>
            {current === undefined || current.receivedMs === 0 ? (
              "–"
            ) : (
              <>
                {((current.playedMs - current.receivedMs) / 1000).toFixed(2)} <small>s</small>
              </>
            )}
          </dd>
        </div>
        <div>
          <dt>Position off by</dt>
          <dd>
            {heard === undefined || current === undefined ? "–" : offset(heard, onAir, current.playedMs)}
          </dd>
        </div>
      </dl>
      <VoteLine />
      <p class="faint picture-text">
        How many pairs of peaks agreed, over the last minute and a half. A few dozen are already beyond
        chance.
      </p>
    </section>
  );
}

/** What the receiver is doing: of a server that is away nothing is known. */
function HearingBadge({ known }: { known: boolean }) {
  if (connection.value === "lost") return <span class="badge">not connected</span>;
  if (nothingArrives.value) return <span class="badge bad">nothing arrives</span>;
  return <span class={known ? "badge good" : "badge"}>{known ? "recognised" : "listening"}</span>;
}

function titleOfNothing(current: Stream | undefined): string {
  if (connection.value === "lost") return "Nothing is known";
  if (current === undefined) return "Connecting";
  return nothingArrives.value ? "Nothing arrives" : "Not recognised yet";
}

function hearing(heard: Heard | undefined, onAir: OnAir | undefined, current: Stream | undefined): string {
  if (connection.value === "lost")
    return heard === undefined
      ? "It goes on when the server is back."
      : "Heard last, before the server was gone.";
  if (nothingArrives.value)
    return `No link carries anything${heard === undefined ? ": the receiver hears silence." : "; this was heard last."}`;
  return heard !== undefined && current !== undefined
    ? recognisedAfter(heard, onAir, current.playedMs)
    : "A few seconds of sound are needed.";
}

/** How long after the song began it was recognised. */
function recognisedAfter(heard: Heard, onAir: OnAir | undefined, playedMs: number): string {
  if (onAir === undefined || onAir.id !== heard.track) return "The studio plays something else by now.";
  const beganMs = playedMs - onAir.positionMs;
  const afterMs = Math.max(0, heard.sinceMs - beganMs);
  return `recognised ${(afterMs / 1000).toFixed(1)} s after it began`;
}

/** The difference of the position that was heard and the one that the studio plays. */
function offset(heard: Heard, onAir: OnAir | undefined, playedMs: number) {
  if (onAir === undefined || onAir.id !== heard.track) return "–";
  const studioMs = onAir.positionMs - (playedMs - heard.atMs);
  return (
    <>
      {Math.abs(heard.positionMs - studioMs)} <small>ms</small>
    </>
  );
}

function Progress(props: { positionMs: number; lengthMs: number | null; known: boolean }) {
  const share =
    props.known && props.lengthMs !== null ? Math.min(1, Math.max(0, props.positionMs / props.lengthMs)) : 0;
  return (
    <>
      <div class="progress">
        <i class="progress-bar" style={{ transform: `scaleX(${share})` }} />
      </div>
      <div class="times">
        <span>{props.known ? clock(props.positionMs) : ""}</span>
        <span>{props.known && props.lengthMs !== null ? clock(props.lengthMs) : ""}</span>
      </div>
    </>
  );
}

/** Votes of the last two minutes. */
function VoteLine() {
  const history = voteHistory.value;
  const most = history.reduce((top, { votes }) => Math.max(top, votes), 50);
  const end = history.at(-1)?.atMs ?? 0;
  const spanMs = 90_000;
  const points = history
    .filter(({ atMs }) => end - atMs <= spanMs)
    .map(
      ({ atMs, votes }) =>
        `${(600 - ((end - atMs) / spanMs) * 600).toFixed(1)},${(42 - (votes / most) * 38).toFixed(1)}`,
    );
  return (
    <svg
      class="spark"
      viewBox="0 0 600 44"
      preserveAspectRatio="none"
      role="img"
      aria-label="Agreement over the last minute and a half"
    >
      {points.length > 1 && (
        <>
          <polygon
            points={`${points[0]!.split(",")[0]},44 ${points.join(" ")} 600,44`}
            fill="var(--accent-soft)"
          />
          <polyline
            points={points.join(" ")}
            fill="none"
            stroke="var(--accent)"
            stroke-width="1.6"
            vector-effect="non-scaling-stroke"
          />
        </>
      )}
      <line x1="0" y1="43.5" x2="600" y2="43.5" stroke="var(--line)" vector-effect="non-scaling-stroke" />
    </svg>
  );
}

function StudioCard() {
  const current = stream.value;
  const onAir = current?.onAir ?? undefined;
  const positionMs = onAir === undefined ? 0 : onAir.positionMs + sinceRead();
  return (
    <section class="card" aria-label="Studio">
      <div class="eyebrow">
        On air from the studio
        <span class="aside">{listenersText(current)}</span>
      </div>
      <h2 class="title small">
        {onAir?.title ?? <span class="faint">{current === undefined ? "Connecting" : "Silence"}</span>}
      </h2>
      <p class="subtitle">{onAir?.detail ?? current?.programme ?? ""}</p>
      <Progress positionMs={positionMs} lengthMs={onAir?.lengthMs ?? null} known={onAir !== undefined} />
      <div class="listen">
        <ListenButton />
        <label for="volume" class="volume">
          <VolumeIcon />
          <span class="visually-hidden">Volume</span>
        </label>
        <input
          id="volume"
          type="range"
          min="0"
          max="1"
          step="0.01"
          value={volume.value}
          onInput={(event) => setVolume(Number(event.currentTarget.value))}
        />
      </div>
      <Meter />
      <EncoderControl />
      <p role="status" class="faint" style="min-height: 1.45em; margin-top: 8px">
        {playerState.value === "failed" || playerState.value === "waiting"
          ? playerProblem.value
          : encoderProblem.value}
      </p>
    </section>
  );
}

function listenersText(current: Stream | undefined): string {
  if (connection.value === "lost") return current === undefined ? "" : "as last known";
  return current === undefined ? "" : `${current.listeners} listening`;
}

const rates = [16, 32, 64, 96, 128, 192] as const;
const encoderProblem = signal("");

/** Bit rate of the station's encoder, taken from the next packet on. */
function EncoderControl() {
  const current = stream.value;
  // Before the first answer it keeps its place.
  if (current?.encoder === null) return null;
  const set = async (kbps: number) => {
    if (current === undefined) return;
    try {
      const path = `/v1/streams/${encodeURIComponent(current.id)}/encoder`;
      const next = await putJson<NonNullable<Stream["encoder"]>>(path, {
        bitrateBps: kbps * 1000,
      });
      if (stream.value !== undefined) stream.value = { ...stream.value, encoder: next };
      encoderProblem.value = "";
    } catch (error) {
      encoderProblem.value = problemText(error);
    }
  };
  return (
    <fieldset class="choice">
      <legend>Sound quality (Opus, kbit/s)</legend>
      <div class="chips">
        {rates.map((kbps) => (
          <button
            key={kbps}
            type="button"
            class="button"
            aria-label={`${kbps} kbit/s`}
            disabled={current === undefined}
            aria-pressed={current?.encoder?.bitrateBps === kbps * 1000}
            onClick={() => void set(kbps)}
          >
            {kbps}
          </button>
        ))}
      </div>
    </fieldset>
  );
}

function Meter() {
  // The scale runs from -48 dB of full scale to 0.
  const decibels = 20 * Math.log10(Math.max(1e-4, isLive.value ? level.value.peak : 0));
  const share = Math.max(0, Math.min(1, 1 + decibels / 48));
  return (
    <div class="meter" aria-hidden="true">
      <i class="meter-bar" style={{ "--level": `${(share * 100).toFixed(1)}%` }} />
    </div>
  );
}

function ScopeLegend() {
  const waiting = peakCount.value === 0 && scope.form === undefined;
  if (waiting)
    return (
      <div key="waiting" class="waiting">
        {connection.value === "lost" ? "The picture comes back with the server." : "Waiting for sound"}
      </div>
    );
  return (
    <div key="legend" class="legend">
      <span>Received sound</span>
      <span>
        <i class="ring" /> peaks that identify it
      </span>
    </div>
  );
}
