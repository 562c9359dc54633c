import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { clock, duration, thousands } from "../format.ts";
import {
  bond,
  carries,
  changeLink,
  changeProblem,
  courses,
  followLinks,
  hasLinks,
  linkProblem,
  sampleMs,
  shownSamples,
} from "../live/link-feed.ts";
import { stream } from "../live/live.ts";
import type { Bond, Link, LinkPhase } from "../model.ts";
import { CoursePlot } from "../parts/course-plot.tsx";
import { Fact } from "../parts/fact.tsx";
import { Slider } from "../parts/slider.tsx";
import type { View } from "../parts/time-view.ts";
import { WaitingCard } from "../parts/waiting-card.tsx";
import { useZoomByHand, viewOf, type Zoom, ZoomButtons } from "../parts/zoom.tsx";

/** What the plots of all links show, in ms from now. */
const zoom: Zoom = {
  chosen: signal<View | undefined>(undefined),
  whole: { fromMs: -shownSamples * sampleMs, toMs: 0 },
  leastMs: 15_000,
};

/** `5 min ago`, `1:30 min ago`, `20 s ago`, `now`. */
function ago(ms: number): string {
  const seconds = Math.round(-ms / 1000);
  if (seconds <= 0) return "now";
  if (seconds < 60) return `${seconds} s ago`;
  return `${seconds % 60 === 0 ? seconds / 60 : clock(-ms)} min ago`;
}

/** The links that carry the sound: how they are, and switches to make them worse. */
export function LinksScreen() {
  const id = stream.value?.id;
  useEffect(() => (id === undefined ? undefined : followLinks(id)), [id]);
  const current = bond.value;
  if (current === undefined) {
    const waiting = hasLinks.value
      ? { title: "Asking the server" }
      : { title: "No links", text: "The sound of this stream does not travel over links." };
    return <WaitingCard name="Links" {...waiting} problem={linkProblem.value} />;
  }
  return (
    <div class="grid">
      <section class="card" aria-label="Bond">
        <div class="eyebrow">
          Links
          <span class="aside">{current.codec}</span>
        </div>
        <h1 class="title small wrap">{current.links.length} links carry one sound: cut one, and listen</h1>
        <p class="subtitle wrap">
          What gets lost is asked for again over whichever link is quicker. The receiver plays{" "}
          {current.bufferMs} ms later, so that there is time for it.
        </p>
        <dl class="facts">
          <Fact name="Packets delivered" value={thousands(current.delivered)} />
          <Fact name="Lost, then recovered" value={thousands(current.recovered)} />
          <Fact name="Lost for good" value={thousands(current.lost)} />
          <Fact name="Sound made up for losses" value={duration(current.concealedBlocks * 20)} />
        </dl>
        <p role="status" class="lead wrap">
          {linkProblem.value || changeProblem.value || summary(current)}
        </p>
      </section>
      <div class="grid links-grid">
        {current.links.map((link) => (
          <LinkCard key={link.id} link={link} />
        ))}
      </div>
    </div>
  );
}

/** What goes on, in a sentence. */
function summary({ links }: Bond): string {
  const names = (some: readonly Link[]) => some.map(({ name }) => name).join(" and ");
  const cut = links.filter((link) => link.cut);
  const carrying = links.filter(carries);
  if (carrying.length === 0) {
    // Links that were bad are still used where there is none better.
    const tried = links.filter((link) => !link.cut && link.alive);
    return tried.length > 0
      ? `No link is good: ${names(tried)} ${tried.length > 1 ? "carry" : "carries"} what gets through.`
      : "No link carries anything: the receiver hears silence until one is back.";
  }
  if (cut.length === 0)
    return `${names(carrying)} ${carrying.length > 1 ? "share the packets" : "carries all"}.`;
  return `${names(cut)} ${cut.length > 1 ? "are" : "is"} cut: ${names(carrying)} ${carrying.length > 1 ? "carry" : "carries"} everything.`;
}

/** The phases of a link's life: in a word, and in a sentence with the word that protocols have for it. */
const phases: Readonly<Record<Exclude<LinkPhase, "init">, readonly [name: string, meaning: string]>> = {
  probe: ["asking", "asks the other end whether it answers (probe)"],
  warm: ["warming up", "has answered, and proves itself for a while (warm)"],
  live: ["live", "carries its share (live)"],
  degrade: ["weak", "loses or delays too much, so it carries less (degraded)"],
  cooldown: ["resting", "was bad for too long, and is left alone for a while (cooldown)"],
  reset: ["gone", "does not answer, and is tried anew every few seconds (reset)"],
};

/** What this machine puts on a link on purpose, so that nobody takes it for a fault. */
function artificial({ delayMs, setLoss }: Link): string {
  if (delayMs === 0 && setLoss === 0)
    return "Nothing is put on this link on purpose; delay and loss here would be artificial.";
  return `Artificial: ${delayMs} ms of delay and ${Math.round(setLoss * 100)} % of loss are put on this link on purpose, by a proxy on this machine.`;
}

function LinkCard({ link }: { link: Link }) {
  const state = link.cut ? "cut" : carries(link) ? "carrying" : "waiting";
  const kind = link.cut ? "badge bad" : carries(link) ? "badge good" : "badge";
  const course = courses.value.get(link.id);
  const plots = useRef<HTMLDivElement>(null);
  useZoomByHand(plots, zoom);
  const view = viewOf(zoom);
  const common = { everyMs: sampleMs, view, marked: course?.cut ?? [] };
  return (
    <section class="card" aria-label={link.name}>
      <div class="link-head">
        <h2>{link.name}</h2>
        <span class={kind}>{state}</span>
        <button
          type="button"
          class={link.cut ? "button primary" : "button"}
          onClick={() => void changeLink(link.id, { cut: !link.cut })}
        >
          {link.cut ? "Restore" : "Cut"}
        </button>
      </div>
      <ol class="phases" aria-label={`Phase of ${link.name}`}>
        {Object.entries(phases).map(([phase, [name]]) => (
          <li key={phase} aria-current={link.phase === phase ? "step" : undefined}>
            {name}
          </li>
        ))}
      </ol>
      <p class="faint phase-text">
        {link.phase === "init" ? "It has not begun yet." : `The sender's view: it ${phases[link.phase][1]}.`}
      </p>
      <div class="courses" ref={plots}>
        <CoursePlot
          {...common}
          name="Rate sent, repeats included"
          now={`${thousands(Math.round(link.sentBps / 1e3))} kbit/s`}
          values={course?.sentBps ?? []}
          least={200e3}
          text={(value) => `${thousands(value / 1e3)} kbit/s`}
          colour="var(--accent)"
        />
        <CoursePlot
          {...common}
          name="Packets lost on the way"
          now={`${(link.loss * 100).toFixed(1)} %`}
          values={course?.loss ?? []}
          least={0.2}
          text={(value) => `${Math.round(value * 100)} %`}
          colour="var(--bad)"
        />
        <CoursePlot
          {...common}
          name="Round trip"
          now={link.rttMs === null ? "not known" : `${thousands(Math.round(link.rttMs))} ms`}
          values={course?.rttMs ?? []}
          least={200}
          text={(value) => `${thousands(value)} ms`}
          colour="var(--good)"
        />
      </div>
      <div class="course-times">
        <span>{ago(view.fromMs)}</span>
        {(course?.cut ?? []).some((cut) => cut) && <span class="course-key">cut</span>}
        <ZoomButtons
          name={`the plots of ${link.name}`}
          zoom={zoom}
          text={`${ago(view.fromMs)} to ${ago(view.toMs)}`}
          isQuiet
        />
        <span>{ago(view.toMs)}</span>
      </div>
      <div class="sliders">
        <Slider
          id={`delay-${link.id}`}
          label="Delay, one way"
          low={0}
          high={300}
          step={5}
          value={link.delayMs}
          text={`${link.delayMs} ms`}
          onChange={(delayMs) => void changeLink(link.id, { delayMs })}
        />
        <Slider
          id={`loss-${link.id}`}
          label="Loss, in bursts"
          low={0}
          high={0.5}
          step={0.01}
          value={link.setLoss}
          text={`${Math.round(link.setLoss * 100)} %`}
          onChange={(loss) => void changeLink(link.id, { loss })}
        />
        <Slider
          id={`weight-${link.id}`}
          label="Weight"
          low={1}
          high={20}
          step={1}
          value={link.weight}
          text={`${link.weight}, now ${link.cut ? 0 : Math.round(link.share * 100)} %`}
          onChange={(weight) => void changeLink(link.id, { weight })}
        />
      </div>
      <p class="faint phase-text">
        {artificial(link)} The weight says how much of the stream the link shall carry.{" "}
        {thousands(link.retransmissions)} repeats went over it.
      </p>
    </section>
  );
}
