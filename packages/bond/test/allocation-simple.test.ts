import { expect, test } from "vitest";
import { allocatedPerPacket } from "./allocation-wire.ts";

test("sending and receiving a packet allocates nothing, simple profile", () => {
  const { heap, rxPackets } = allocatedPerPacket("simple");
  expect(rxPackets).toBeGreaterThan(20_000);
  expect(heap).toBeLessThan(1);
});
