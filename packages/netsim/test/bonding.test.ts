import { burstLoss, Experiment, type ExperimentOptions, type ExperimentReport } from "@longwave/netsim";
import { describe, expect, test } from "vitest";

const oneLink = (loss: number) => [{ forward: { delayMs: 50, loss }, backward: { delayMs: 50, loss } }];

function run(options: Omit<ExperimentOptions, "seed"> & { seed?: number }): ExperimentReport {
  return new Experiment({ seed: 1, ...options }).run();
}

describe("one link", () => {
  test("delivers everything in order at media time plus latency when nothing is lost", () => {
    const { stream } = run({ bitrateBps: 2e6, bufferMs: 200, durationMs: 5000, links: oneLink(0) });
    expect(stream).toMatchObject({ lost: 0, duplicates: 0, outOfOrder: 0 });
    expect(stream.latencyMs.max).toBeLessThanOrEqual(200 + 50 + 20);
    expect(stream.latencyMs.p50).toBeGreaterThanOrEqual(250);
  });

  test("recovers 10 % loss in both directions within a buffer of five round trips", () => {
    const { stream, forward } = run({ bitrateBps: 10e6, bufferMs: 500, links: oneLink(0.1) });
    expect(stream.residual).toBeLessThanOrEqual(4e-4);
    expect(stream.outOfOrder).toBe(0);
    expect(forward).toBeLessThan(1.2);
  });

  test("recovers bursts of 20 packets", () => {
    const loss = burstLoss(0.1, 20);
    const links = [{ forward: { delayMs: 50, loss }, backward: { delayMs: 50, loss: 0.05 } }];
    expect(run({ bitrateBps: 5e6, bufferMs: 1000, links }).stream.lost).toBe(0);
  });

  test.each(["simple", "main"] as const)(
    "crosses the wrap of sequence numbers in the %s profile",
    (profile) => {
      const { stream, receiver } = run({
        bitrateBps: 5e6,
        bufferMs: 500,
        durationMs: 4000,
        warmupMs: 500,
        links: oneLink(0.05),
        sender: { profile, firstSequence: 65_000 },
        receiver: { profile },
      });
      expect(stream.lost).toBe(0);
      expect(receiver.restarts).toBe(0);
    },
  );

  test("delivers through the pre-shared key, and nothing without it", () => {
    const secret = "correct horse battery staple";
    const common = { bitrateBps: 1e6, bufferMs: 500, durationMs: 2000, warmupMs: 1000, links: oneLink(0.05) };
    expect(run({ ...common, sender: { secret, aesBits: 256 }, receiver: { secret } }).stream.lost).toBe(0);
    const wrong = run({ ...common, sender: { secret }, receiver: { secret: "another" } });
    expect(wrong.receiver.delivered).toBe(0);
    expect(wrong.receiver.faults["key"]).toBeGreaterThan(0);
    expect(run({ ...common, sender: { secret } }).receiver.delivered).toBe(0);
    expect(run({ ...common, receiver: { secret } }).receiver.delivered).toBe(0);
  });
});

test("an encrypted request for many packets is read to its end, although each of its entries sends one", () => {
  const measure = (key: { readonly secret?: string }) => {
    const loss = burstLoss(0.1, 20);
    const { stream, forward } = run({
      bitrateBps: 5e6,
      bufferMs: 1000,
      durationMs: 6000,
      links: [{ forward: { delayMs: 50, loss }, backward: { delayMs: 50 } }],
      sender: key,
      receiver: key,
    });
    expect(stream.lost).toBe(0);
    return forward;
  };
  // The nonce costs four bytes of 1316 a packet; nothing may be repeated in vain.
  expect(measure({ secret: "correct horse battery staple" })).toBeLessThan(measure({}) + 0.01);
});

describe("two links", () => {
  const links = [
    { forward: { delayMs: 30, loss: 0.01, rateBps: 6e6 } },
    { forward: { delayMs: 80, loss: 0.03, rateBps: 3e6 } },
  ];

  test("carry more than either could, with at most a tenth of overhead", () => {
    const { stream, forward } = run({ bitrateBps: 6e6, bufferMs: 500, links });
    expect(stream.residual).toBeLessThanOrEqual(2e-4);
    expect(forward).toBeLessThanOrEqual(1.1);
  });

  test("survive the cut of the fast one", () => {
    const { stream, sender } = run({
      bitrateBps: 4e6,
      bufferMs: 300,
      links: [{ forward: { delayMs: 25, rateBps: 10e6 } }, { forward: { delayMs: 60, rateBps: 10e6 } }],
      actions: [
        {
          atMs: 8000,
          run: ({ links: [fast] }) => {
            fast!.forward.set({ isUp: false });
            fast!.backward.set({ isUp: false });
          },
        },
      ],
    });
    expect(stream.lost).toBeLessThanOrEqual(20);
    expect(sender.links[0]!.alive).toBe(false);
  });

  test("repeat a run exactly for the same seed, and differ for another", () => {
    const options = { bitrateBps: 2e6, bufferMs: 300, durationMs: 3000, links };
    const first = run(options).eventHash;
    expect(run(options).eventHash).toBe(first);
    expect(run({ ...options, seed: 2 }).eventHash).not.toBe(first);
  });
});
