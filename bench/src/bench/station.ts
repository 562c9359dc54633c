// The whole station against its targets: what each stage costs, a long run in virtual time, each link cut, a run in real time,
// several stations in one process. `--only stages,virtual,cuts,live,several` runs some of them, `--stations N` sets how many (default 6), `--hours N` sets the virtual length (default: what fits one minute),
// `--seconds N` the real one (default 45), `--json` prints JSON, `--require` fails where a target is missed.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { printReport } from "../side-by-side.js";
import { cutLinks } from "../station-bench/cut-links.js";
import { runInRealTime } from "../station-bench/real-time.js";
import { stationRows } from "../station-bench/rows.js";
import { runSeveral } from "../station-bench/several-stations.js";
import { measureStages } from "../station-bench/stages.js";
import { runVirtually } from "../station-bench/virtual-run.js";

const option = (name: string) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
};
const hours = option("--hours");
const wanted = option("--only")?.split(",");
const isWanted = (name: string) => wanted?.includes(name) ?? true;
const folder = mkdtempSync(join(tmpdir(), "longwave-station-bench-"));

try {
  if (isWanted("stages")) await measureStages(folder);
  if (isWanted("virtual")) await runVirtually(folder, hours === undefined ? undefined : Number(hours));
  if (isWanted("cuts")) await cutLinks();
  if (isWanted("live")) await runInRealTime(folder, Number(option("--seconds") ?? 45));
  if (isWanted("several"))
    await runSeveral(folder, Number(option("--stations") ?? 6), Number(option("--seconds") ?? 45));
  printReport("Station", stationRows);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
