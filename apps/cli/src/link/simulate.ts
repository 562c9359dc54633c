import { Experiment, findScenario, LinkTrace, renderTrace, scenarios, traceCsv } from "@longwave/netsim";
import { printLine, printResult } from "../output.ts";
import { replaceFile } from "../replace-file.ts";

interface SimulateOptions {
  readonly seed: number;
  readonly duration?: number;
  readonly log?: string;
  readonly plot?: string;
  readonly json?: boolean;
}

/** `longwave link simulate`: a scenario in virtual time. The same seed gives the same run on every machine. */
export async function simulate(name: string | undefined, options: SimulateOptions): Promise<void> {
  if (name === undefined) {
    for (const each of scenarios) {
      if (options.json === true)
        printLine(JSON.stringify({ name: each.name, description: each.description }));
      else printLine(`${each.name.padEnd(20)} ${each.description}`);
    }
    return;
  }
  const scenario = findScenario(name);
  const trace = new LinkTrace();
  const report = new Experiment({
    ...scenario.options,
    seed: options.seed,
    ...(options.duration === undefined ? {} : { durationMs: 1000 * options.duration }),
    onSample: (experiment, timeMs) => trace.sample(experiment, timeMs),
  }).run();
  if (options.log !== undefined) await replaceFile(options.log, traceCsv(trace));
  if (options.plot !== undefined)
    await replaceFile(options.plot, renderTrace(trace, `${name}, seed ${options.seed}`));
  const { stream } = report;
  printResult(options.json === true, { scenario: name, seed: options.seed, ...report }, () => [
    scenario.description,
    `${stream.sent} packets, ${stream.lost} lost (${stream.residual.toExponential(1)}), ${stream.outOfOrder} out of order, longest hole ${stream.longestHole}`,
    `latency ${stream.latencyMs.p50} / ${stream.latencyMs.p99} / ${stream.latencyMs.max} ms (median, p99, most)`,
    `sent ${report.forward.toFixed(3)} of the payload, ${report.backward.toFixed(4)} back`,
    ...report.sender.links.map((link) => {
      const estimate = (link.estimatedCapacityBps / 1e6).toFixed(1);
      return `${link.id}: ${link.phase}, share ${link.share.toFixed(2)}, round trip ${link.rttMs.toFixed(0)} ms, ${estimate} Mbit/s, ${link.retransmissions} repeats`;
    }),
    `events ${report.eventHash}`,
  ]);
}
