import { existsSync } from "node:fs";
import { IsolatedReceiver, IsolatedSender } from "@longwave/bond/node";
import { freeUdpPorts } from "@longwave/testkit";
import { describe, expect, test } from "vitest";
import { PacketRing } from "../src/node/packet-ring.ts";

const isBuilt = existsSync(new URL("../dist/node/link-worker.js", import.meta.url));

describe("the ring between two threads", () => {
  test("drops the oldest packets when it is full, counts them and flags the next one", () => {
    const ring = new PacketRing(PacketRing.allocate(4));
    for (let i = 0; i < 10; i++) ring.push(Uint8Array.of(i), 0, 1, i, 1000 * i, false);
    const packet = PacketRing.packet();
    const seen: [number, boolean][] = [];
    while (ring.shift(packet)) seen.push([packet.bytes[0]!, packet.isDiscontinuity]);
    expect(seen).toEqual([
      [6, true],
      [7, false],
      [8, false],
      [9, false],
    ]);
    expect(ring.dropped).toBe(6);
    expect(packet).toMatchObject({ sequence: 9, timeUs: 9000, length: 1 });
  });

  test("wakes the reader only when it was empty, and counts on past 2^32 packets", () => {
    const memory = PacketRing.allocate(8);
    new Int32Array(memory).fill(-2, 0, 2);
    const ring = new PacketRing(memory);
    const one = Uint8Array.of(1);
    const wakes = [0, 1, 2, 3, 4].map((i) => ring.push(one, 0, 1, i, 0, false));
    expect(wakes).toEqual([true, false, false, false, false]);
    expect(ring.length).toBe(5);
  });
});

describe.skipIf(!isBuilt)("links in threads of their own (skipped before npm run build)", () => {
  test("go on while the owner's thread is busy", async () => {
    const port = await freeUdpPorts(1);
    const receiver = new IsolatedReceiver({ listen: `rist://@127.0.0.1:${port}`, bufferMs: 1000 });
    await receiver.ready;
    const sender = new IsolatedSender({ links: [{ to: `rist://127.0.0.1:${port}` }], bufferMs: 1000 });
    await sender.ready;
    const numbers: number[] = [];
    receiver.onPacket((bytes, start) => numbers.push(bytes[start]! * 256 + bytes[start + 1]!));
    const payload = new Uint8Array(100);
    for (let i = 0; i < 100; i++) {
      payload[0] = i >> 8;
      payload[1] = i;
      sender.send(payload);
      if (i % 4 === 3) await new Promise((resolve) => setImmediate(resolve));
    }
    // This thread does nothing else until everything was received, asked for and played out in the others.
    const giveUp = performance.now() + 20_000;
    while (numbers.length + receiver.waiting < 100 && performance.now() < giveUp);
    expect(numbers.length + receiver.waiting).toBe(100);
    await expect.poll(() => numbers.length, { timeout: 20_000 }).toBe(100);
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(await receiver.stats()).toMatchObject({ delivered: 100, lost: 0 });
    await Promise.all([sender.close(), receiver.close()]);
  }, 60_000);

  test("tell a port that is taken, and options that cannot cross", async () => {
    const listen = `rist://@127.0.0.1:${await freeUdpPorts(1)}`;
    const first = new IsolatedReceiver({ listen });
    await first.ready;
    const second = new IsolatedReceiver({ listen });
    await expect(second.ready).rejects.toMatchObject({ code: "bond/bind-failed", kind: "unavailable" });
    await first.close();
    const srpUsers = { find: () => undefined };
    expect(() => new IsolatedReceiver({ listen, srpUsers })).toThrow("srpUsers");
  });
});
