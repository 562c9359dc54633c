/** One contestant of a comparison; `run` does `unitsPerRun` units of work (transforms, seconds of sound ...). */
export interface Contestant {
  readonly name: string;
  readonly run: () => void;
  /** Default 1. */
  readonly unitsPerRun?: number;
}

export interface Measured {
  readonly name: string;
  /** Median CPU microseconds a unit. */
  readonly microseconds: number;
  /** (largest - smallest) / median of the rounds. */
  readonly spread: number;
}

/**
 * Runs all contestants in turn, `rounds` times over, so that a slow moment of the machine hits everybody; reports CPU time
 * (user + system), median of the rounds.
 */
export function sideBySide(
  contestants: readonly Contestant[],
  options: { rounds?: number; millisecondsPerRound?: number } = {},
): Measured[] {
  const rounds = options.rounds ?? 9;
  const budget = options.millisecondsPerRound ?? 60;
  const counts = contestants.map((contestant) => calibrate(contestant.run, budget));
  const times: number[][] = contestants.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, contestant] of contestants.entries()) {
      const runs = counts[index]!;
      const before = process.cpuUsage();
      for (let i = 0; i < runs; i++) contestant.run();
      const used = process.cpuUsage(before);
      times[index]!.push((used.user + used.system) / (runs * (contestant.unitsPerRun ?? 1)));
    }
  }
  return contestants.map(({ name }, index) => {
    const sorted = times[index]!.sort((a, b) => a - b);
    const median = sorted[sorted.length >> 1]!;
    return { name, microseconds: median, spread: (sorted[sorted.length - 1]! - sorted[0]!) / median };
  });
}

/** Warms up for at least one budget and returns how many runs fill it. */
function calibrate(run: () => void, budget: number): number {
  let runs = 1;
  for (;;) {
    const started = performance.now();
    for (let i = 0; i < runs; i++) run();
    const elapsed = performance.now() - started;
    if (elapsed >= budget) return Math.max(1, Math.round((runs * budget) / elapsed));
    runs *= 2;
  }
}

/**
 * Prints JSON with `--json`, else a table. With `--require` a row that says MISSED makes the process exit with 1: for gates
 * on quiet machines.
 */
export function printReport(title: string, rows: readonly Readonly<Record<string, string | number>>[]): void {
  if (process.argv.includes("--require") && rows.some((row) => JSON.stringify(row).includes("MISSED"))) {
    process.exitCode = 1;
  }
  if (process.argv.includes("--json")) {
    console.log(JSON.stringify({ title, node: process.version, arch: process.arch, rows }, null, 2));
    return;
  }
  const names = Object.keys(rows[0] ?? {});
  console.log(`## ${title} (Node ${process.version}, ${process.arch})\n`);
  console.log(`| ${names.join(" | ")} |\n| ${names.map(() => "---").join(" | ")} |`);
  for (const row of rows) console.log(`| ${names.map((name) => row[name]).join(" | ")} |`);
}
