import { SeededRandom, VirtualClock } from "@longwave/base";
import { createSender } from "@longwave/bond";
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
export const peerSsrc = 77;
export const roundTripUs = 100_000;

/**
 * A sender of the Simple profile that has sent 36 packets, one each 10 ms, before a peer whose feedback the test writes.
 * `repeats` lists what it sent marked as a repeat, `plain` the rest; the packet `lost` left 150 ms ago.
 */
export function startSender({
  answersEchoes = true,
  /** Each sender report is answered by one that tells the round trip. */
  answersReports = false,
  firstSequence = 1000,
} = {}) {
  const lost = firstSequence + 20;
  const clock = new VirtualClock();
  const repeats: number[] = [];
  const repeatedUs: number[] = [];
  const plain: number[] = [];
  const compound = new Uint8Array(256);
  const reader = new RtcpReader();
  let handler: Handler = () => undefined;
  const answer = (end: number) => handler(compound, end, host, 7001);
  const bare = () => writeEmptyReceiverReport(compound, 0, peerSsrc);
  const socket = {
    localAddress: "10.0.0.1",
    localPort: 5000,
    send(bytes: Uint8Array, start: number, end: number, _address: string, port: number) {
      if (port === 7000) {
        const isMarked = (bytes[start + 11]! & 1) === 1;
        (isMarked ? repeats : plain).push(bytes[start + 2]! * 256 + bytes[start + 3]!);
        if (isMarked) repeatedUs.push(clock.nowUs());
        return true;
      }
      reader.reset(bytes, start, end);
      while (reader.next()) {
        const { ssrc, timeHigh, timeLow } = reader;
        const later = (write: () => number) =>
          clock.schedule(clock.nowUs() + roundTripUs, () => answer(write()));
        if (reader.kind === RtcpKind.senderReport && answersReports) {
          const middle = ((timeHigh << 16) | (timeLow >>> 16)) >>> 0;
          later(() => writeReceiverReport(compound, 0, peerSsrc, ssrc, 0, 0, 0, 0, middle, 0));
        } else if (reader.kind === RtcpKind.echoRequest && answersEchoes)
          later(() => writeEcho(compound, bare(), true, ssrc, timeHigh, timeLow, 0));
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
  const askFor = (at: number, sequence = lost) =>
    answer(writeNackBitmask(compound, at, peerSsrc, sender.ssrc, Float64Array.of(sequence), 0, 1));
  // The packet that is lost leaves at 1.2 s.
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
  return { sender, clock, lost, repeats, repeatedUs, plain, report, bare, askFor, askWith };
}
