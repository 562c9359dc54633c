import { type FuzzTarget, fuzzParser } from "@longwave/testkit";

/**
 * The command line of a fuzz run: `<duration>` such as `30s`, `10m`, or `--count N`, and `--seed N` (default 1). Prints one
 * summary; an escape ends the process with its error.
 */
export function runFuzz(name: string, target: FuzzTarget, args: readonly string[]): void {
  const option = (flag: string): number | undefined => {
    const at = args.indexOf(flag);
    return at < 0 ? undefined : Number(args[at + 1]);
  };
  const seed = option("--seed") ?? 1;
  const inputs = option("--count");
  const started = performance.now();
  const report = fuzzParser(target, {
    seed,
    ...(inputs === undefined ? { untilMs: started + durationMs(args[0] ?? "10s") } : { inputs }),
  });
  const seconds = (performance.now() - started) / 1000;
  console.log(`${name}: ${report.inputs} inputs in ${seconds.toFixed(1)} s, seed ${seed}, no escape`);
  console.log(
    `accepted ${report.accepted}; slowest ${report.slowestMs.toFixed(1)} ms; peak RSS ${report.peakRssMb} MB`,
  );
  for (const [code, count] of Object.entries(report.refused).sort()) console.log(`${code}: ${count}`);
}

function durationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(s|m|h)?$/.exec(text);
  if (match === null) throw new Error(`${text} is no duration; say 30s, 10m or 1h.`);
  return Number(match[1]) * { s: 1000, m: 60_000, h: 3_600_000 }[(match[2] ?? "s") as "s" | "m" | "h"];
}
