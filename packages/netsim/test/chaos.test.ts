import {
  Experiment,
  type ExperimentAction,
  type ExperimentReport,
  findScenario,
  scenarios,
} from "@longwave/netsim";
import { describe, expect, test } from "vitest";

const packetsPerSecond = 2e6 / (8 * 1316);

function run(actions: readonly ExperimentAction[], durationMs = 12_000): ExperimentReport {
  return new Experiment({
    seed: 4,
    bitrateBps: 2e6,
    bufferMs: 400,
    durationMs,
    links: [
      { forward: { delayMs: 20, loss: 0.02 }, backward: { delayMs: 20 } },
      { forward: { delayMs: 40, loss: 0.02 }, backward: { delayMs: 40 } },
    ],
    actions,
  }).run();
}

describe("chaos", () => {
  test("a receiver that restarts plays again after its buffer", () => {
    const { stream } = run([
      {
        atMs: 6000,
        run: (experiment) => {
          experiment.receiver.close();
          experiment.receiver = experiment.makeReceiver();
        },
      },
    ]);
    expect(stream.lost).toBeLessThan(0.6 * packetsPerSecond);
    expect(stream.outOfOrder).toBe(0);
  });

  test("a sender that restarts is followed, with a discontinuity", () => {
    const { stream, receiver } = run([
      {
        atMs: 6000,
        run: (experiment) => {
          experiment.sender.close();
          experiment.sender = experiment.makeSender();
        },
      },
    ]);
    expect(receiver.restarts).toBe(1);
    expect(receiver.discontinuities).toBeGreaterThanOrEqual(1);
    expect(stream.lost).toBeLessThan(1.5 * packetsPerSecond);
    expect(stream.outOfOrder).toBe(0);
  });

  test("a source that stalls for a second leaves no trace but its gap", () => {
    const { stream, receiver } = run([
      { atMs: 6000, run: (experiment) => experiment.stallSource(true) },
      { atMs: 7000, run: (experiment) => experiment.stallSource(false) },
    ]);
    // What the source never sent counts as lost in the stream, not at the receiver.
    expect(stream.lost).toBeLessThan(1.1 * packetsPerSecond);
    expect(receiver.lost).toBe(0);
  });

  test("both links cut for two seconds: it goes on by itself", () => {
    const set = (isUp: boolean) => (experiment: Experiment) => {
      for (const link of experiment.links) {
        link.forward.set({ isUp });
        link.backward.set({ isUp });
      }
    };
    const { stream } = run([
      { atMs: 6000, run: set(false) },
      { atMs: 8000, run: set(true) },
    ]);
    expect(stream.lost).toBeLessThan(2.6 * packetsPerSecond);
    expect(stream.outOfOrder).toBe(0);
  });

  test("a link that flaps every 1.5 s is not followed into loss", () => {
    const actions = Array.from({ length: 6 }, (_, index) => ({
      atMs: 4000 + 1500 * index,
      run: (experiment: Experiment) => {
        experiment.links[0]!.forward.set({ isUp: index % 2 === 1 });
        experiment.links[0]!.backward.set({ isUp: index % 2 === 1 });
      },
    }));
    expect(run(actions, 15_000).stream.residual).toBeLessThan(0.01);
  });
});

describe("answers that come late, as from a busy process", () => {
  // The way back wavers by up to 150 ms on both links: it looks like a queue, and is none.
  const late = { delayMs: 20, jitterMs: 150 };
  const links = [
    { forward: { delayMs: 20, rateBps: 8e6 }, backward: late },
    { forward: { delayMs: 60, rateBps: 8e6 }, backward: late },
  ];

  test("limit no link below what it carries, so that each can take over when the other is cut, and take turns again", () => {
    const limits: number[] = [];
    const set = (isUp: boolean) => (experiment: Experiment) => {
      experiment.links[0]!.forward.set({ isUp });
      experiment.links[0]!.backward.set({ isUp });
    };
    const { stream, sender } = new Experiment({
      seed: 6,
      bitrateBps: 3e6,
      bufferMs: 600,
      durationMs: 17_000,
      links,
      actions: [
        { atMs: 8000, run: set(false) },
        { atMs: 13_000, run: set(true) },
      ],
      onSample: (experiment, timeMs) => {
        const [first, second] = experiment.sender.stats().links;
        limits.push(second!.capacityBps);
        // A link that has just been cut loses everything, and may well be limited.
        if (timeMs < 8000) limits.push(first!.capacityBps);
      },
    }).run();
    expect(stream.outOfOrder).toBe(0);
    expect(stream.lost).toBeLessThanOrEqual(5);
    expect(Math.min(...limits)).toBeGreaterThan(3e6);
    expect(sender.links[0]!.share).toBeGreaterThan(0.5);
  });
});

describe("scenarios", () => {
  test.each([
    ["collapse", 1e-3],
    ["handover", 5e-3],
    ["feedback-starvation", 0],
    ["reordering", 1e-3],
    ["small-mtu", 1e-3],
    ["duplication", 0],
  ])("%s ends with a residual of at most %d", (name, limit) => {
    const { stream } = new Experiment({ ...findScenario(name).options, seed: 2 }).run();
    expect(stream.residual).toBeLessThanOrEqual(limit);
    expect(stream.outOfOrder).toBe(0);
    expect(stream.duplicates).toBe(0);
  });

  test("collapse is not taken for a link without any capacity when the receiver changes its latency meanwhile", () => {
    const limits: number[] = [];
    new Experiment({
      ...findScenario("collapse").options,
      seed: 1,
      durationMs: 8000,
      receiver: { minBufferMs: 100, maxBufferMs: 2000 },
      onSample: ({ sender }) => limits.push(sender.stats().links[1]!.capacityBps),
    }).run();
    // From 6 to 1.5 Mbit/s at 6 s: reports of hundreds of losses come at once.
    expect(Math.min(...limits)).toBeGreaterThan(1e6);
    expect(limits.at(-1)).toBeLessThan(1.8e6);
  });

  test("an unknown one is a typed error that lists them", () => {
    expect(() => findScenario("x")).toThrow(scenarios[0]!.name);
  });
});
