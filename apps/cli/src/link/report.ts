import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { systemErrorKind, systemReason } from "@longwave/base/node";
import { printResult } from "../output.ts";
import { readConfiguration } from "./configuration.ts";
import { LinkError } from "./errors.ts";

interface ReportOptions {
  readonly checkConfig?: boolean;
  readonly maxLoss?: number;
  readonly maxGap?: number;
  readonly json?: boolean;
}

interface Summary {
  records: number;
  role: string;
  seconds: number;
  missingRecords: number;
  longestGapSeconds: number;
  packets: number;
  lost: number;
  loss: number;
  links: Record<string, { phases: Record<string, number>; meanBps: number; maxRttMs: number }>;
}

/** `longwave link report`: what a log of statistics says. */
export async function report(file: string, options: ReportOptions): Promise<void> {
  if (options.checkConfig === true) {
    const config = readConfiguration(file);
    printResult(options.json === true, config, () => [JSON.stringify(config, null, 2)]);
    return;
  }
  const summary = await summarise(file);
  printResult(options.json === true, summary, () => [
    `${summary.records} records of a ${summary.role} over ${summary.seconds.toFixed(0)} s, ${summary.missingRecords} missing, longest pause ${summary.longestGapSeconds.toFixed(1)} s`,
    summary.role === "sender"
      ? `${summary.packets} packets, ${summary.lost} dropped here; what was lost on the way is in the receiver's statistics`
      : `${summary.packets} packets, ${summary.lost} lost (${summary.loss.toExponential(1)})`,
    ...Object.entries(summary.links).map(
      ([id, link]) =>
        `${id}: ${(link.meanBps / 1e6).toFixed(2)} Mbit/s, round trip up to ${link.maxRttMs.toFixed(0)} ms, ${Object.entries(
          link.phases,
        )
          .map(([phase, count]) => `${phase} ${count}`)
          .join(", ")}`,
    ),
  ]);
  if (options.maxLoss !== undefined && summary.role === "sender") {
    throw new LinkError(
      "link/bad-log",
      "usage",
      `${file} is a sender's: what was lost is in the receiver's statistics; give those with --max-loss.`,
    );
  }
  if (options.maxLoss !== undefined && summary.loss > options.maxLoss) {
    throw new LinkError(
      "link/threshold",
      "unavailable",
      `Loss is ${summary.loss}, more than ${options.maxLoss}.`,
    );
  }
  if (options.maxGap !== undefined && summary.longestGapSeconds > options.maxGap) {
    const gap = summary.longestGapSeconds.toFixed(1);
    throw new LinkError(
      "link/threshold",
      "unavailable",
      `Statistics paused for ${gap} s, more than ${options.maxGap}.`,
    );
  }
}

async function summarise(file: string): Promise<Summary> {
  const summary: Summary = {
    records: 0,
    role: "",
    seconds: 0,
    missingRecords: 0,
    longestGapSeconds: 0,
    packets: 0,
    lost: 0,
    loss: 0,
    links: {},
  };
  let lastSequence = -1;
  let lastUs = -1;
  const input = createReadStream(file);
  try {
    for await (const line of createInterface({ input })) {
      if (line.trim() === "") continue;
      const record = parseRecord(line, file, summary.records + 1);
      if (lastSequence >= 0) summary.missingRecords += Math.max(0, record.stats_seq - lastSequence - 1);
      if (lastUs >= 0) {
        const gap = (record.mono_time_us - lastUs) / 1e6;
        summary.seconds += gap;
        summary.longestGapSeconds = Math.max(summary.longestGapSeconds, gap);
      }
      lastSequence = record.stats_seq;
      lastUs = record.mono_time_us;
      summary.role = record.role;
      summary.packets = (record.flow["delivered"] ?? record.flow["sent"] ?? 0) + (record.flow["lost"] ?? 0);
      summary.lost = record.flow["lost"] ?? record.flow["total_dead_drops"] ?? 0;
      for (const [id, link] of Object.entries(record.links)) addLink(summary, id, link);
      summary.records++;
    }
  } catch (error) {
    if (error instanceof LinkError) throw error;
    throw new LinkError(
      "link/no-log",
      systemErrorKind(error),
      `Cannot read ${file}: ${systemReason(error)}.`,
      {
        cause: error,
      },
    );
  }
  summary.loss = summary.packets === 0 ? 0 : summary.lost / summary.packets;
  for (const link of Object.values(summary.links)) link.meanBps /= Math.max(1, summary.records);
  return summary;
}

interface LoggedRecord {
  readonly stats_seq: number;
  readonly mono_time_us: number;
  readonly role: string;
  readonly flow: Readonly<Record<string, number>>;
  readonly links: Readonly<
    Record<string, { phase?: string; alive: boolean; rtt_ms: number; observed_bps: number }>
  >;
}

function parseRecord(line: string, file: string, number: number): LoggedRecord {
  try {
    const record = JSON.parse(line) as LoggedRecord & { schema_version: number };
    if (record.schema_version === 1 && typeof record.stats_seq === "number") return record;
  } catch {
    // Falls through to the one message for everything that is no record.
  }
  throw new LinkError(
    "link/bad-log",
    "malformed",
    `${file}:${number} is no statistics record of schema version 1.`,
  );
}

function addLink(summary: Summary, id: string, link: LoggedRecord["links"][string]): void {
  summary.links[id] ??= { phases: {}, meanBps: 0, maxRttMs: 0 };
  const entry = summary.links[id];
  const phase = link.phase ?? (link.alive ? "alive" : "silent");
  entry.phases[phase] = (entry.phases[phase] ?? 0) + 1;
  entry.meanBps += link.observed_bps;
  // A link without proof has no round trip that was measured.
  if (link.alive) entry.maxRttMs = Math.max(entry.maxRttMs, link.rtt_ms);
}
