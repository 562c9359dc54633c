import { expect, test } from "vitest";
import { peerSsrc, startSender } from "./scripted-receiver.ts";

test("a NACK without a report block is answered although the last report stops short of the packet", () => {
  const { sender, lost, repeats, bare, askFor } = startSender();
  askFor(bare());
  expect(repeats).toEqual([lost]);
  expect(sender.stats().links[0]!.prematureNacks).toBe(0);
  sender.close();
});

test("a NACK whose own report stops short of the packet is premature: the packet waits in a queue", () => {
  const { sender, repeats, report, askFor } = startSender();
  askFor(report());
  expect(repeats).toEqual([]);
  expect(sender.stats().links[0]!.prematureNacks).toBe(1);
  sender.close();
});

test("a NACK over a link whose round trip is not known is answered: a guessed one refuses nothing", () => {
  const { sender, lost, repeats, bare, askFor } = startSender({ answersEchoes: false });
  askFor(bare());
  expect(repeats).toEqual([lost]);
  expect(sender.stats().links[0]!.prematureNacks).toBe(0);
  sender.close();
});

// GStreamer's ristsrc leaves the header of its NACK out where the first number reads like an RTCP header with padding: the
// report, the name, and then ranges of four bytes each.
test("ranges that follow the name without a header are answered, and counted", () => {
  const { sender, lost, repeats, askWith } = startSender({ firstSequence: 0xa110 });
  askWith(0xa1, 0x24, 0, 0, 0xa1, 0x28, 0, 1);
  expect(repeats).toEqual([lost, lost + 4, lost + 5]);
  expect(sender.stats().faults).toEqual({ bareNack: 1 });
  sender.close();
});

test("a first range that reads like a whole packet of an unknown type is a range still", () => {
  const { sender, lost, repeats, askWith } = startSender({ firstSequence: 0xa110 });
  // As a header: version 2, padding, type 0x24, eight bytes long.
  askWith(0xa1, 0x24, 0, 1, 0xa1, 0x28, 0, 0);
  expect(repeats).toEqual([lost, lost + 1, lost + 4]);
  sender.close();
});

test("bytes behind the name that ask for a packet which was never sent are a fault", () => {
  const { sender, repeats, askWith } = startSender({ firstSequence: 0xa110 });
  askWith(0xa1, 0x24, 0, 0, 0xb1, 0x28, 0, 0);
  askWith(0xa1, 0x24, 0, 200);
  askWith(0xa1, 0x24, 0, 0, 0xa1);
  expect(repeats).toEqual([]);
  expect(sender.stats().faults).toEqual({ overrun: 3 });
  sender.close();
});

test("bytes behind the name that no receiver is known to send are a fault, whatever they name", () => {
  const { sender, repeats, askWith } = startSender({ firstSequence: 1000 });
  askWith(0x03, 0xfc, 0, 0);
  expect(repeats).toEqual([]);
  expect(sender.stats().faults).toEqual({ overrun: 1 });
  sender.close();
});

test("a range left behind that reads like an empty name does not hide the NACK after it", () => {
  const { sender, repeats, askWith } = startSender({ firstSequence: 0x9ac0 });
  askWith(0x9a, 0xca, 0, 0, 0x81, 205, 0, 3, 0, 0, 0, peerSsrc, 0, 0, 0, 0, 0x9a, 0xca, 0, 0);
  expect(repeats).toEqual([0x9aca]);
  expect(sender.stats().faults).toEqual({});
  sender.close();
});

test("bare ranges come again and again: the packet is repeated in three rounds at the most, a round trip apart", () => {
  const { sender, clock, lost, repeats, repeatedUs, askWith } = startSender({ firstSequence: 0xa110 });
  for (let nowUs = clock.nowUs(); nowUs < 2_000_000; nowUs += 20_000) {
    clock.runUntil(nowUs);
    askWith(0xa1, 0x24, 0, 0);
  }
  const times = repeatedUs.filter((_, i) => repeats[i] === lost);
  const rounds = times.filter((timeUs, i) => i === 0 || timeUs - times[i - 1]! > 20_000);
  expect(rounds).toHaveLength(3);
  for (let i = 1; i < 3; i++) expect(rounds[i]! - rounds[i - 1]!).toBeGreaterThanOrEqual(100_000);
  expect(sender.stats().links[0]!.loss).toBeLessThan(0.05);
  sender.close();
});
