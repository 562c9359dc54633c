// npm run conformance -- bond [--json] [--seconds 6] [--only name,...]
// Our sender and receiver against librist (rist-tools) and GStreamer over UDP on loopback, 5 % loss and 100 ms round trip
// through the impairment proxy, 1 s of buffer. Passes where nothing is lost, nothing damaged and nothing out of order.
import { type LiveRunOptions, liveRun, type Peer } from "../bond-peers/live-run.ts";
import { hasElement, isInstalled, versionOf } from "../bond-peers/peer-process.ts";

const { argv } = process;
const isJson = argv.includes("--json");
const seconds = Number(option("--seconds") ?? 6);
const only = option("--only")?.split(",");
const impaired = { delayMs: 50, loss: 0.05 };
const link = { forward: impaired, backward: impaired };
const base = { profile: "main", links: [link], bufferMs: 1000, bitrateBps: 2e6, seconds } as const;

interface Case {
  readonly name: string;
  readonly options: Omit<LiveRunOptions, "sender" | "receiver">;
  /** Nothing may be delivered. */
  readonly isRefusal?: boolean;
}

const librist: readonly Case[] = [
  { name: "simple", options: { ...base, profile: "simple" } },
  { name: "main", options: base },
  { name: "main, psk 128", options: { ...base, secret: "sphinx128", aesBits: 128 } },
  { name: "main, psk 256", options: { ...base, secret: "sphinx256", aesBits: 256 } },
  {
    name: "main, wrong key",
    options: { ...base, secret: "sphinx", receiverSecret: "other" },
    isRefusal: true,
  },
  { name: "main, null packet deletion", options: { ...base, hasNulls: true } },
  { name: "main, receiver calls", options: { ...base, isSwapped: true } },
  { name: "main, two links", options: { ...base, links: [link, link] } },
  { name: "simple, two links", options: { ...base, profile: "simple", links: [link, link] } },
];
const gstreamer: readonly Case[] = [
  { name: "simple", options: { ...base, profile: "simple" } },
  { name: "simple, two links", options: { ...base, profile: "simple", links: [link, link] } },
];

const results: Record<string, unknown>[] = [];
let failures = 0;
if (isInstalled("ristsender") && isInstalled("ristreceiver")) {
  for (const each of librist) {
    await check(each, "own", "librist");
    await check(each, "librist", "own");
  }
} else console.error("skipped: rist-tools are not installed");
if (hasElement("ristsrc") && hasElement("rtpmp2tpay")) {
  for (const each of gstreamer) {
    await check(each, "own", "gstreamer");
    await check(each, "gstreamer", "own");
  }
} else console.error("skipped: GStreamer's RIST elements are not installed");
for (const each of librist) await check(each, "own", "own");

if (isJson) {
  const versions = { librist: versionOf("ristreceiver"), gstreamer: versionOf("gst-launch-1.0") };
  console.log(JSON.stringify({ versions, results }, null, 2));
}
console.error(`${results.length - failures} passed, ${failures} failed`);
process.exit(failures === 0 ? 0 : 1);

async function check(each: Case, sender: Peer, receiver: Peer): Promise<void> {
  const name = `${sender} -> ${receiver}: ${each.name}`;
  if (only !== undefined && !only.some((part) => name.includes(part))) return;
  const report = await liveRun({ ...each.options, sender, receiver });
  const { stream } = report;
  // GStreamer paces by arrival; what it delivers is judged the same.
  const passed =
    each.isRefusal === true
      ? stream.delivered === 0
      : stream.lost === 0 && stream.outOfOrder === 0 && report.damaged === 0 && stream.damaged === 0;
  if (!passed) failures++;
  const row = {
    name,
    passed,
    sent: stream.sent,
    lost: stream.lost,
    outOfOrder: stream.outOfOrder,
    damaged: report.damaged + stream.damaged,
    forward: Number(report.forward.toFixed(3)),
    p99Ms: stream.latencyMs.p99,
  };
  results.push(row);
  if (!isJson) {
    const verdict = passed ? "ok  " : "FAIL";
    console.log(
      `${verdict} ${name}: ${stream.lost} of ${stream.sent} lost, ${stream.outOfOrder} out of order, ${row.damaged} damaged, forward ${row.forward}, p99 ${row.p99Ms} ms`,
    );
  }
  if (!passed && argv.includes("--verbose")) console.error(report.peerOutput.slice(0, 4000));
}

function option(name: string): string | undefined {
  const at = argv.indexOf(name);
  return at < 0 ? undefined : argv[at + 1];
}
