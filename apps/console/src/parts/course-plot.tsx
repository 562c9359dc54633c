import type { View } from "./time-view.ts";

/** A figure over the last minutes: its name and present value above, a line with its scale below. */
export function CoursePlot(props: {
  name: string;
  /** The present value in words. */
  now: string;
  /** Oldest first; null where nothing was known. */
  values: readonly (number | null)[];
  /** Distance of two values, ms. */
  everyMs: number;
  /** What is in view, in ms from now: 0 is the newest value, what came before it is negative. */
  view: View;
  /** The scale reaches at least to here. */
  least: number;
  /** A value of the scale in words. */
  text: (value: number) => string;
  colour: string;
  /** Stretches that are marked, by value. */
  marked: readonly boolean[];
}) {
  const { name, values, everyMs, view, colour } = props;
  const top = niceTop(Math.max(props.least, ...values.map((value) => value ?? 0)));
  const [right, height] = [1000, 60];
  const perMs = right / (view.toMs - view.fromMs);
  const x = (i: number) => ((i + 1 - values.length) * everyMs - view.fromMs) * perMs;
  const y = (value: number) => height - 1 - (value / top) * (height - 3);
  return (
    <figure class="course">
      <figcaption>
        <span>{name}</span>
        <strong>{props.now}</strong>
      </figcaption>
      <div class="course-plot">
        <svg viewBox={`0 0 ${right} ${height}`} preserveAspectRatio="none" role="img" aria-label={name}>
          {stretches(props.marked, (marked) => marked).map(({ from, to }) => (
            <rect key={from} x={x(from - 0.5)} width={x(to) - x(from)} height={height} class="course-mark" />
          ))}
          <line x1="0" x2={right} y1={height / 2} y2={height / 2} class="course-grid" />
          {stretches(values, (value) => value !== null).map(({ from, to }) => {
            const line = values
              .slice(from, to)
              .map((value, i) => `${x(from + i).toFixed(1)},${y(value!).toFixed(1)}`)
              .join(" ");
            return (
              <g key={from}>
                <polygon
                  points={`${x(from)},${height} ${line} ${x(to - 1)},${height}`}
                  fill={colour}
                  fill-opacity="0.13"
                />
                <polyline
                  points={line}
                  fill="none"
                  stroke={colour}
                  stroke-width="1.6"
                  vector-effect="non-scaling-stroke"
                />
              </g>
            );
          })}
        </svg>
        <span class="course-top">{props.text(top)}</span>
      </div>
    </figure>
  );
}

/** Half-open ranges of neighbours for which `is` holds. */
function stretches<Value>(
  values: readonly Value[],
  is: (value: Value) => boolean,
): { from: number; to: number }[] {
  const found: { from: number; to: number }[] = [];
  for (const [i, value] of values.entries()) {
    if (!is(value)) continue;
    const last = found.at(-1);
    if (last?.to === i) last.to = i + 1;
    else found.push({ from: i, to: i + 1 });
  }
  return found;
}

/** The next value of 1, 2, 3, 5 times a power of ten: a scale that rarely changes. */
function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 3, 5, 10].map((step) => step * power).find((step) => step >= value * 0.999) ?? value;
}
