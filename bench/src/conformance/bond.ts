// npm run conformance -- bond [--json] [--seconds 6] [--parallel 3] [--only name;...] [--repeat 1] [--baseline]
// Our sender and receiver against librist (rist-tools) and GStreamer over UDP on loopback, 5 % loss and 100 ms round trip
// through the impairment proxy, 1 s of buffer. Passes where nothing is lost, nothing damaged and nothing out of order.
// --repeat runs every case so often, each time with other fates of the packets; --baseline adds GStreamer to GStreamer, which is
// shown beside ours and not judged.
import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSrpVerifier, formatSrpLine } from "@longwave/bond";
import { nodeCrypto } from "@longwave/bond/node";
import type { LiveRunOptions, Peer } from "../bond-peers/live-options.ts";
import { liveRun } from "../bond-peers/live-run.ts";
import { hasElement, isInstalled, versionOf } from "../bond-peers/peer-process.ts";

const { argv } = process;
const isJson = argv.includes("--json");
const seconds = Number(option("--seconds") ?? 6);
const parallel = Number(option("--parallel") ?? 3);
const only = option("--only")?.split(";");
const repeat = Number(option("--repeat") ?? 1);
const maxStallMs = 250;
const impaired = { delayMs: 50, loss: 0.05 };
const link = { forward: impaired, backward: impaired };
const base = {
  profile: "main",
  links: [link],
  bufferMs: 1000,
  bitrateBps: 2e6,
  warmupSeconds: 2,
  seconds,
} as const;
const srp = { username: "anna", password: "hunter2", file: makeUsers("anna", "hunter2") };

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
  { name: "main, eap-srp", options: { ...base, srp } },
  { name: "main, eap-srp, psk 256", options: { ...base, srp, secret: "sphinx", aesBits: 256 } },
  { name: "main, eap-srp, receiver calls", options: { ...base, srp, isSwapped: true } },
  {
    name: "main, eap-srp, wrong password",
    options: { ...base, srp: { ...srp, password: "guess" } },
    isRefusal: true,
  },
];
const gstreamer: readonly Case[] = [
  { name: "simple", options: { ...base, profile: "simple" } },
  { name: "simple, two links", options: { ...base, profile: "simple", links: [link, link] } },
];
/** GStreamer's requests lose their header where the first number is from 0xa000 to 0xbfff. */
const bareNacks: Case = {
  name: "simple, bare NACKs",
  options: { ...base, profile: "simple", ownSenderFlags: ["--first-sequence", String(0xa000)] },
};

interface Row {
  readonly name: string;
  readonly seed: number;
  readonly passed: boolean;
  readonly sent: number;
  readonly lost: number;
  readonly outOfOrder: number;
  readonly damaged: number;
  readonly forward: number;
  readonly p99Ms: number;
  readonly stallMs: number;
}

const results: Row[] = [];
let failures = 0;
const pairs: (readonly [Case, Peer, Peer])[] = [];
if (isInstalled("ristsender") && isInstalled("ristreceiver")) {
  for (const each of librist) pairs.push([each, "own", "librist"], [each, "librist", "own"]);
} else console.error("skipped: rist-tools are not installed");
if (hasElement("ristsrc") && hasElement("rtpmp2tpay")) {
  pairs.push([bareNacks, "own", "gstreamer"]);
  for (const each of gstreamer) {
    pairs.push([each, "own", "gstreamer"], [each, "gstreamer", "own"]);
    if (argv.includes("--baseline")) pairs.push([each, "gstreamer", "gstreamer"]);
  }
} else console.error("skipped: GStreamer's RIST elements are not installed");
for (const each of librist) pairs.push([each, "own", "own"]);
const waiting = pairs
  .filter((pair) => only === undefined || only.some((part) => nameOf(...pair).includes(part)))
  .flatMap((pair) => Array.from({ length: repeat }, (_, index) => [...pair, index + 1] as const));
await Promise.all(
  Array.from({ length: parallel }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await check(...next);
  }),
);
if (repeat > 1 && !isJson) {
  for (const name of new Set(results.map((row) => row.name))) {
    const runs = results.filter((row) => row.name === name);
    const lost = runs.map((row) => row.lost).sort((a, b) => a - b);
    console.log(
      `${name}: ${runs.filter((row) => row.passed).length} of ${runs.length} passed, lost ${lost.join(" ")}`,
    );
  }
}

if (isJson) {
  const versions = { librist: versionOf("ristreceiver"), gstreamer: versionOf("gst-launch-1.0") };
  console.log(JSON.stringify({ versions, results }, null, 2));
}
console.error(`${results.length - failures} passed, ${failures} failed`);
process.exit(failures === 0 ? 0 : 1);

function nameOf(each: Case, sender: Peer, receiver: Peer): string {
  return `${sender} -> ${receiver}: ${each.name}`;
}

async function check(each: Case, sender: Peer, receiver: Peer, seed: number): Promise<void> {
  const name = nameOf(each, sender, receiver);
  const run = { ...each.options, sender, receiver, seed };
  let report = await liveRun(run);
  // A pause of this process (the source, the links and the check) is no fault of the ends: such a run is repeated.
  for (let repeats = 0; report.stallMs > maxStallMs && repeats < 2; repeats++) {
    if (!isJson) console.log(`     ${name}: repeated, this process paused for ${report.stallMs} ms`);
    report = await liveRun(run);
  }
  const { stream } = report;
  // GStreamer paces by arrival; what it delivers is judged the same.
  const passed =
    each.isRefusal === true
      ? stream.delivered === 0
      : stream.lost === 0 && stream.outOfOrder === 0 && report.damaged === 0 && stream.damaged === 0;
  const isBaseline = sender !== "own" && receiver !== "own";
  if (!passed && !isBaseline) failures++;
  const row: Row = {
    name,
    seed,
    passed,
    sent: stream.sent,
    lost: stream.lost,
    outOfOrder: stream.outOfOrder,
    damaged: report.damaged + stream.damaged,
    forward: Number(report.forward.toFixed(3)),
    p99Ms: stream.latencyMs.p99,
    stallMs: report.stallMs,
  };
  results.push(row);
  if (!isJson) {
    const verdict = passed ? "ok  " : isBaseline ? "    " : "FAIL";
    console.log(
      `${verdict} ${name}: ${stream.lost} of ${stream.sent} lost, ${stream.outOfOrder} out of order, ${row.damaged} damaged, forward ${row.forward}, p99 ${row.p99Ms} ms`,
    );
  }
  if (!passed && stream.lost > 0 && !isJson) console.log(`     lost: ${stream.firstLost.join(", ")}`);
  if (!passed && argv.includes("--verbose")) console.error(report.peerOutput.slice(0, 4000));
}

/** A file of verifiers, by librist's own tool where it is installed. */
function makeUsers(username: string, password: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "longwave-srp-")), "users");
  const made = spawnSync("ristsrppasswd", [username, password], { encoding: "utf8" });
  const crypto = nodeCrypto;
  const own = () => ({
    ...createSrpVerifier(crypto, username, password, { hasZeroState: true }),
    version: 2 as const,
  });
  writeFileSync(file, made.status === 0 ? made.stdout : `${formatSrpLine(username, own())}\n`);
  return file;
}

function option(name: string): string | undefined {
  const at = argv.indexOf(name);
  return at < 0 ? undefined : argv[at + 1];
}
