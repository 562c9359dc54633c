/** Counters and gauges in Prometheus' text format (version 0.0.4). */
export class Metrics {
  readonly #families = new Map<
    string,
    { kind: "counter" | "gauge"; help: string; values: Map<string, number> }
  >();
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

function labelText(labels: Readonly<Record<string, string>>): string {
  const entries = Object.entries(labels);
  if (entries.length === 0) return "";
  const quoted = (value: string) =>
    value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
  return `{${entries.map(([name, value]) => `${name}="${quoted(value)}"`).join(",")}}`;
}
