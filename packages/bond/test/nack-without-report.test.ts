import { SeededRandom, VirtualClock } from "@longwave/base";
import { createSender } from "@longwave/bond";
import { expect, test } from "vitest";
import { RtcpKind, RtcpReader } from "../src/wire/rtcp.ts";
import {
  writeEcho,
  writeEmptyReceiverReport,
  writeNackBitmask,
  writeReceiverReport,
} from "../src/wire/rtcp-write.ts";

type Handler = (bytes: Uint8Array, length: number, address: string, port: number) => void;

const host = "10.0.0.9";
const peerSsrc = 77;
const firstSequence = 1000;
const lost = firstSequence + 20;
const roundTripUs = 100_000;

/** A sender of the Simple profile before a peer whose feedback the test writes; `repeats` lists what it sent again. */
function startSender(answersEchoes = true) {
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
  return { sender, repeats, report, bare, askFor };
}

test("a NACK without a report block is answered although the last report stops short of the packet", () => {
  const { sender, repeats, bare, askFor } = startSender();
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
  const { sender, repeats, bare, askFor } = startSender(false);
  askFor(bare());
  expect(repeats).toEqual([lost]);
  expect(sender.stats().links[0]!.prematureNacks).toBe(0);
  sender.close();
});
