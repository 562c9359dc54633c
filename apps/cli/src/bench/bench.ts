import { cpus } from "node:os";
import { printLine, progress } from "../output.ts";
import type { MeasureGroup } from "./measure-groups.ts";
import { measures, type Run } from "./measures.ts";

export interface BenchOptions {
  /** Seconds of sound a run. */
  readonly seconds: number;
  readonly runs: number;
  readonly json?: boolean;
}

/** A measured row: seconds of sound a CPU second, the median of the runs and its spread. */
interface BenchRow {
  readonly group: MeasureGroup;
  readonly what: string;
  readonly timesRealTime: number;
  /** Largest distance of a run from the median, as a share of it. */
  readonly spread: number;
  readonly runs: number;
  readonly note?: string;
}

/** `longwave bench [GROUP...]`: each measure on this machine, one row as soon as it is known. */
export async function bench(groups: readonly MeasureGroup[], options: BenchOptions): Promise<void> {
  const { seconds, runs, json = false } = options;
  const machine = {
    processor: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    node: process.versions.node,
  };
  const rows: BenchRow[] = [];
  if (!json) {
    printLine(
      `${machine.processor}, ${machine.cores} cores, Node ${machine.node}; ${seconds} s of sound, median of ${runs}`,
    );
    printLine(`${"".padEnd(56)}x real time  spread`);
  }
  for (const { group, name, prepare } of measures) {
    if (groups.length > 0 && !groups.includes(group)) continue;
    progress(`measuring: ${name}`);
    const run = await prepare(seconds);
    // The engine compiles in the first one.
    await run();
    const results: Run[] = [];
    for (let i = 0; i < runs; i++) results.push(await run());
    results.sort((a, b) => speedOf(a) - speedOf(b));
    const middle = results[Math.floor(runs / 2)]!;
    const { note } = middle;
    const median = speedOf(middle);
    const spread = Math.max(median - speedOf(results[0]!), speedOf(results.at(-1)!) - median) / median;
    const row = { group, what: name, timesRealTime: round(median), spread: round(spread), runs };
    rows.push(note === undefined ? row : { ...row, note });
    if (json) continue;
    const figures = `${String(round(median)).padStart(11)}  ${`${Math.round(100 * spread)} %`.padStart(6)}`;
    printLine(`${name.padEnd(56)}${figures}${note === undefined ? "" : `  ${note}`}`);
  }
  if (json) printLine(JSON.stringify({ machine, seconds, rows }));
}

/** Seconds of sound a CPU second. */
function speedOf({ seconds, cpuMs }: Run): number {
  return (1000 * seconds) / Math.max(cpuMs, 0.001);
}

/** Three digits are more than a machine repeats. */
function round(value: number): number {
  return Number(value.toPrecision(3));
}
