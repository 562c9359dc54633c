import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { getJson, problemText, request } from "../api.ts";
import { bytesText, clock, dateTime, duration, thousands } from "../format.ts";
import { archiveList, archiveListProblem, followArchive, hasArchive } from "../live/archive-feed.ts";
import {
  aimAt,
  archivePlayer,
  archiveProblem,
  playArchive,
  playheadMs,
  startDelayMs,
  stopArchive,
} from "../live/archive-player.ts";
import { endMs, exportRange, extent } from "../live/archive-time.ts";
import { troubles } from "../live/health-feed.ts";
import { stream } from "../live/live.ts";
import { restSoundOutput, wakeSoundOutput } from "../live/sound-output.ts";
import type { Recording } from "../model.ts";
import { PlayIcon, StopIcon } from "../parts/icons.tsx";
import { ofLength, touching, type View, zoomed } from "../parts/time-view.ts";
import { Timeline } from "../parts/timeline.tsx";
import { WaitingCard } from "../parts/waiting-card.tsx";

/** A browser lets a page make sound from the first of these on. */
const gestures = ["pointerdown", "pointerup", "keydown"] as const;
const minute = 60_000;
const shortestViewMs = 2000;

/** Undefined follows the live edge with `followedMs` in view. */
const fixedView = signal<View | undefined>(undefined);
const followedMs = signal(minute);
const selection = signal<View | undefined>(undefined);
const cursorMs = signal<number | undefined>(undefined);
const exporting = signal("");
const exportProblem = signal("");

const widths: readonly (readonly [string, number])[] = [
  ["1 min", minute],
  ["10 min", 10 * minute],
  ["1 h", 60 * minute],
  ["1 day", 24 * 60 * minute],
];

const recordings = () => archiveList.value?.recordings ?? [];

/** Everything that arrived: see it, hear any past second, take it out with a proof. */
export function ArchiveScreen() {
  const id = stream.value?.id;
  useEffect(() => (id === undefined ? undefined : followArchive(id)), [id]);
  useEffect(() => {
    // Whoever came here by a click has allowed sound; others do so with their first press or key.
    const wake = () => void wakeSoundOutput();
    if (navigator.userActivation?.hasBeenActive === true) wake();
    for (const type of gestures) addEventListener(type, wake, { capture: true });
    return () => {
      for (const type of gestures) removeEventListener(type, wake, { capture: true });
      stopArchive();
      restSoundOutput();
    };
  }, []);
  const list = archiveList.value;
  const all = extent(recordings());
  if (list === undefined || all === undefined) {
    const waiting = !hasArchive.value
      ? { title: "No archive", text: "This server keeps no archive." }
      : list === undefined
        ? { title: "Asking the server" }
        : {
            title: "Nothing recorded yet",
            text: "Everything that the receiver hears is recorded from the first packet on; give it a second.",
          };
    return <WaitingCard name="Archive" {...waiting} problem={archiveListProblem.value} />;
  }
  const live = recordings().some((each) => each.state === "recording");
  const view = fixedView.value ?? { fromMs: all.toMs - followedMs.value, toMs: all.toMs };
  const cursor = cursorMs.value ?? all.toMs;
  return (
    <div class="grid">
      <section class="card" aria-label="Timeline">
        <div class="eyebrow">
          Archive
          <span class={live ? "badge good" : "badge"}>{live ? "recording" : "not recording"}</span>
          <span class="aside">kept in {list.place}</span>
        </div>
        <h1 class="title small wrap">Click any moment: it plays at once</h1>
        {list.temporary && (
          <p class="muted wrap">
            This archive goes when the station stops, and holds the last 6 hours. Start with{" "}
            <code>--archive DIRECTORY</code> to keep everything.
          </p>
        )}
        <Toolbar view={view} all={all} cursor={cursor} />
        <Timeline
          recordings={recordings()}
          view={view}
          selection={selection.value}
          cursorMs={cursor}
          playheadMs={playheadMs.value}
          onAim={(ms) => aimAt(recordings(), ms)}
          onPlay={playFrom}
          onSelect={(next) => {
            selection.value = next;
            fixedView.value ??= view;
          }}
          onView={show}
          onKey={(event) => onKey(event, view, cursor)}
        />
        <PlayLine />
        <p id="timeline-keys" class="faint keys">
          <span class="for-touch">Tap to play, drag along it to select; two fingers zoom and move.</span>
          <span class="for-mouse">
            Click to play, drag to select, wheel to zoom. Keys: arrows move (with Shift ten times), Enter
            plays, <kbd>[</kbd> and <kbd>]</kbd> select, + and − zoom, Home and End jump.
          </span>
        </p>
      </section>
      <div class="grid two">
        <SelectionCard />
        <RecordingsCard />
      </div>
    </div>
  );
}

function playFrom(ms: number, askedAt: number): void {
  const onStart = () => {
    cursorMs.value = ms;
  };
  void playArchive(recordings, ms, askedAt, { onStart });
}

/** Shows a part of the archive; something of what was recorded stays in view. */
function show(view: View): void {
  const all = extent(recordings());
  if (all === undefined) return;
  const longest = Math.max(24 * 60 * minute, 2 * (all.toMs - all.fromMs));
  fixedView.value = touching(ofLength(view, shortestViewMs, longest), all);
}

function moveCursor(ms: number, view: View): void {
  cursorMs.value = ms;
  const width = view.toMs - view.fromMs;
  if (ms < view.fromMs || ms > view.toMs) fixedView.value = { fromMs: ms - width / 2, toMs: ms + width / 2 };
}

function onKey(event: KeyboardEvent, view: View, cursor: number): void {
  const all = extent(recordings());
  const step = ((view.toMs - view.fromMs) / 100) * (event.shiftKey ? 10 : 1);
  const actions: Record<string, () => void> = {
    ArrowLeft: () => moveCursor(Math.max(all?.fromMs ?? 0, cursor - step), view),
    ArrowRight: () => moveCursor(Math.min(all?.toMs ?? cursor, cursor + step), view),
    Home: () => moveCursor(all?.fromMs ?? cursor, view),
    End: () => moveCursor(all?.toMs ?? cursor, view),
    Enter: () => playFrom(cursor, event.timeStamp),
    " ": () => (archivePlayer.value === "playing" ? stopArchive() : playFrom(cursor, event.timeStamp)),
    "+": () => show(zoomed(view, 0.5, cursor)),
    "=": () => show(zoomed(view, 0.5, cursor)),
    "-": () => show(zoomed(view, 2, cursor)),
    "[": () => select(cursor, Math.max(selection.value?.toMs ?? 0, cursor + 1000)),
    "]": () => select(Math.min(selection.value?.fromMs ?? cursor - 1000, cursor - 1000), cursor),
    Escape: () => {
      selection.value = undefined;
    },
  };
  const action = actions[event.key];
  if (action === undefined) return;
  event.preventDefault();
  action();
}

function select(fromMs: number, toMs: number): void {
  selection.value = { fromMs, toMs };
}

/** What plays. The time moves on without being read out. */
function PlayLine() {
  const [at, delay] = [playheadMs.value, startDelayMs.value];
  return (
    <p class="faint play-line">
      <span role="status" class={at === undefined ? "alarm" : undefined}>
        {playState()}
      </span>
      {at !== undefined && ` ${dateTime(at)}`}
      {at !== undefined &&
        delay !== undefined &&
        `. The first sound came ${Math.round(delay)} ms after the click.`}
    </p>
  );
}

function playState(): string {
  if (archivePlayer.value === "failed") return archiveProblem.value;
  if (playheadMs.value !== undefined) return "Playing";
  const trouble = troubles.value.find(({ part }) => part === "archive");
  return archiveListProblem.value || (trouble?.says ?? "");
}

/** A moment whose sound was asked for this long ago is still the one that a button means. */
const freshMs = 1500;

/** Plays from a moment at a click, or stops. Its sound is asked for as soon as the mouse or the focus is on the button. */
function MomentButton(props: {
  class: string;
  moment: () => number;
  isStop?: boolean;
  children: ComponentChildren;
}) {
  const aimed = useRef<{ readonly ms: number; readonly at: number } | undefined>(undefined);
  const isNear = useRef(false);
  const moment = () => {
    const now = performance.now();
    if (aimed.current === undefined || now - aimed.current.at > freshMs)
      aimed.current = { ms: props.moment(), at: now };
    return aimed.current.ms;
  };
  const aim = () => {
    if (props.isStop !== true) aimAt(recordings(), moment());
  };
  const come = () => {
    isNear.current = true;
    aim();
  };
  const leave = () => {
    isNear.current = false;
  };
  useEffect(() => {
    if (isNear.current && archivePlayer.value !== "playing") aim();
  }, [archiveList.value]);
  const click = (event: MouseEvent) => {
    if (props.isStop === true) stopArchive();
    else playFrom(moment(), event.timeStamp);
    aimed.current = undefined;
  };
  return (
    <button
      type="button"
      class={props.class}
      onPointerEnter={come}
      onFocus={come}
      onPointerLeave={leave}
      onBlur={leave}
      onPointerDown={aim}
      onClick={click}
    >
      {props.children}
    </button>
  );
}

function Toolbar({ view, all, cursor }: { view: View; all: View; cursor: number }) {
  const playing = archivePlayer.value === "playing" || archivePlayer.value === "loading";
  const width = view.toMs - view.fromMs;
  return (
    <div class="toolbar">
      <MomentButton
        class="button primary play"
        moment={() => Math.min(cursor, all.toMs - 1000)}
        isStop={playing}
      >
        {playing ? <StopIcon /> : <PlayIcon />}
        {playing ? "Stop" : "Play"}
      </MomentButton>
      <MomentButton class="button" moment={() => Math.max(all.fromMs, all.toMs - 30_000)}>
        30 s ago
      </MomentButton>
      <span class="spring" />
      <div class="chips">
        {widths.map(([name, ms]) => (
          <button
            key={name}
            type="button"
            class="button"
            aria-pressed={Math.abs(width - ms) < 1}
            onClick={() => {
              if (fixedView.value === undefined) followedMs.value = ms;
              else show(zoomed(view, ms / width, (view.fromMs + view.toMs) / 2));
            }}
          >
            {name}
          </button>
        ))}
      </div>
      <div class="chips">
        <button
          type="button"
          class="button"
          onClick={() => {
            const room = Math.max(shortestViewMs, all.toMs - all.fromMs) * 0.02;
            fixedView.value = { fromMs: all.fromMs - room, toMs: all.toMs + room };
          }}
        >
          All
        </button>
        <button
          type="button"
          class="button"
          aria-pressed={fixedView.value === undefined}
          onClick={() => {
            followedMs.value = Math.min(60 * minute, width);
            fixedView.value = undefined;
          }}
        >
          Live
        </button>
      </div>
    </div>
  );
}

/** The length of a selection; from ten seconds on that of its ends as they are shown, which are whole seconds. */
function selectedLength({ fromMs, toMs }: View): string {
  if (toMs - fromMs < 10_000) return duration(toMs - fromMs);
  return clock(1000 * (Math.floor(toMs / 1000) - Math.floor(fromMs / 1000)));
}

function SelectionCard() {
  const chosen = selection.value;
  const range = chosen && exportRange(recordings(), chosen.fromMs, chosen.toMs);
  return (
    <section class="card" aria-label="Selection">
      <div class="eyebrow">
        Selection
        {chosen !== undefined && (
          <button
            type="button"
            class="link aside"
            onClick={() => {
              selection.value = undefined;
            }}
          >
            Clear
          </button>
        )}
      </div>
      {chosen === undefined ? (
        <div class="state">
          <strong>Nothing selected</strong>
          <span>Drag over the timeline to take out a piece: the disputed minute, with a proof.</span>
        </div>
      ) : (
        <>
          <h2 class="title small">{selectedLength(chosen)} selected</h2>
          <p class="subtitle wrap">
            {dateTime(chosen.fromMs)} to {dateTime(chosen.toMs)}
          </p>
          <div class="toolbar">
            <button
              type="button"
              class="button"
              onClick={(event) =>
                void playArchive(recordings, chosen.fromMs, event.timeStamp, { untilMs: chosen.toMs })
              }
            >
              <PlayIcon /> Play it
            </button>
            {(["wav", "opus", "proof"] as const).map((kind) => (
              <button
                key={kind}
                type="button"
                class="button"
                disabled={range === undefined || exporting.value !== ""}
                onClick={() => range !== undefined && void save(range, chosen, kind)}
              >
                {kind === "wav" ? "Save WAV" : kind === "opus" ? "Save Opus" : "Save proof"}
              </button>
            ))}
          </div>
          <p role="status" class="faint wrap" style="min-height: 1.45em; margin-top: 10px">
            {exportProblem.value ||
              exporting.value ||
              (range === undefined
                ? "Nothing was recorded there."
                : range.isCut
                  ? "The selection crosses a gap or the end of a recording: WAV keeps the time with silence, Opus leaves gaps out, the proof says where they are and why."
                  : "WAV is bit-identical to what was decoded then; Opus holds the packets as they arrived; the proof has hashes of both files.")}
          </p>
        </>
      )}
    </section>
  );
}

async function save(
  range: { recording: Recording; from: number; to: number; isCut: boolean },
  chosen: { fromMs: number; toMs: number },
  kind: "wav" | "opus" | "proof",
): Promise<void> {
  exporting.value = "Preparing the file";
  exportProblem.value = "";
  const { recording, from, to, isCut } = range;
  const [fromTime, toTime] = [chosen.fromMs, chosen.toMs].map((ms) => new Date(ms).toISOString());
  const name = isCut ? `${recording.stream}_${fromTime}` : `${recording.id}_${from}-${to}`;
  const [stream, id] = [recording.stream, recording.id].map(encodeURIComponent);
  const times = `from=${fromTime}&to=${toTime}`;
  const frames = `from=${from}&to=${to}`;
  const sound = isCut
    ? `/v1/streams/${stream}/archive?${times}&format=${kind}`
    : `/v1/archive/${id}?${frames}&format=${kind}`;
  const proof = isCut ? `/v1/streams/${stream}/proof?${times}` : `/v1/archive/${id}/proof?${frames}`;
  try {
    const blob =
      kind === "proof"
        ? new Blob([`${JSON.stringify(await getJson(proof), null, 2)}\n`])
        : await (await request(sound)).blob();
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = kind === "proof" ? `${name}.proof.json` : `${name}.${kind}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  } catch (error) {
    exportProblem.value = problemText(error);
  }
  exporting.value = "";
}

function RecordingsCard() {
  const list = archiveList.value!;
  return (
    <section class="card" aria-label="Recordings">
      <div class="eyebrow">Recordings</div>
      <div class="table-wrap" style="max-height: 280px; overflow-y: auto">
        <table>
          <thead>
            <tr>
              <th scope="col">Began</th>
              <th scope="col" class="number">
                Length
              </th>
              <th scope="col" class="number">
                Gaps
              </th>
              <th scope="col" class="number">
                Lost<span class="roomy"> packets</span>
              </th>
              <th scope="col" class="number">
                Size
              </th>
            </tr>
          </thead>
          <tbody>
            {list.recordings.toReversed().map((each) => (
              <tr key={each.id} data-playing={each.state === "recording"}>
                <td>
                  <button
                    type="button"
                    class="link"
                    title={each.id}
                    onClick={() => {
                      const [first, last] = [each.spans[0], each.spans.at(-1)];
                      if (first === undefined || last === undefined) return;
                      fixedView.value = {
                        fromMs: first.startMs,
                        toMs: Math.max(first.startMs + shortestViewMs, endMs(last)),
                      };
                    }}
                  >
                    {each.spans[0] === undefined ? each.id : dateTime(each.spans[0].startMs)}
                  </button>
                </td>
                <td class="number">{clock(each.frames / 48)}</td>
                <td class="number">{thousands(Math.max(0, each.spans.length - 1))}</td>
                <td class="number">{thousands(each.lost)}</td>
                <td class="number">{bytesText(each.bytes)}</td>
              </tr>
            ))}
            {list.damaged.map(({ id, reason }) => (
              <tr key={id}>
                <td colSpan={5}>
                  <span class="badge bad">damaged</span> {reason}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
