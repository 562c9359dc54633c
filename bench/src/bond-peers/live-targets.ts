import type { LinkModel } from "@longwave/netsim";
import type { LiveRunOptions, Peer } from "./live-options.ts";
import { type LiveRunReport, liveRun } from "./live-run.ts";
import { hasElement, isInstalled, PeerProcess } from "./peer-process.ts";
import type { TargetTable } from "./target-table.ts";
import { measureThroughput } from "./throughput.ts";

const ratio = (value: number) => (value === 0 ? "0" : value.toExponential(1));
const percent = (value: number) => value.toFixed(3);
const lossy = (loss: number): LiveRunOptions["links"] => {
  const model: LinkModel = { delayMs: 50, loss };
  return [{ forward: model, backward: model }];
};
const unequal: LiveRunOptions["links"] = [
  { forward: { delayMs: 30, loss: 0.01, rateBps: 6e6 }, backward: { delayMs: 30 }, weight: 10 },
  { forward: { delayMs: 80, loss: 0.03, rateBps: 3e6 }, backward: { delayMs: 80 }, weight: 5 },
];
const cut: Omit<LiveRunOptions, "sender" | "receiver" | "profile"> = {
  links: [
    { forward: { delayMs: 25, rateBps: 10e6, loss: 0.01 }, backward: { delayMs: 25 } },
    { forward: { delayMs: 60, rateBps: 10e6, loss: 0.01 }, backward: { delayMs: 60 } },
  ],
  bufferMs: 300,
  bitrateBps: 8e6,
  seconds: 6,
  actions: [
    {
      atSeconds: 5,
      run: ([fast]) => {
        fast!.isCut = true;
      },
    },
  ],
};
/** A run in which this process paused for longer is repeated once: it holds the source, the links and the check. */
const maxStallMs = 250;

/**
 * Every end in a process of its own, over UDP through the impairment proxy: our command line, librist's tools, GStreamer's pipelines,
 * each with its like, and the two targets against the other make.
 */
export async function measureLive(table: TargetTable, seconds: number): Promise<void> {
  const hasLibrist = isInstalled("ristsender") && isInstalled("ristreceiver");
  const hasGstreamer = hasElement("ristsink") && hasElement("rtpmp2tpay");
  const run = async (
    sender: Peer,
    receiver: Peer,
    options: Omit<LiveRunOptions, "sender" | "receiver" | "profile">,
  ) => {
    const profile = sender === "gstreamer" ? "simple" : "main";
    const settings: LiveRunOptions = { warmupSeconds: 2, ...options, profile, sender, receiver };
    const first = await liveRun(settings);
    if (first.stallMs <= maxStallMs) return first;
    const second = await liveRun(settings);
    return second.stallMs < first.stallMs ? second : first;
  };
  table.heading(
    "live",
    "forward, per delivered byte, back, out of order, p99 ms, CPU send + receive ms/Mbit, pause ms",
  );
  for (const [bufferMs, loss, limit] of [
    [500, 0.1, 1e-4],
    [500, 0.2, 1e-3],
    [500, 0.3, 6e-3],
    [300, 0.1, 1e-3],
  ] as const) {
    const name = `${bufferMs} ms, ${100 * loss} % both ways`;
    const options = { links: lossy(loss), bufferMs, bitrateBps: 10e6, seconds };
    const own = await run("own", "own", options);
    table.atMost(`${name}: own, residual`, own.stream.residual, limit, ratio, note(own));
    if (hasLibrist) {
      const peer = await run("librist", "librist", options);
      table.add(`${name}: librist`, "", ratio(peer.stream.residual), note(peer));
      if (loss === 0.3) {
        table.atMost(`${name}: own, forward`, own.forward, peer.forward + 0.01, percent);
        const delivered = perDelivered(peer);
        table.atMost(
          `${name}: own, forward per delivered byte`,
          perDelivered(own),
          delivered + 0.01,
          percent,
        );
      }
      if (loss === 0.1 && bufferMs === 500) await addCosts(table, own, peer);
    }
    if (hasGstreamer && loss === 0.1 && bufferMs === 500) {
      const peer = await run("gstreamer", "gstreamer", options);
      table.add(`${name}: GStreamer`, "", ratio(peer.stream.residual), note(peer));
    }
  }
  const bonded = { links: unequal, bufferMs: 500, bitrateBps: 6e6, seconds };
  const own = await run("own", "own", bonded);
  table.atMost("6 + 3 Mbit/s carrying 6: own, forward", own.forward, 1.1, percent, note(own));
  if (hasLibrist) {
    const mixed = await run("own", "librist", bonded);
    table.atMost("6 + 3 Mbit/s: own to librist, forward", mixed.forward, 1.15, percent, note(mixed));
    const peer = await run("librist", "librist", bonded);
    table.add("6 + 3 Mbit/s: librist, forward", "", percent(peer.forward), note(peer));
  }
  const ownCut = await run("own", "own", cut);
  table.atMost("fast link cut, 300 ms: own, packets lost", ownCut.stream.lost, 20, String, note(ownCut));
  if (hasLibrist) {
    const peer = await run("librist", "librist", cut);
    table.add("fast link cut, 300 ms: librist, packets lost", "", String(peer.stream.lost), note(peer));
    const options = { links: lossy(0.2), bufferMs: 500, bitrateBps: 10e6, seconds };
    const mixed = await run("librist", "own", options);
    table.atMost("500 ms, 20 %: librist to own, residual", mixed.stream.residual, 6e-4, ratio, note(mixed));
  }
  await measureThroughput(table);
}

/** CPU time against librist's, and resident memory beside librist's and that of a Node that does nothing. */
async function addCosts(table: TargetTable, own: LiveRunReport, peer: LiveRunReport): Promise<void> {
  const times = (value: number) => `${value.toFixed(2)} x`;
  const megabytes = (value: number) => value.toFixed(0);
  table.atMost("CPU per Mbit of the sender against librist's", own.senderCpu / peer.senderCpu, 2.5, times);
  table.atMost(
    "CPU per Mbit of the receiver against librist's",
    own.receiverCpu / peer.receiverCpu,
    2.5,
    times,
  );
  const bare = megabytes(await bareNodeMb());
  const note = (mb: number) => `librist ${megabytes(mb)}, a Node that waits ${bare}`;
  table.atMost("resident memory of the sender, MB", own.senderRssMb, 64, megabytes, note(peer.senderRssMb));
  table.atMost("... of the receiver", own.receiverRssMb, 64, megabytes, note(peer.receiverRssMb));
}

/** Resident memory of Node with an empty module, in megabytes: what any program in it starts from. */
async function bareNodeMb(): Promise<number> {
  const script = "console.log('ready'); setInterval(() => undefined, 1000)";
  const bare = new PeerProcess(process.execPath, ["--input-type=module", "-e", script]);
  await bare.firstLine();
  const megabytes = bare.rssMb();
  await bare.stop();
  return megabytes;
}

/** What is never delivered is not repeated to the end either: forward bytes per delivered byte compare systems that lose differently. */
function perDelivered(report: LiveRunReport): number {
  return report.forward / (1 - report.stream.residual);
}

function note(report: LiveRunReport): string {
  return [
    percent(report.forward),
    percent(perDelivered(report)),
    report.backward.toFixed(4),
    report.stream.outOfOrder,
    report.stream.latencyMs.p99,
    `${report.senderCpu.toFixed(1)} + ${report.receiverCpu.toFixed(1)}`,
    report.stallMs,
  ].join(", ");
}
