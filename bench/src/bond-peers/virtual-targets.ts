import { Experiment, type ExperimentOptions, type ExperimentReport, findScenario } from "@longwave/netsim";
import type { TargetTable } from "./target-table.ts";

const oneLink = (loss: number) => [{ forward: { delayMs: 50, loss }, backward: { delayMs: 50, loss } }];
const ratio = (value: number) => (value === 0 ? "0" : value.toExponential(1));
const percent = (value: number) => value.toFixed(3);

/** The targets of the specification in virtual time: the same figures on every machine, but for the last row. */
export function measureVirtual(table: TargetTable, seeds: readonly number[]): void {
  const runAll = (options: Omit<ExperimentOptions, "seed">): ExperimentReport[] =>
    seeds.map((seed) => new Experiment({ ...options, seed }).run());
  const row = (
    name: string,
    values: readonly number[],
    limit: number | undefined,
    show: (value: number) => string,
  ) => {
    const sorted = [...values].sort((a, b) => a - b);
    const [median, worst] = [sorted[sorted.length >> 1]!, sorted.at(-1)!];
    if (limit === undefined) table.add(name, "", show(median), show(worst));
    else table.atMost(name, median, limit, show, show(worst));
  };
  table.heading("virtual time", "worst seed");
  for (const [bufferMs, loss, limit] of [
    [500, 0.1, 1e-4],
    [500, 0.2, 1e-3],
    [500, 0.3, 6e-3],
    [300, 0.1, 1e-3],
  ] as const) {
    const reports = runAll({ bitrateBps: 10e6, bufferMs, durationMs: 60_000, links: oneLink(loss) });
    const residuals = reports.map((report) => report.stream.residual);
    row(`residual, ${bufferMs} ms, RTT 100 ms, ${100 * loss} % both ways`, residuals, limit, ratio);
    // Nothing can be repeated less often than it is lost: 1 / (1 - p) transmissions of 1368 bytes for 1316.
    const least = (1368 / 1316) * ((1 - residuals[0]!) / (1 - loss));
    row(
      `forward bytes / payload (least possible ${least.toFixed(3)})`,
      reports.map((report) => report.forward),
      undefined,
      percent,
    );
  }
  const robust = runAll({
    bitrateBps: 10e6,
    bufferMs: 500,
    durationMs: 60_000,
    links: oneLink(0.2),
    sender: { repeatCopies: "robust" },
  });
  row(
    "residual, 500 ms, 20 %, robust",
    robust.map((report) => report.stream.residual),
    1e-4,
    ratio,
  );
  row(
    "forward bytes / payload, robust",
    robust.map((report) => report.forward),
    1.37,
    percent,
  );
  const asymmetric = runAll(findScenario("asymmetric").options);
  row(
    "6 + 3 Mbit/s carrying 6: forward bytes / payload",
    asymmetric.map((report) => report.forward),
    1.1,
    percent,
  );
  row(
    "residual of that",
    asymmetric.map((report) => report.stream.residual),
    undefined,
    ratio,
  );
  measureCut(row, seeds);
  measureReturn(row, seeds);
  measureCollapse(row, seeds);
  const order = [...asymmetric, ...robust].map((report) => report.stream.outOfOrder);
  row("packets out of order", order, 0, String);
  const late = robust.map((report) => report.stream.latencyMs.max - 550);
  row("latency beyond buffer and path, ms", late, 20, (value) => value.toFixed(1));
  measureDeterminism(table);
}

type Row = (
  name: string,
  values: readonly number[],
  limit: number | undefined,
  show: (value: number) => string,
) => void;

/** Fast link cut: packets lost, and how long media is still given to the dead link. */
function measureCut(row: Row, seeds: readonly number[]): void {
  const lasts: number[] = [];
  const reports = seeds.map((seed) => {
    let last = 0;
    let before = -1;
    const report = new Experiment({
      ...findScenario("cut-fast").options,
      seed,
      sampleMs: 20,
      onSample: (experiment, timeMs) => {
        const { txPackets } = experiment.sender.stats().links[0]!;
        // Feedback packets go on, about 25 a second; more than two in 20 ms is media.
        if (timeMs > 10_000 && before >= 0 && txPackets - before > 3) last = timeMs - 10_000;
        before = txPackets;
      },
    }).run();
    lasts.push(last);
    return report;
  });
  row(
    "fast link cut, 300 ms: packets lost",
    reports.map((report) => report.stream.lost),
    20,
    String,
  );
  row("media on the dead link for, ms", lasts, 500, String);
}

/** The link comes back: time until it carries 80 % of its earlier share. */
function measureReturn(row: Row, seeds: readonly number[]): void {
  const times: number[] = [];
  const losses: number[] = [];
  for (const seed of seeds) {
    let share = 0;
    let backMs = Number.POSITIVE_INFINITY;
    let lostBefore = 0;
    let lostAfter = 0;
    new Experiment({
      ...findScenario("return").options,
      seed,
      onSample: (experiment, timeMs) => {
        const now = experiment.sender.stats().links[0]!.share;
        if (timeMs === 6_000) share = now;
        const { lost } = experiment.receiver.stats();
        if (timeMs === 10_000) lostBefore = lost;
        lostAfter = lost;
        if (timeMs > 10_000 && now >= 0.8 * share) backMs = Math.min(backMs, timeMs - 10_000);
      },
    }).run();
    times.push(backMs);
    losses.push(lostAfter - lostBefore);
  }
  row("link returns: 80 % of its share after, ms", times, 3000, String);
  row("packets lost from then on", losses, 2, String);
}

/** Link 2 falls to 1.5 Mbit/s: drops of its queue after 5 s, and the estimate after 10 s. */
function measureCollapse(row: Row, seeds: readonly number[]): void {
  const drops: number[] = [];
  const errors: number[] = [];
  for (const seed of seeds) {
    let atFive = { offered: 0, dropped: 0 };
    let drop = 0;
    let error = 1;
    new Experiment({
      ...findScenario("collapse").options,
      seed,
      onSample: (experiment, timeMs) => {
        const { offeredPackets, queueDrops } = experiment.links[1]!.forward.counters;
        if (timeMs === 11_000) atFive = { offered: offeredPackets, dropped: queueDrops };
        if (timeMs > 11_000)
          drop = (queueDrops - atFive.dropped) / Math.max(1, offeredPackets - atFive.offered);
        if (timeMs === 16_000)
          error = Math.abs(experiment.sender.stats().links[1]!.estimatedCapacityBps / 1.5e6 - 1);
      },
    }).run();
    drops.push(drop);
    errors.push(error);
  }
  row("link collapses: queue drops after 5 s", drops, 0.02, (value) => value.toFixed(4));
  row("error of the capacity estimate after 10 s", errors, 0.2, percent);
}

function measureDeterminism(table: TargetTable): void {
  const options = { ...findScenario("static").options, durationMs: 30_000, seed: 1 };
  const started = process.cpuUsage();
  const first = new Experiment(options).run();
  const used = process.cpuUsage(started);
  const second = new Experiment(options).run();
  const isEqual = first.eventHash === second.eventHash;
  table.add("two runs of one seed: event logs", "equal", isEqual ? "equal" : "different", "", isEqual);
  const speed = first.virtualMs / ((used.user + used.system) / 1000);
  table.add("virtual time / CPU time at 10 Mbit/s", ">= 100", speed.toFixed(0), "", speed >= 100);
}
