import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError, getJson, putJson } from "../api.ts";
import { thousands } from "../format.ts";
import { stream } from "../live/live.ts";
import type { Bond, Link } from "../model.ts";
import { Slider } from "../parts/slider.tsx";

/** What was measured of a link at one moment. */
interface Point {
  readonly bps: number;
  readonly loss: number;
}

const bond = signal<Bond | undefined>(undefined);
const history = signal<ReadonlyMap<string, readonly Point[]>>(new Map());
const problem = signal("");
const pollMs = 500;
/** One minute. */
const keptPoints = 120;

async function load(id: string): Promise<void> {
  try {
    const next = await getJson<Bond>(`/v1/streams/${encodeURIComponent(id)}/links`);
    const grown = new Map(history.value);
    for (const link of next.links) {
      const points = grown.get(link.id) ?? [];
      grown.set(link.id, [...points.slice(1 - keptPoints), { bps: link.sentBps, loss: link.loss }]);
    }
    bond.value = next;
    history.value = grown;
    problem.value = "";
  } catch (error) {
    problem.value = error instanceof ApiError && error.status === 404 ? "none" : (error as Error).message;
  }
}

async function change(
  id: string,
  what: Partial<{ cut: boolean; weight: number; delayMs: number; loss: number }>,
) {
  try {
    const link = await putJson<Link>(`/v1/links/${encodeURIComponent(id)}`, what);
    if (bond.value !== undefined) {
      bond.value = { ...bond.value, links: bond.value.links.map((each) => (each.id === id ? link : each)) };
    }
  } catch (error) {
    problem.value = (error as Error).message;
  }
}

/** The links that carry the sound: how they are, and switches to make them worse. */
export function LinksScreen() {
  const id = stream.value?.id;
  useEffect(() => {
    if (id === undefined) return;
    void load(id);
    const timer = setInterval(() => void load(id), pollMs);
    return () => clearInterval(timer);
  }, [id]);
  const current = bond.value;
  if (current === undefined) {
    return (
      <section class="card">
        <div class="eyebrow">Links</div>
        <h1 class="title small wrap">{problem.value === "none" ? "No links" : "Asking the server"}</h1>
        <p class="subtitle wrap">
          {problem.value === "none" ? "The sound of this stream does not travel over links." : problem.value}
        </p>
      </section>
    );
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
          Lost packets are asked for again over whichever link is quicker; the receiver waits{" "}
          {current.bufferMs} ms.
        </p>
        <dl class="facts">
          <Fact name="Packets delivered" value={thousands(current.delivered)} />
          <Fact name="Recovered" value={thousands(current.recovered)} />
          <Fact name="Lost for good" value={thousands(current.lost)} />
          <Fact name="Sound concealed" value={`${thousands(current.concealedBlocks * 20)} ms`} />
        </dl>
        <p role="status" class="faint" style="min-height: 1.45em; margin-top: 8px">
          {problem.value}
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

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function LinkCard({ link }: { link: Link }) {
  const state = link.cut ? "cut" : link.alive ? "carrying" : "waiting";
  const kind = link.cut ? "badge bad" : link.alive ? "badge good" : "badge";
  return (
    <section class="card" aria-label={link.name}>
      <div class="link-head">
        <h2>{link.name}</h2>
        <span class={kind}>{state}</span>
        <button
          type="button"
          class={link.cut ? "button primary" : "button"}
          onClick={() => void change(link.id, { cut: !link.cut })}
        >
          {link.cut ? "Restore" : "Cut"}
        </button>
      </div>
      <Plot points={history.value.get(link.id) ?? []} />
      <div class="plot-key">
        <span>rate sent, up to {plotTopBps / 1e3} kbit/s</span>
        <span style="--key: var(--bad)">loss, up to {plotTopLoss * 100} %</span>
      </div>
      <dl class="facts">
        <Fact name="Rate" value={`${Math.round(link.sentBps / 1e3)} kbit/s`} />
        <Fact name="Round trip" value={link.rttMs === null ? "–" : `${Math.round(link.rttMs)} ms`} />
        <Fact name="Loss measured" value={`${(link.loss * 100).toFixed(1)} %`} />
        <Fact name="Repeats sent" value={thousands(link.retransmissions)} />
      </dl>
      <div class="sliders">
        <Slider
          id={`delay-${link.id}`}
          label="Delay, one way"
          low={0}
          high={300}
          step={5}
          value={link.delayMs}
          text={`${link.delayMs} ms`}
          onChange={(delayMs) => void change(link.id, { delayMs })}
        />
        <Slider
          id={`loss-${link.id}`}
          label="Loss, in bursts"
          low={0}
          high={0.5}
          step={0.01}
          value={link.setLoss}
          text={`${Math.round(link.setLoss * 100)} %`}
          onChange={(loss) => void change(link.id, { loss })}
        />
        <Slider
          id={`weight-${link.id}`}
          label="Weight"
          low={1}
          high={20}
          step={1}
          value={link.weight}
          text={String(link.weight)}
          onChange={(weight) => void change(link.id, { weight })}
        />
      </div>
    </section>
  );
}

const plotTopBps = 300e3;
const plotTopLoss = 0.5;

/** The last minute: rate as an area, loss as a line. */
function Plot({ points }: { points: readonly Point[] }) {
  const [width, height] = [600, 96];
  const x = (i: number) => width - ((points.length - 1 - i) / (keptPoints - 1)) * width;
  const y = (share: number) => height - 3 - Math.min(1, share) * (height - 8);
  const line = (share: (point: Point) => number) =>
    points.map((point, i) => `${x(i).toFixed(1)},${y(share(point)).toFixed(1)}`).join(" ");
  const rate = line((point) => point.bps / plotTopBps);
  return (
    <svg
      class="plot"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label="Rate and loss of the last minute"
    >
      {points.length > 1 && (
        <>
          <polygon points={`${x(0)},${height} ${rate} ${width},${height}`} fill="var(--accent-soft)" />
          <polyline
            points={rate}
            fill="none"
            stroke="var(--accent)"
            stroke-width="1.6"
            vector-effect="non-scaling-stroke"
          />
          <polyline
            points={line((point) => point.loss / plotTopLoss)}
            fill="none"
            stroke="var(--bad)"
            stroke-width="1.4"
            vector-effect="non-scaling-stroke"
          />
        </>
      )}
    </svg>
  );
}
