// npm run bench -- bond [--json] [--seeds 3] [--seconds 8] [--only virtual|live]
// The targets of the bonding specification, in virtual time and live beside librist and GStreamer over UDP on loopback through our
// impairment proxy. Virtual figures are the same on every machine; live ones want a quiet one. About four minutes.
import { measureLive } from "../bond-peers/live-targets.ts";
import { versionOf } from "../bond-peers/peer-process.ts";
import { TargetTable } from "../bond-peers/target-table.ts";
import { measureVirtual } from "../bond-peers/virtual-targets.ts";

const { argv } = process;
const isJson = argv.includes("--json");
const only = option("--only");
const seeds = Array.from({ length: Number(option("--seeds") ?? 3) }, (_, index) => index + 1);
const table = new TargetTable(isJson);
const versions = { librist: versionOf("ristreceiver"), gstreamer: versionOf("gst-launch-1.0") };

if (only !== "live") measureVirtual(table, seeds);
if (only !== "virtual") {
  if (!isJson) console.log(`\nlibrist ${versions.librist}, GStreamer ${versions.gstreamer}`);
  await measureLive(table, Number(option("--seconds") ?? 8));
}
if (isJson) console.log(JSON.stringify({ seeds, versions, rows: table.rows }, null, 2));
console.error(
  `${table.missed} of ${table.rows.filter((row) => row.isMet !== undefined).length} targets missed`,
);
process.exit(table.missed === 0 ? 0 : 1);

function option(name: string): string | undefined {
  const at = argv.indexOf(name);
  return at < 0 ? undefined : argv[at + 1];
}
