import { createReceiver, createSender } from "@longwave/bond/node";
import { freeUdpPorts } from "@longwave/testkit";
import { describe, expect, test } from "vitest";

describe.each(["simple", "main"] as const)("UDP on loopback, %s profile", (profile) => {
  test("carries packets over two links", async () => {
    const first = await freeUdpPorts(4);
    const ports = profile === "simple" ? [first, first + 2] : [first, first + 1];
    const receiver = createReceiver({
      profile,
      bufferMs: 400,
      listen: ports.map((port) => `rist://@127.0.0.1:${port}`),
    });
    await receiver.ready;
    const sender = createSender({
      profile,
      bufferMs: 400,
      links: ports.map((port) => ({ to: `rist://127.0.0.1:${port}` })),
    });
    await sender.ready;
    const payload = new Uint8Array(200);
    let sent = 0;
    const source = setInterval(() => {
      payload[0] = sent++;
      sender.send(payload);
    }, 5);
    const numbers: number[] = [];
    for await (const packet of receiver) {
      numbers.push(packet.payload[0]!);
      if (numbers.length === 100) break;
    }
    clearInterval(source);
    const { links } = sender.stats();
    sender.close();
    receiver.close();
    for (let i = 1; i < numbers.length; i++) expect(numbers[i]).toBeGreaterThan(numbers[i - 1]!);
    for (const link of links) expect(link.rxBytes, link.id).toBeGreaterThan(0);
  });
});

test("a port that is taken is a typed error", async () => {
  const listen = `rist://@127.0.0.1:${await freeUdpPorts(1)}`;
  const first = createReceiver({ listen });
  await first.ready;
  const second = createReceiver({ listen });
  await expect(second.ready).rejects.toMatchObject({ code: "bond/bind-failed", kind: "unavailable" });
  first.close();
  second.close();
});
