import { verdict } from "../verdict.js";

/** A figure of the station beside its target, where it has one. */
export type StationRow = Readonly<Record<"what" | "value" | "target" | "verdict", string>>;

export const stationRows: StationRow[] = [];

/** Notes a figure and prints it at once: a run of hours must show what it has. */
export function row(what: string, value: string, target = "-", ok?: boolean): void {
  const said = ok === undefined ? "" : verdict(ok);
  stationRows.push({ what, value, target, verdict: said });
  process.stderr.write(`${what}: ${value}${target === "-" ? "" : `   target ${target}: ${said}`}\n`);
}

/** Processor time of this process so far, in milliseconds. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

export const megabytes = (bytes: number): number => bytes / 2 ** 20;

/** Memory is flat where the last third of the samples is no higher than the middle third, by 15 % and 10 MB at the most. */
export function memoryRow(what: string, samples: readonly number[]): void {
  const third = Math.floor(samples.length / 3);
  const mean = (values: readonly number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;
  const middle = megabytes(mean(samples.slice(third, 2 * third)));
  const last = megabytes(mean(samples.slice(2 * third)));
  const most = megabytes(Math.max(...samples));
  row(
    `${what}, middle third / last third / most`,
    `${middle.toFixed(0)} / ${last.toFixed(0)} / ${most.toFixed(0)} MB`,
    "< 400 MB, flat",
    most < 400 && last < middle * 1.15 + 10,
  );
}
