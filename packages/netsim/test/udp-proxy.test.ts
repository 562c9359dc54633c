import { createReceiver, createSender } from "@longwave/bond/node";
import { UdpProxy } from "@longwave/netsim/node";
import { freeUdpPorts } from "@longwave/testkit";
import { expect, test } from "vitest";

test("two impaired loopback links carry a stream, also after one is cut", async () => {
  const port = await freeUdpPorts(3);
  const receiver = createReceiver({ listen: `rist://@127.0.0.1:${port}`, bufferMs: 2000 });
  await receiver.ready;
  const lte = await UdpProxy.open({ port: port + 1, targetPort: port, forward: { delayMs: 30, loss: 0.05 } });
  const dsl = await UdpProxy.open({ port: port + 2, targetPort: port, forward: { delayMs: 8, loss: 0.01 } });
  const sender = createSender({
    bufferMs: 2000,
    links: [
      { to: `rist://127.0.0.1:${port + 1}`, id: "lte" },
      { to: `rist://127.0.0.1:${port + 2}`, id: "dsl" },
    ],
  });
  await sender.ready;
  const payload = new Uint8Array(160);
  const view = new DataView(payload.buffer);
  let sent = 0;
  const source = setInterval(() => {
    view.setUint32(0, sent++);
    sender.send(payload);
    if (sent === 150) dsl.isCut = true;
  }, 10);
  const seen: number[] = [];
  let discontinuities = 0;
  for await (const packet of receiver) {
    seen.push(new DataView(packet.payload.buffer).getUint32(0));
    if (packet.isDiscontinuity && seen.length > 1) discontinuities++;
    if (seen.at(-1)! >= 300) break;
  }
  clearInterval(source);
  const stats = sender.stats();
  sender.close();
  receiver.close();
  lte.close();
  dsl.close();
  for (let i = 1; i < seen.length; i++) expect(seen[i]).toBeGreaterThan(seen[i - 1]!);
  expect(discontinuities).toBeLessThanOrEqual(2);
  expect(stats.links.find((link) => link.id === "dsl")!.alive).toBe(false);
  expect(dsl.counters().forward.cutDrops).toBeGreaterThan(0);
});
