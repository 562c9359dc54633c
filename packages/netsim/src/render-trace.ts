import type { LinkTrace, TraceSample } from "./link-trace.ts";

const width = 860;
const panelHeight = 120;
const gap = 44;
const left = 64;
const right = 16;
const phaseColors: Readonly<Record<string, string>> = {
  init: "#9ca3af",
  probe: "#60a5fa",
  warm: "#fbbf24",
  live: "#34d399",
  degrade: "#fb923c",
  cooldown: "#f87171",
  reset: "#6b7280",
};

interface Panel {
  readonly title: string;
  readonly truth: (sample: TraceSample) => number | undefined;
  readonly tracker: (sample: TraceSample) => number;
}

const panels: readonly Panel[] = [
  {
    title: "capacity and rate sent, Mbit/s",
    truth: (sample) => (sample.trueCapacityBps === undefined ? undefined : sample.trueCapacityBps / 1e6),
    tracker: (sample) => Math.min(sample.sentBps, 1e9) / 1e6,
  },
  { title: "loss, %", truth: (sample) => sample.trueLoss * 100, tracker: (sample) => sample.loss * 100 },
  { title: "round trip, ms", truth: (sample) => sample.trueRttMs, tracker: (sample) => sample.rttMs },
];

/** An SVG of every link: truth (grey) against the tracker (blue), with the phases of the life cycle as a band. */
export function renderTrace(trace: LinkTrace, title: string): string {
  const links = [...new Set(trace.samples.map((sample) => sample.link))];
  const endMs = trace.samples.at(-1)?.timeMs ?? 1;
  const rows = links.length * panels.length;
  const height = 40 + rows * (panelHeight + gap);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<title>${escapeText(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="${left}" y="22" font-size="14" font-weight="bold">${escapeText(title)}</text>`,
  ];
  let top = 52;
  for (const link of links) {
    const samples = trace.samples.filter((sample) => sample.link === link);
    for (const panel of panels) {
      parts.push(renderPanel(samples, panel, `${link}: ${panel.title}`, top, endMs));
      top += panelHeight + gap;
    }
  }
  parts.push("</svg>\n");
  return parts.join("\n");
}

function renderPanel(
  samples: readonly TraceSample[],
  panel: Panel,
  title: string,
  top: number,
  endMs: number,
) {
  const values = samples.flatMap((sample) => [panel.truth(sample) ?? 0, panel.tracker(sample)]);
  const most = Math.max(1e-6, ...values) * 1.08;
  const x = (timeMs: number) => left + (timeMs / endMs) * (width - left - right);
  const y = (value: number) => top + panelHeight - (Math.min(value, most) / most) * panelHeight;
  const line = (value: (sample: TraceSample) => number | undefined) =>
    samples
      .map((sample) => ({ timeMs: sample.timeMs, value: value(sample) }))
      .filter((point) => point.value !== undefined)
      .map((point) => `${x(point.timeMs).toFixed(1)},${y(point.value!).toFixed(1)}`)
      .join(" ");
  const changes = samples.filter((sample, index) => sample.phase !== samples[index - 1]?.phase);
  const bands = changes.map((sample, index) => {
    const from = x(index === 0 ? 0 : sample.timeMs);
    const to = x(changes[index + 1]?.timeMs ?? endMs);
    const color = phaseColors[sample.phase] ?? "#000000";
    return `<rect x="${from.toFixed(1)}" y="${top - 6}" width="${(to - from).toFixed(1)}" height="4" fill="${color}"/>`;
  });
  return [
    `<text x="${left}" y="${top - 12}">${escapeText(title)}</text>`,
    ...bands,
    `<rect x="${left}" y="${top}" width="${width - left - right}" height="${panelHeight}" fill="none" stroke="#d1d5db"/>`,
    `<text x="${left - 6}" y="${top + 10}" text-anchor="end">${format(most)}</text>`,
    `<text x="${left - 6}" y="${top + panelHeight}" text-anchor="end">0</text>`,
    `<text x="${width - right}" y="${top + panelHeight + 14}" text-anchor="end">${(endMs / 1000).toFixed(0)} s</text>`,
    `<polyline points="${line(panel.truth)}" fill="none" stroke="#9ca3af" stroke-width="2"/>`,
    `<polyline points="${line(panel.tracker)}" fill="none" stroke="#2563eb" stroke-width="1.4"/>`,
  ].join("\n");
}

function format(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(2);
}

function escapeText(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
}
