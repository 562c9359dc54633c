import { type RunUpSummary, timeAxis } from "@longwave/archive";
import { printResult } from "../output.ts";
import { bitrateBps, indexShare, lengthText, startSourceText, startText } from "./format.ts";
import { withArchive } from "./with-archive.ts";

/** `longwave archive info STORE ID`. */
export async function info(store: string, id: string, options: { json?: boolean }): Promise<void> {
  const { found, runUps } = await withArchive(
    store,
    async (archive) => ({ found: await archive.info(id), runUps: await archive.runUps(id) }),
    { mustExist: true },
  );
  const { counts, segments } = found;
  const axis = timeAxis(found);
  const gaps = axis.gaps().map(({ sample, ns }) => ({
    sample,
    seconds: Number(ns) / 1e9,
    resumes: new Date(Number(axis.timeOf(sample)! / 1_000_000n)).toISOString(),
  }));
  printResult(options.json === true, { ...found, runUps, gaps }, () => [
    `${found.id} (${found.state})`,
    `  length      ${lengthText(found.frames)} (${found.frames} sample frames, ${found.channels} channels)`,
    `  begins      ${startText(found)}${found.start === undefined ? "" : ` (${startSourceText(found.start)})`}`,
    ...gapLines(gaps),
    `  source      ${found.source.name ?? "-"}${found.source.container ? ` (${found.source.container})` : ""}${found.source.truncated === true ? ", truncated: it ended in the middle of something" : ""}`,
    `  packets     ${found.packets}, ${(bitrateBps(found) / 1000).toFixed(1)} kbit/s, ${segments.length} segments`,
    `  irregular   ${counts.lost} lost, ${counts.malformed} malformed, ${counts.dtx} silent`,
    `  seek points ${counts.provenPoints} of ${counts.points} proven, ${counts.checkpoints} states, longest run-up ${counts.maxRunUp} packets`,
    `  run-ups     ${histogram(runUps)}`,
    `  index       ${counts.indexBytes} bytes (${indexShare(found).toFixed(2)} %), run-ups stored twice ${counts.preRollBytes} bytes${found.overlap === true ? ", overlapping chunks" : ""}`,
    `  decoder     ${found.profile}`,
    `  packets     sha256 ${found.packetsSha256}`,
  ]);
}

/** Gaps that are listed; with `--json` all of them. */
const listedGaps = 10;

function gapLines(gaps: readonly { sample: number; seconds: number; resumes: string }[]): string[] {
  if (gaps.length === 0) return [];
  const missing = gaps.reduce((sum, gap) => sum + gap.seconds, 0);
  const lines = gaps
    .slice(0, listedGaps)
    .map(
      ({ sample, seconds, resumes }) =>
        `              ${seconds.toFixed(3)} s at sample ${sample}, goes on ${resumes}`,
    );
  const more = gaps.length - lines.length;
  return [
    `  gaps        ${gaps.length}, ${missing.toFixed(3)} s in which nothing was recorded`,
    ...lines,
    ...(more > 0 ? [`              and ${more} more`] : []),
  ];
}

/** `12 of 0, 40 of 1-8 packets, 3 states, 5 from an earlier point`. */
function histogram(summary: RunUpSummary | undefined): string {
  if (summary === undefined) return "-";
  const { runUps, states, unproven } = summary;
  const steps = [0, 8, 16, 32, 64, 128];
  const parts = runUps.map(({ atMost, points }) => {
    if (atMost === 0) return `${points} of 0`;
    const from = (steps.findLast((step) => step < atMost) ?? 0) + 1;
    return `${points} of ${from}-${atMost > 128 ? "more" : atMost}`;
  });
  return `${parts.join(", ") || "none"} packets; ${states} states, ${unproven} from an earlier point`;
}
