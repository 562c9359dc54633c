import type { Experiment } from "./experiment.ts";

/** One moment of one link: the truth of the network beside what the sender believes. */
export interface TraceSample {
  readonly timeMs: number;
  readonly link: string;
  readonly isUp: boolean;
  readonly trueCapacityBps: number | undefined;
  readonly trueLoss: number;
  readonly trueQueueMs: number;
  readonly trueRttMs: number;
  readonly phase: string;
  readonly capacityBps: number;
  readonly loss: number;
  readonly rttMs: number;
  readonly sentBps: number;
  readonly share: number;
}

/** Collects samples of every link while an experiment runs. */
export class LinkTrace {
  readonly samples: TraceSample[] = [];

  /** For `ExperimentOptions.onSample`. */
  sample(experiment: Experiment, timeMs: number): void {
    const nowUs = experiment.clock.nowUs();
    const { links } = experiment.sender.stats();
    for (const [index, link] of links.entries()) {
      const { forward, backward } = experiment.links[index]!;
      const { model } = forward;
      this.samples.push({
        timeMs,
        link: link.id,
        isUp: model.isUp !== false,
        trueCapacityBps: model.rateBps,
        trueLoss: forward.meanLoss,
        trueQueueMs: forward.queueDelayUs(nowUs) / 1000,
        trueRttMs: (model.delayMs ?? 0) + (backward.model.delayMs ?? 0) + forward.queueDelayUs(nowUs) / 1000,
        phase: link.phase,
        capacityBps: link.estimatedCapacityBps,
        loss: link.loss,
        rttMs: link.rttMs,
        sentBps: link.observedBps,
        share: link.share,
      });
    }
  }
}

/** The samples as CSV with a header line. */
export function traceCsv(trace: LinkTrace): string {
  const names: (keyof TraceSample)[] = [
    "timeMs",
    "link",
    "isUp",
    "trueCapacityBps",
    "trueLoss",
    "trueQueueMs",
    "trueRttMs",
    "phase",
    "capacityBps",
    "loss",
    "rttMs",
    "sentBps",
    "share",
  ];
  const lines = trace.samples.map((sample) => names.map((name) => String(sample[name] ?? "")).join(","));
  return `${names.join(",")}\n${lines.join("\n")}\n`;
}
