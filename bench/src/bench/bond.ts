// npm run bench -- bond [--json] [--seeds 3] [--live]
// The targets of the bonding specification in virtual time; with --live also librist and GStreamer, from sender to receiver of
// the same make, over UDP on loopback through our impairment proxy, with their CPU time. Virtual figures are the same on every
// machine; live ones are not.
import { Experiment, type ExperimentOptions, type ExperimentReport, findScenario } from "@longwave/netsim";
import { type LiveRunOptions, liveRun, type Peer } from "../bond-peers/live-run.ts";
import { hasElement, isInstalled, versionOf } from "../bond-peers/peer-process.ts";

const { argv } = process;
const isJson = argv.includes("--json");
const seeds = Array.from({ length: Number(option("--seeds") ?? 3) }, (_, index) => index + 1);

interface Row {
  readonly name: string;
  readonly target: string;
  readonly median: string;
  readonly worst: string;
  readonly isMet: boolean;
}

const rows: Row[] = [];
const oneLink = (loss: number) => [{ forward: { delayMs: 50, loss }, backward: { delayMs: 50, loss } }];

for (const [bufferMs, loss, limit] of [
  [500, 0.1, 1e-4],
  [500, 0.2, 1e-3],
  [500, 0.3, 6e-3],
  [300, 0.1, 1e-3],
] as const) {
  const reports = runAll({ bitrateBps: 10e6, bufferMs, durationMs: 60_000, links: oneLink(loss) });
  const name = `residual, ${bufferMs} ms, RTT 100 ms, ${100 * loss} % both ways`;
  addRow(
    name,
    reports.map((report) => report.stream.residual),
    limit,
    (value) => value.toExponential(1),
  );
  addRow(
    `  forward bytes / payload`,
    reports.map((report) => report.forward),
    undefined,
    (value) => value.toFixed(3),
  );
}
const robust = runAll({
  bitrateBps: 10e6,
  bufferMs: 500,
  durationMs: 60_000,
  links: oneLink(0.2),
  sender: { repeatCopies: "robust" },
});
addRow(
  "residual, 500 ms, 20 %, robust",
  robust.map((report) => report.stream.residual),
  1e-4,
  (value) => value.toExponential(1),
);
addRow(
  "  forward bytes / payload",
  robust.map((report) => report.forward),
  1.37,
  (value) => value.toFixed(3),
);

const asymmetric = runAll(findScenario("asymmetric").options);
addRow(
  "6 + 3 Mbit/s carrying 6: forward bytes / payload",
  asymmetric.map((report) => report.forward),
  1.1,
  (value) => value.toFixed(3),
);
addRow(
  "  residual",
  asymmetric.map((report) => report.stream.residual),
  undefined,
  (value) => value.toExponential(1),
);

measureCut();
measureReturn();
measureCollapse();

const order = [...asymmetric, ...robust];
addRow(
  "packets out of order",
  order.map((report) => report.stream.outOfOrder),
  0,
  String,
);
addRow(
  "latency beyond buffer and path, ms",
  robust.map((report) => report.stream.latencyMs.max - 550),
  20,
  (value) => value.toFixed(1),
);
measureDeterminism();

console.log(isJson ? JSON.stringify({ seeds, rows }, null, 2) : table(rows));
if (argv.includes("--live")) await measureLive();
process.exit(rows.every((row) => row.isMet) ? 0 : 1);

function runAll(options: Omit<ExperimentOptions, "seed">): ExperimentReport[] {
  return seeds.map((seed) => new Experiment({ ...options, seed }).run());
}

function addRow(
  name: string,
  values: readonly number[],
  limit: number | undefined,
  show: (value: number) => string,
): void {
  const sorted = [...values].sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1]!;
  const worst = sorted.at(-1)!;
  const target =
    limit === undefined ? "" : `<= ${limit < 0.01 && limit > 0 ? limit.toExponential(0) : limit}`;
  rows.push({
    name,
    target,
    median: show(median),
    worst: show(worst),
    isMet: limit === undefined || median <= limit,
  });
}

/** Fast link cut: packets lost, and how long media is still given to the dead link. */
function measureCut(): void {
  const scenario = findScenario("cut-fast");
  const lasts: number[] = [];
  const reports = seeds.map((seed) => {
    let last = 0;
    let before = -1;
    const report = new Experiment({
      ...scenario.options,
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
  addRow(
    "fast link cut, 300 ms: packets lost",
    reports.map((report) => report.stream.lost),
    20,
    String,
  );
  addRow("  media on the dead link for, ms", lasts, 500, String);
}

/** The link comes back: time until it carries 80 % of its earlier share. */
function measureReturn(): void {
  const scenario = findScenario("return");
  const times: number[] = [];
  const losses: number[] = [];
  for (const seed of seeds) {
    let share = 0;
    let backMs = Number.POSITIVE_INFINITY;
    let lostBefore = 0;
    let lostAfter = 0;
    new Experiment({
      ...scenario.options,
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
  addRow("link returns: 80 % of its share after, ms", times, 3000, String);
  addRow("  packets lost from then on", losses, 2, String);
}

/** Link 2 falls to 1.5 Mbit/s: drops of its queue after 5 s, and the estimate after 10 s. */
function measureCollapse(): void {
  const scenario = findScenario("collapse");
  const drops: number[] = [];
  const errors: number[] = [];
  for (const seed of seeds) {
    let atFive = { offered: 0, dropped: 0 };
    let drop = 0;
    let error = 1;
    new Experiment({
      ...scenario.options,
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
  addRow("link collapses: queue drops after 5 s", drops, 0.02, (value) => value.toFixed(4));
  addRow("  error of the estimate after 10 s", errors, 0.2, (value) => value.toFixed(3));
}

function measureDeterminism(): void {
  const options = { ...findScenario("static").options, durationMs: 30_000, seed: 1 };
  const started = process.cpuUsage();
  const first = new Experiment(options).run();
  const used = process.cpuUsage(started);
  const second = new Experiment(options).run();
  const speed = first.virtualMs / ((used.user + used.system) / 1000);
  addRow("runs of one seed that differ", [first.eventHash === second.eventHash ? 0 : 1], 0, String);
  rows.push({
    name: "virtual time / CPU time at 10 Mbit/s",
    target: ">= 100",
    median: speed.toFixed(0),
    worst: speed.toFixed(0),
    isMet: speed >= 100,
  });
}

async function measureLive(): Promise<void> {
  const peers: Peer[] = ["own"];
  if (isInstalled("ristsender")) peers.push("librist");
  if (hasElement("ristsink")) peers.push("gstreamer");
  console.log(`\nlibrist ${versionOf("ristreceiver")}, GStreamer ${versionOf("gst-launch-1.0")}\n`);
  console.log(
    "| case | system | residual | hole | out of order | forward | back | p99 ms | CPU send, receive ms/Mbit |",
  );
  console.log("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
  const lossy = (loss: number) => [{ forward: { delayMs: 50, loss }, backward: { delayMs: 50, loss } }];
  const asymmetricLinks = [
    { forward: { delayMs: 30, loss: 0.01, rateBps: 6e6 }, backward: { delayMs: 30 }, weight: 10 },
    { forward: { delayMs: 80, loss: 0.03, rateBps: 3e6 }, backward: { delayMs: 80 }, weight: 5 },
  ];
  const cases: (Omit<LiveRunOptions, "sender" | "receiver" | "profile"> & { name: string })[] = [
    ...[0.1, 0.2, 0.3].map((loss) => ({
      name: `500 ms, ${100 * loss} %`,
      links: lossy(loss),
      bufferMs: 500,
      bitrateBps: 10e6,
      seconds: 8,
    })),
    { name: "6 + 3 Mbit/s carrying 6", links: asymmetricLinks, bufferMs: 500, bitrateBps: 6e6, seconds: 8 },
    {
      name: "fast link cut, 300 ms",
      links: [
        { forward: { delayMs: 25, rateBps: 10e6, loss: 0.01 }, backward: { delayMs: 25 } },
        { forward: { delayMs: 60, rateBps: 10e6, loss: 0.01 }, backward: { delayMs: 60 } },
      ],
      bufferMs: 300,
      bitrateBps: 8e6,
      seconds: 8,
      actions: [
        {
          atSeconds: 6,
          run: ([fast]) => {
            fast!.isCut = true;
          },
        },
      ],
    },
  ];
  for (const { name, ...options } of cases) {
    for (const peer of peers) {
      const profile = peer === "gstreamer" ? "simple" : "main";
      const { stream, ...report } = await liveRun({ ...options, profile, sender: peer, receiver: peer });
      const cpu = `${report.senderCpu.toFixed(1)}, ${report.receiverCpu.toFixed(1)}`;
      console.log(
        `| ${name} | ${peer} | ${stream.residual.toExponential(1)} | ${stream.longestHole} | ${stream.outOfOrder} | ${report.forward.toFixed(3)} | ${report.backward.toFixed(4)} | ${stream.latencyMs.p99} | ${cpu} |`,
      );
    }
  }
}

function table(all: readonly Row[]): string {
  const lines = all.map(
    (row) =>
      `| ${row.name} | ${row.target} | ${row.median} | ${row.worst} | ${row.target === "" ? "" : row.isMet ? "yes" : "NO"} |`,
  );
  return [
    "| virtual time | target | median | worst | met |",
    "| --- | --- | --- | --- | --- |",
    ...lines,
  ].join("\n");
}

function option(name: string): string | undefined {
  const at = argv.indexOf(name);
  return at < 0 ? undefined : argv[at + 1];
}
