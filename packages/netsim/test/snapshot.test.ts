import { createReceiver, createSender, type ReceiverSnapshot, type SenderSnapshot } from "@longwave/bond";
import { Experiment, findScenario } from "@longwave/netsim";
import { describe, expect, test } from "vitest";

/** What a sender and a receiver know while link 2 passes 1.5 instead of 6 Mbit/s, as it would lie in a file. */
let learned = "";
const experiment = new Experiment({
  ...findScenario("collapse").options,
  seed: 1,
  durationMs: 10_000,
  receiver: { minBufferMs: 100, maxBufferMs: 2000 },
  onSample: ({ sender, receiver }) => {
    learned = JSON.stringify([sender.snapshot(), receiver.snapshot()]);
  },
});
experiment.run();
const [fromSender, fromReceiver] = JSON.parse(learned) as [SenderSnapshot, ReceiverSnapshot];
const environment = experiment.environment();
const links = ["link-1", "link-2"].map((id, index) => ({
  id,
  to: "rist://10.0.9.1:7000",
  localAddress: `10.0.${index}.1`,
}));
const capacities = (restore: SenderSnapshot) => {
  const made = createSender({ links, restore }, environment);
  const result = made.stats().links.map((link) => link.capacityBps);
  made.close();
  return result;
};
const receiver = (restore: ReceiverSnapshot, port: number) => {
  const options = { minBufferMs: 100, maxBufferMs: 2000, bufferMs: 100 };
  const made = createReceiver({ listen: `rist://@10.0.9.1:${port}`, ...options, restore }, environment);
  const { bufferMs, loss } = made.stats();
  made.close();
  return { bufferMs, loss };
};

describe("a snapshot", () => {
  test("lets a new sender start with the limit of the link that was full, and without one elsewhere", () => {
    const limit = fromSender.links["link-2"]!.capacityBps!;
    expect(limit).toBeGreaterThan(1e6);
    expect(limit).toBeLessThan(2e6);
    expect(fromSender.links["link-1"]!.capacityBps).toBeNull();
    expect(capacities(fromSender)).toEqual([Number.POSITIVE_INFINITY, limit]);
  });

  test("lets a new receiver start with the latency that had become necessary, and the loss", () => {
    expect(fromReceiver.bufferMs).toBeGreaterThan(200);
    const restored = receiver(fromReceiver, 7100);
    expect(restored.bufferMs).toBeCloseTo(fromReceiver.bufferMs);
    expect(restored.loss).toBeCloseTo(fromReceiver.loss);
  });

  test("keeps the latency within the bounds of the new receiver", () => {
    expect(receiver({ ...fromReceiver, bufferMs: 9000 }, 7102).bufferMs).toBe(2000);
    expect(receiver({ ...fromReceiver, bufferMs: 1 }, 7104).bufferMs).toBe(100);
  });

  test("is not used after ten minutes, nor from a time to come", () => {
    for (const ageMs of [600_001, -1000]) {
      const wallMs = environment.clock.wallUs() / 1000 - ageMs;
      expect(capacities({ ...fromSender, wallMs })).toEqual([
        Number.POSITIVE_INFINITY,
        Number.POSITIVE_INFINITY,
      ]);
      expect(receiver({ ...fromReceiver, wallMs }, 7106)).toEqual({ bufferMs: 100, loss: 0 });
    }
  });

  test("of a link that is gone is left out", () => {
    const capacityBps = 2e6;
    expect(capacities({ ...fromSender, links: { other: { capacityBps } } })).toEqual([
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
  });

  test.each([
    ["version", { version: 2 }],
    ["wallMs", { wallMs: Number.NaN }],
    ["links", { links: null }],
    ["capacityBps", { links: { "link-1": { capacityBps: "much" } } }],
  ])("with a wrong %s is a typed error that says what to do", (name, change) => {
    const restore = { ...fromSender, ...change } as unknown as SenderSnapshot;
    expect(() => createSender({ links, restore }, environment)).toThrow(
      expect.objectContaining({ code: "bond/bad-option", message: expect.stringContaining(name) }),
    );
  });

  test.each(["bufferMs", "loss", "reorderMs"] as const)(
    "with a wrong %s does not reach the estimates",
    (key) => {
      expect(() => receiver({ ...fromReceiver, [key]: Number.NaN }, 7108)).toThrow(`restore.${key}`);
    },
  );
});
