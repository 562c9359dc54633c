import { readFileSync } from "node:fs";
import { renderPrometheus, type StatsRecord, StatsRecorder } from "@longwave/bond";
import { Experiment } from "@longwave/netsim";
import { expect, test } from "vitest";

const schema = JSON.parse(
  readFileSync(new URL("../../bond/schemas/stats-v1.json", import.meta.url), "utf8"),
) as { required: string[]; properties: { flow: { required: string[] } } };

test("records are numbered, ordered by monotonic time, complete, and add up", () => {
  const records: StatsRecord[] = [];
  let senders: StatsRecorder | undefined;
  let receivers: StatsRecorder | undefined;
  const experiment = new Experiment({
    seed: 1,
    bitrateBps: 1e6,
    bufferMs: 300,
    warmupMs: 500,
    durationMs: 3000,
    sampleMs: 500,
    links: [{ forward: { delayMs: 20, loss: 0.1 } }, { forward: { delayMs: 40 } }],
    onSample: (each) => {
      senders ??= new StatsRecorder(each.clock, "stream", {
        cpuShare: () => 0.9,
        interfaceOf: () => ({ iface: "wwan0", operState: "up" }),
      });
      receivers ??= new StatsRecorder(each.clock, "stream");
      records.push(senders.sender(each.sender.stats(), "periodic"));
      receivers.receiver(each.receiver.stats(), "event");
    },
  });
  const report = experiment.run();
  expect(records.map((record) => record.stats_seq)).toEqual(records.map((_, index) => index));
  for (const [index, record] of records.entries()) {
    expect(Object.keys(record)).toEqual(expect.arrayContaining(schema.required));
    expect(Object.keys(record.flow)).toEqual(expect.arrayContaining(schema.properties.flow.required));
    expect(record).toMatchObject({ schema_version: 1, heartbeat: true, role: "sender" });
    expect(record.mono_time_us).toBe(500_000 * (index + 1));
    expect(record.flow["budget"]).toMatchObject({ cpu: "warn", memory: "ok" });
    expect(record.links["link-1"]).toMatchObject({ iface: "wwan0", os_up: true });
  }
  const { receiver, sender } = report;
  expect(receiver.delivered + receiver.lost).toBe(sender.sent);
  expect(receiver.latencyMs.p50).toBeGreaterThanOrEqual(300);
  expect(receiver.latencyMs.max).toBeLessThan(320);
  const last = receivers!.receiver(receiver, "event");
  expect(last).toMatchObject({ heartbeat: false, reason: "event" });
  expect(JSON.parse(JSON.stringify(last))).toEqual(last);
  expect(renderPrometheus(last)).toContain('longwave_bond_delivered_total{stream="stream",role="receiver"}');
});
