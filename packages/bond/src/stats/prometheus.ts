import type { StatsRecord } from "./stats-record.ts";

const counters = new Set([
  "sent",
  "delivered",
  "lost",
  "recovered",
  "duplicates",
  "late",
  "out_of_order",
  "discontinuities",
  "total_dead_drops",
  "tx_bytes",
  "rx_bytes",
  "rtx_packets",
  "nack_rx",
  "nack_tx",
  "premature_nacks",
  "send_errors",
]);

/** Percentiles by the field that carries them, as Prometheus names quantiles. */
const quantiles = [
  ["p50", "0.5"],
  ["p95", "0.95"],
  ["p99", "0.99"],
  ["max", "1"],
] as const;

/** A record in the Prometheus text format (version 0.0.4): `longwave_bond_<field>`, links by label. */
export function renderPrometheus(record: StatsRecord): string {
  const families = new Map<string, string[]>();
  const stream = `stream="${escapeLabel(record.stream_id)}",role="${record.role}"`;
  const add = (name: string, labels: string, value: unknown) => {
    if (typeof value === "object" && value !== null && "p50" in value) {
      const percentiles = value as Readonly<Record<string, unknown>>;
      for (const [key, quantile] of quantiles)
        add(name, `${labels},quantile="${quantile}"`, percentiles[key]);
      return;
    }
    if (typeof value !== "number" && typeof value !== "boolean") return;
    const suffix = counters.has(name.replace(/^link_/, "")) ? "_total" : "";
    const family = `longwave_bond_${name.replace(/^total_/, "")}${suffix}`;
    const lines = families.get(family) ?? [];
    lines.push(`${family}{${labels}} ${Number(value)}`);
    families.set(family, lines);
  };
  for (const [name, value] of Object.entries(record.flow)) add(name, stream, value);
  for (const [id, link] of Object.entries(record.links)) {
    const labels = `${stream},link="${escapeLabel(id)}"`;
    for (const [name, value] of Object.entries(link)) add(`link_${name}`, labels, value);
    if (typeof link["phase"] === "string")
      add("link_up", `${labels},phase="${link["phase"]}"`, link["alive"] === true);
  }
  const blocks = [...families].map(([family, lines]) => {
    const type = family.endsWith("_total") ? "counter" : "gauge";
    return `# TYPE ${family} ${type}\n${lines.join("\n")}\n`;
  });
  return blocks.join("");
}

function escapeLabel(text: string): string {
  return text.replace(/[\\"\n]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`));
}
