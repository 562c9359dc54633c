import { SeededRandom } from "@longwave/base";
import { createReceiver, createSender } from "@longwave/bond";
import { Experiment } from "@longwave/netsim";
import { describe, expect, test } from "vitest";

/** Ten packets 20 ms apart over one link that loses the last one's first transmission; then nothing follows. */
function sendTen(): { delivered: number[]; sent: number } {
  const { clock, network } = new Experiment({
    seed: 1,
    bitrateBps: 1e6,
    bufferMs: 500,
    links: [{ forward: { delayMs: 30 } }],
  });
  const environment = {
    clock,
    random: new SeededRandom(1),
    openSocket: (request: { address: string; port: number }) =>
      network.openSocket(request.address, request.port),
  };
  const link = network.addLink("tail", "10.1.0.1", "10.1.0.9", { delayMs: 30 });
  const receiver = createReceiver({ listen: "rist://@10.1.0.9:7000", bufferMs: 500 }, environment);
  const to = { to: "rist://10.1.0.9:7000", localAddress: "10.1.0.1" };
  const sender = createSender({ links: [to], bufferMs: 500 }, environment);
  const delivered: number[] = [];
  receiver.onPacket((bytes, start) => delivered.push(bytes[start]!));
  clock.runUntil(clock.nowUs() + 500_000);
  for (let i = 0; i < 10; i++) {
    if (i === 9) link.forward.set({ isUp: false });
    sender.send(Uint8Array.of(i));
    link.forward.set({ isUp: true });
    clock.runUntil(clock.nowUs() + 20_000);
  }
  clock.runUntil(clock.nowUs() + 2_000_000);
  const sent = sender.stats().links[0]!.retransmissions;
  sender.close();
  receiver.close();
  return { delivered, sent };
}

describe("the last packet before a pause", () => {
  test("arrives although nothing follows it that would show its loss", () => {
    expect(sendTen().delivered).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test("is sent again a few times at the most, the last time twice", () => {
    expect(sendTen().sent).toBeGreaterThanOrEqual(1);
    expect(sendTen().sent).toBeLessThanOrEqual(4);
  });

  test.each([20e3, 200e3, 2e6])("is not taken for one while the stream goes on at %d bit/s", (bitrateBps) => {
    const links = [{ forward: { delayMs: 30 } }];
    let repeats = -1;
    new Experiment({
      seed: 1,
      bitrateBps,
      payloadBytes: 500,
      bufferMs: 500,
      warmupMs: 0,
      durationMs: 4000,
      links,
      onSample: ({ sender }) => {
        repeats = sender.stats().links[0]!.retransmissions;
      },
    }).run();
    expect(repeats).toBe(0);
  });
});
