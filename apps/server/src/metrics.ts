/** Counters and gauges in Prometheus' text format (version 0.0.4). */
export class Metrics {
  readonly #families = new Map<
    string,
    { kind: "counter" | "gauge"; help: string; values: Map<string, number> }
  >();
  readonly #histograms = new Map<string, Histogram>();
  readonly #collectors: (() => void)[] = [];

  /** Adds to a counter. Label values come from us, never from a client, so the number of series is bounded. */
  count(name: string, help: string, labels: Readonly<Record<string, string>> = {}, by = 1): void {
    const { values } = this.#family(name, "counter", help);
    const key = labelText(labels);
    values.set(key, (values.get(key) ?? 0) + by);
  }

  /** Sets a gauge, or a counter that somebody else counts. */
  set(
    name: string,
    help: string,
    value: number,
    labels: Readonly<Record<string, string>> = {},
    kind: "counter" | "gauge" = "gauge",
  ): void {
    this.#family(name, kind, help).values.set(labelText(labels), value);
  }

  /**
   * Adds a value to a histogram.
   * @param buckets upper ends, ascending, without infinity; of the first call of a name
   */
  observe(name: string, help: string, value: number, buckets: readonly number[]): void {
    let histogram = this.#histograms.get(name);
    if (histogram === undefined) {
      histogram = { help, buckets, counts: buckets.map(() => 0), count: 0, sum: 0 };
      this.#histograms.set(name, histogram);
    }
    histogram.count++;
    histogram.sum += value;
    for (const [index, end] of histogram.buckets.entries()) if (value <= end) histogram.counts[index]!++;
  }

  /** Calls `collect` before every rendering. */
  onCollect(collect: () => void): void {
    this.#collectors.push(collect);
  }

  render(): string {
    for (const collect of this.#collectors) collect();
    const lines: string[] = [];
    for (const [name, family] of [...this.#families].sort(([a], [b]) => (a < b ? -1 : 1))) {
      lines.push(`# HELP ${name} ${family.help}`, `# TYPE ${name} ${family.kind}`);
      for (const [labels, value] of family.values) lines.push(`${name}${labels} ${value}`);
    }
    for (const [name, { help, buckets, counts, count, sum }] of this.#histograms) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} histogram`);
      for (const [index, end] of buckets.entries())
        lines.push(`${name}_bucket{le="${end}"} ${counts[index]}`);
      lines.push(`${name}_bucket{le="+Inf"} ${count}`, `${name}_sum ${sum}`, `${name}_count ${count}`);
    }
    return `${lines.join("\n")}\n`;
  }

  #family(name: string, kind: "counter" | "gauge", help: string) {
    let family = this.#families.get(name);
    if (family === undefined) {
      family = { kind, help, values: new Map() };
      this.#families.set(name, family);
    }
    return family;
  }
}

/** Counts of values up to each end, as Prometheus has them. */
interface Histogram {
  readonly help: string;
  readonly buckets: readonly number[];
  readonly counts: number[];
  count: number;
  sum: number;
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const entries = Object.entries(labels);
  if (entries.length === 0) return "";
  const quoted = (value: string) =>
    value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
  return `{${entries.map(([name, value]) => `${name}="${quoted(value)}"`).join(",")}}`;
}
