/** One measured run. */
export interface BenchRun {
  readonly kind: "cold" | "warm";
  readonly synthesisMs: number;
  readonly audioMs: number;
  readonly firstMs: number;
  readonly cpuMs: number;
}

export interface Spread {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
}

/** Adds each run's real-time factor (synthesis time by audio time) and the spread over the warm runs. */
export function aggregate(runs: readonly BenchRun[]): {
  runs: (BenchRun & { rtf: number })[];
  rtf: Spread;
  firstMs: Spread;
  synthesisMs: Spread;
} {
  const withRtf = runs.map((run) => ({ ...run, rtf: run.synthesisMs / run.audioMs }));
  const warm = withRtf.filter(({ kind }) => kind === "warm");
  return {
    runs: withRtf,
    rtf: spread(warm.map(({ rtf }) => rtf)),
    firstMs: spread(warm.map(({ firstMs }) => firstMs)),
    synthesisMs: spread(warm.map(({ synthesisMs }) => synthesisMs)),
  };
}

function spread(values: readonly number[]): Spread {
  return {
    min: Math.min(...values),
    max: Math.max(...values),
    mean: values.reduce((sum, value) => sum + value, 0) / values.length,
  };
}
