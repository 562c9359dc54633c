import { VirtualClock } from "@longwave/base";
import { Experiment, type ExperimentAction, type ExperimentOptions, VirtualNetwork } from "@longwave/netsim";
import { describe, expect, test } from "vitest";

const packetsPerSecond = 2e6 / (8 * 1316);

function experiment(
  options: Partial<ExperimentOptions> & { readonly actions?: readonly ExperimentAction[] },
): Experiment {
  return new Experiment({
    seed: 4,
    bitrateBps: 2e6,
    bufferMs: 400,
    durationMs: 10_000,
    links: [
      { forward: { delayMs: 20, loss: 0.02 }, backward: { delayMs: 20 } },
      { forward: { delayMs: 40, loss: 0.02 }, backward: { delayMs: 40 } },
    ],
    ...options,
  });
}

describe("a translator (NAT) that forgets", () => {
  test("gives a link other ports: the receiver follows, little is lost", () => {
    const actions = [{ atMs: 6000, run: ({ network }: Experiment) => network.rebind("10.0.0.1") }];
    const { stream, receiver, sender } = experiment({ actions }).run();
    expect(stream.outOfOrder).toBe(0);
    expect(stream.lost).toBeLessThanOrEqual(3);
    expect(receiver.restarts).toBe(0);
    expect(sender.links.every((link) => link.alive)).toBe(true);
  });

  test("gives a link another address: same stream, no restart", () => {
    const actions = [
      { atMs: 6000, run: ({ network }: Experiment) => network.rebind("10.0.0.1", "10.9.9.9") },
    ];
    const { stream, receiver, sender } = experiment({ actions }).run();
    expect(stream.lost).toBeLessThanOrEqual(3);
    expect(receiver.restarts).toBe(0);
    expect(sender.links[0]!.share).toBeGreaterThan(0.2);
  });

  test("loses what is sent to the old address", () => {
    const clock = new VirtualClock();
    const network = new VirtualNetwork(clock, 1);
    network.addLink("link", "10.0.0.1", "10.0.0.9", { delayMs: 1 });
    const inside = network.openSocket("10.0.0.1", 5000);
    const outside = network.openSocket("10.0.0.9", 7000);
    const seen: string[] = [];
    inside.onMessage((bytes) => seen.push(`in ${bytes[0]}`));
    outside.onMessage((bytes, _length, address, port) => seen.push(`out ${bytes[0]} ${address}:${port}`));
    network.rebind("10.0.0.1", "10.5.0.1");
    inside.send(Uint8Array.of(1), 0, 1, "10.0.0.9", 7000);
    outside.send(Uint8Array.of(2), 0, 1, "10.0.0.1", 5000);
    outside.send(Uint8Array.of(3), 0, 1, "10.5.0.1", 5100);
    clock.runUntil(10_000);
    expect(seen).toEqual(["out 1 10.5.0.1:5100", "in 3"]);
  });
});

describe("an interface that flaps", () => {
  test("is reset at once when it is detached and takes its share again", () => {
    const flap = (atMs: number): ExperimentAction => ({
      atMs,
      run: ({ sender }) => sender.detach("link-1", "interface down"),
    });
    const { stream, sender } = experiment({ actions: [flap(5000), flap(6000), flap(7000)] }).run();
    expect(stream.lost).toBeLessThanOrEqual(3);
    expect(sender.links[0]).toMatchObject({ phase: "live" });
    expect(sender.links[0]!.share).toBeGreaterThan(0.3);
  });
});

describe("a wall clock that jumps an hour", () => {
  test.each([3_600_000_000, -3_600_000_000])("by %d us changes not one packet", (jumpUs) => {
    const plain = experiment({ durationMs: 4000 }).run().eventHash;
    const jumping = experiment({
      durationMs: 4000,
      actions: [
        {
          atMs: 4000,
          run: ({ clock }) => {
            const { wallUs } = clock;
            clock.wallUs = () => wallUs.call(clock) + jumpUs;
          },
        },
      ],
    });
    expect(jumping.run().eventHash).toBe(plain);
  });
});

describe("a process without CPU", () => {
  test("that stops for a second on the sending side loses no more than that second", () => {
    const { stream, receiver } = experiment({
      actions: [
        { atMs: 6000, run: (each) => each.stallSource(true) },
        { atMs: 7000, run: (each) => each.stallSource(false) },
      ],
    }).run();
    expect(stream.lost).toBeLessThan(1.1 * packetsPerSecond);
    expect(receiver.restarts).toBe(0);
  });
});

describe("a storm of requests for repeats", () => {
  test("of 200 entries, a thousand times a second, is held down by the budget", () => {
    const base = experiment({ durationMs: 5000 }).run().forward;
    const storm = experiment({ durationMs: 5000 });
    // Replays the receiver's own requests: the largest datagrams on the way back are its NACKs.
    const { network, clock } = storm;
    const attack = network.openSocket("10.0.9.1", 0);
    const range = nackStorm(200);
    const { run } = storm;
    const shoot = () => {
      for (const port of [49_152, 49_153, 49_154]) attack.send(range, 0, range.length, "10.0.0.1", port);
      clock.schedule(clock.nowUs() + 1000, shoot);
    };
    clock.schedule(3_000_000, shoot);
    const { stream, forward, sender } = run.call(storm);
    expect(stream.lost).toBeLessThanOrEqual(2);
    expect(sender.nacksLimited).toBeGreaterThan(100_000);
    // Half of the stream is the most loss that is believed, one and a half times its repeats the most that is granted.
    expect(forward).toBeLessThan(base + 1.6);
  });
});

/** A range NACK (TR-06-1 section 5.3.2.2) in GRE version 1, for 200 numbers all over the sequence space. */
function nackStorm(entries: number): Uint8Array {
  const bytes = new Uint8Array(4 + 4 + 12 + 4 * entries);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x0008);
  view.setUint16(2, 0x88b6);
  view.setUint16(4, 1968);
  view.setUint16(6, 1969);
  bytes.set([0x80, 0xcc], 8);
  view.setUint16(10, 2 + entries);
  bytes.set([0x52, 0x49, 0x53, 0x54], 16);
  for (let i = 0; i < entries; i++) view.setUint32(20 + 4 * i, ((i * 327) << 16) | 0xffff);
  return bytes;
}
