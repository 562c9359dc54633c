/** One row of the target table of docs/benchmarks.md. */
export interface TargetRow {
  /** Number of the target. */
  readonly number: string;
  readonly what: string;
  readonly target: string;
  readonly figure: string;
  /** Undefined: a peer's figure or a remark, nothing to reach. */
  readonly ok?: boolean;
}

const rows: TargetRow[] = [];

/** Prints a row as soon as it is known. */
export function report(row: TargetRow): void {
  rows.push(row);
  if (process.argv.includes("--json")) return;
  if (rows.length === 1) {
    console.log("| # | what | target | figure | |\n| --- | --- | --- | --- | --- |");
  }
  const verdict = row.ok === undefined ? "" : row.ok ? "ok" : "MISSED";
  console.log(`| ${row.number} | ${row.what} | ${row.target} | ${row.figure} | ${verdict} |`);
}

export function finishReport(): void {
  if (process.argv.includes("--json")) console.log(JSON.stringify({ node: process.version, rows }, null, 2));
  const missed = rows.filter((row) => row.ok === false).length;
  if (missed > 0 && process.argv.includes("--require")) process.exitCode = 1;
  console.error(`\n${rows.filter((row) => row.ok === true).length} reached, ${missed} missed`);
}

/** Value at a share of a sorted copy. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
