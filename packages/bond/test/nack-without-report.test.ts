import { SeededRandom, VirtualClock } from "@longwave/base";
import { createSender } from "@longwave/bond";
import { expect, test } from "vitest";
import { RtcpKind, RtcpReader } from "../src/wire/rtcp.ts";
import {
  writeEcho,
  writeEmptyReceiverReport,
  writeNackBitmask,
  writeReceiverReport,
  writeSourceDescription,
} from "../src/wire/rtcp-write.ts";

type Handler = (bytes: Uint8Array, length: number, address: string, port: number) => void;

const host = "10.0.0.9";
const peerSsrc = 77;
const roundTripUs = 100_000;

/** A sender of the Simple profile before a peer whose feedback the test writes; `repeats` lists what it sent again. */
function startSender({ answersEchoes = true, firstSequence = 1000 } = {}) {
  const lost = firstSequence + 20;
  const clock = new VirtualClock();
  const repeats: number[] = [];
  const compound = new Uint8Array(256);
  const reader = new RtcpReader();
  let handler: Handler = () => undefined;
  const answer = (end: number) => handler(compound, end, host, 7001);
  const socket = {
    localAddress: "10.0.0.1",
    localPort: 5000,
    send(bytes: Uint8Array, start: number, end: number, _address: string, port: number) {
      if (port === 7000) {
        if ((bytes[start + 11]! & 1) === 1) repeats.push(bytes[start + 2]! * 256 + bytes[start + 3]!);
        return true;
      }
      reader.reset(bytes, start, end);
      while (reader.next()) {
        if (reader.kind !== RtcpKind.echoRequest || !answersEchoes) continue;
        const { ssrc, timeHigh, timeLow } = reader;
        clock.schedule(clock.nowUs() + roundTripUs, () => {
          answer(
            writeEcho(
              compound,
              writeEmptyReceiverReport(compound, 0, peerSsrc),
              true,
              ssrc,
              timeHigh,
              timeLow,
              0,
            ),
          );
        });
      }
      return true;
    },
    onMessage: (taken: Handler) => void (handler = taken),
    onError: () => undefined,
    close: () => undefined,
  };
  const environment = { clock, random: new SeededRandom(5), openSocket: () => socket };
  const sender = createSender(
    { profile: "simple", links: [{ to: `rist://${host}:7000` }], firstSequence },
    environment,
  );
  const report = () => writeReceiverReport(compound, 0, peerSsrc, sender.ssrc, 0, 0, lost - 1, 0, 0, 0);
  const bare = () => writeEmptyReceiverReport(compound, 0, peerSsrc);
  const askFor = (at: number) =>
    answer(writeNackBitmask(compound, at, peerSsrc, sender.ssrc, Float64Array.of(lost), 0, 1));
  // One packet each 10 ms; the one that is lost leaves at 1.2 s.
  for (let i = 0; i < 36; i++) {
    clock.runUntil(1_000_000 + 10_000 * i);
    sender.send(new Uint8Array(1316));
    // A report that left before the loss showed: one packet short of it.
    if (i === 32 && answersEchoes) answer(report());
  }
  /** Report and name, and behind them these bytes. */
  const askWith = (...tail: number[]) => {
    const at = writeSourceDescription(compound, bare(), peerSsrc, new TextEncoder().encode("user12@host-ab"));
    compound.set(tail, at);
    answer(at + tail.length);
  };
  return { sender, lost, repeats, report, bare, askFor, askWith };
}

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
