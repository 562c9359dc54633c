import { NetsimError } from "./errors.ts";
import type { Experiment, ExperimentAction, ExperimentOptions } from "./experiment.ts";
import { burstLoss, type LinkModel } from "./link-model.ts";

/** A named situation. Times of its events count from the start of the stream, warm-up included. */
export interface Scenario {
  readonly name: string;
  /** One sentence: what happens, and what a good system does. */
  readonly description: string;
  readonly options: Omit<ExperimentOptions, "seed">;
}

const both = (model: LinkModel) => ({ forward: model, backward: model });
const clean = (delayMs: number) => ({ delayMs });

/** Changes both directions of a link at a time. */
function change(atMs: number, link: number, model: LinkModel): ExperimentAction {
  return {
    atMs,
    run: (experiment: Experiment) => {
      experiment.links[link]!.forward.set(model);
      experiment.links[link]!.backward.set(model);
    },
  };
}

/** Changes the direction towards the receiver. */
function changeForward(atMs: number, link: number, model: LinkModel): ExperimentAction {
  return { atMs, run: (experiment) => experiment.links[link]!.forward.set(model) };
}

/** Steps of a linear change, one every 250 ms. */
function fade(fromMs: number, toMs: number, link: number, from: number, to: number, key: "loss" | "delayMs") {
  const actions: ExperimentAction[] = [];
  for (let atMs = fromMs; atMs <= toMs; atMs += 250) {
    const part = (atMs - fromMs) / (toMs - fromMs);
    actions.push(changeForward(atMs, link, { [key]: from + part * (to - from) }));
  }
  return actions;
}

const twoEqual = [
  { forward: { delayMs: 25, rateBps: 10e6, loss: 0.01 }, backward: clean(25) },
  { forward: { delayMs: 60, rateBps: 10e6, loss: 0.01 }, backward: clean(60) },
];

/** The presets; `findScenario` looks one up. */
export const scenarios: readonly Scenario[] = [
  {
    name: "static",
    description: "One link, 10 % loss both ways, 100 ms round trip: repeats recover nearly everything.",
    options: { bitrateBps: 10e6, bufferMs: 500, links: [both({ delayMs: 50, loss: 0.1 })] },
  },
  {
    name: "bursts",
    description: "One link, bursts of 20 packets towards the receiver, 10 % in the mean.",
    options: {
      bitrateBps: 10e6,
      bufferMs: 1000,
      links: [{ forward: { delayMs: 50, loss: burstLoss(0.1, 20) }, backward: clean(50) }],
    },
  },
  {
    name: "asymmetric",
    description:
      "6 Mbit/s over links of 6 Mbit/s at 30 ms and 3 Mbit/s at 80 ms: both are needed, little is repeated.",
    options: {
      bitrateBps: 6e6,
      bufferMs: 500,
      links: [
        { forward: { delayMs: 30, rateBps: 6e6, loss: 0.01 }, backward: clean(30) },
        { forward: { delayMs: 80, rateBps: 3e6, loss: 0.03 }, backward: clean(80) },
      ],
    },
  },
  {
    name: "cut-fast",
    description:
      "The fast one of two links is cut after 10 s: the hole is repeated over the slow one in time.",
    options: {
      bitrateBps: 8e6,
      bufferMs: 300,
      links: twoEqual,
      actions: [change(10_000, 0, { isUp: false })],
    },
  },
  {
    name: "cut-slow",
    description: "The slow one of two links is cut after 10 s: nothing is lost.",
    options: {
      bitrateBps: 8e6,
      bufferMs: 300,
      links: twoEqual,
      actions: [change(10_000, 1, { isUp: false })],
    },
  },
  {
    name: "return",
    description:
      "The fast link is away from 6 s to 10 s and then takes its share again, without a spike of loss.",
    options: {
      bitrateBps: 8e6,
      bufferMs: 300,
      durationMs: 17_000,
      links: twoEqual,
      actions: [change(6_000, 0, { isUp: false }), change(10_000, 0, { isUp: true })],
    },
  },
  {
    name: "collapse",
    description:
      "Link 2 falls from 6 to 1.5 Mbit/s after 6 s: its share follows, its queue does not overflow for long.",
    options: {
      bitrateBps: 9e6,
      bufferMs: 500,
      durationMs: 25_000,
      links: [
        { forward: { delayMs: 60, rateBps: 10e6 }, backward: clean(60) },
        { forward: { delayMs: 30, rateBps: 6e6 }, backward: clean(30) },
      ],
      actions: [changeForward(6_000, 1, { rateBps: 1.5e6 })],
    },
  },
  {
    name: "handover",
    description: "A moving receiver: one link fades out while the other fades in.",
    options: {
      bitrateBps: 4e6,
      bufferMs: 600,
      durationMs: 20_000,
      links: [
        { forward: { delayMs: 40, rateBps: 8e6 }, backward: clean(40) },
        { forward: { delayMs: 60, rateBps: 8e6, loss: 0.6 }, backward: clean(60) },
      ],
      actions: [...fade(6_000, 12_000, 0, 0, 0.6, "loss"), ...fade(5_000, 11_000, 1, 0.6, 0, "loss")],
    },
  },
  {
    name: "correlated-fade",
    description: "Both links lose a quarter of their packets for two seconds at the same time.",
    options: {
      bitrateBps: 4e6,
      bufferMs: 1000,
      links: [both({ delayMs: 30, rateBps: 8e6 }), both({ delayMs: 50, rateBps: 8e6 })],
      actions: [0, 1].flatMap((link) => [
        change(8_000, link, { loss: 0.25 }),
        change(10_000, link, { loss: 0 }),
      ]),
    },
  },
  {
    name: "satellite-cellular",
    description: "A steady satellite at 300 ms and a jittery cellular link at 50 ms with bursty loss.",
    options: {
      bitrateBps: 4e6,
      bufferMs: 1500,
      sender: { lifecycle: { maxRttMs: 1000 } },
      links: [
        { forward: { delayMs: 300, rateBps: 8e6, loss: 0.002 }, backward: clean(300) },
        {
          forward: { delayMs: 50, jitterMs: 30, rateBps: 5e6, loss: burstLoss(0.04, 10) },
          backward: clean(50),
        },
      ],
    },
  },
  {
    name: "return-loss",
    description: "Only feedback is lost, 40 % of it: media must not suffer.",
    options: {
      bitrateBps: 5e6,
      bufferMs: 500,
      links: [{ forward: { delayMs: 40, loss: 0.02 }, backward: { delayMs: 40, loss: 0.4 } }],
    },
  },
  {
    name: "feedback-starvation",
    description: "The whole way back is dead for 4 s while media still arrives: the sender goes on.",
    options: {
      bitrateBps: 5e6,
      bufferMs: 500,
      links: [{ forward: { delayMs: 40 }, backward: clean(40) }],
      actions: [
        { atMs: 8_000, run: (experiment) => experiment.links[0]!.backward.set({ isUp: false }) },
        { atMs: 12_000, run: (experiment) => experiment.links[0]!.backward.set({ isUp: true }) },
      ],
    },
  },
  {
    name: "reordering",
    description:
      "A tenth of the packets is overtaken by 10 ms: nothing is taken for lost after a moment of learning.",
    options: {
      bitrateBps: 5e6,
      bufferMs: 500,
      links: [{ forward: { delayMs: 40, reorder: 0.1, reorderMs: 10 }, backward: clean(40) }],
    },
  },
  {
    name: "duplication",
    description: "A tenth of the packets arrives twice: each is delivered once.",
    options: { bitrateBps: 5e6, bufferMs: 300, links: [both({ delayMs: 30, duplicate: 0.1 })] },
  },
  {
    name: "corruption",
    description: "One bit of every hundredth packet flips: such packets count as lost, nothing breaks.",
    options: { bitrateBps: 5e6, bufferMs: 500, links: [both({ delayMs: 30, corrupt: 0.01 })] },
  },
  {
    name: "small-mtu",
    description: "Link 2 passes nothing larger than 1280 bytes: media goes over link 1.",
    options: {
      bitrateBps: 4e6,
      bufferMs: 500,
      links: [
        { forward: { delayMs: 60, rateBps: 10e6 }, backward: clean(60) },
        { forward: { delayMs: 20, rateBps: 10e6, mtu: 1280 }, backward: clean(20) },
      ],
    },
  },
];

/** @throws NetsimError `netsim/bad-scenario` */
export function findScenario(name: string): Scenario {
  const found = scenarios.find((each) => each.name === name);
  if (found !== undefined) return found;
  throw new NetsimError(
    "netsim/bad-scenario",
    "usage",
    `${JSON.stringify(name)} is no scenario; use one of ${scenarios.map((each) => each.name).join(", ")}.`,
  );
}
