import type { Clock } from "@longwave/base";
import { tunnelHeadroom } from "../wire/gre-tunnel.ts";
import type { RtcpReader } from "../wire/rtcp.ts";
import {
  writeEcho,
  writeEmptyReceiverReport,
  writeReceiverReport,
  writeSenderReport,
  writeSourceDescription,
} from "../wire/rtcp-write.ts";
import type { Path } from "./path.ts";

/** Seconds from the NTP epoch (1900) to the Unix epoch. */
const ntpUnixOffset = 2_208_988_800;
const fractionPerMicrosecond = 4294.967296;
const compoundBytes = 1400;

/**
 * What both ends do over RTCP: reports, names, and round-trip echoes. Its clock is the monotonic one, anchored to the wall
 * clock once, so that a jump of the wall clock changes nothing.
 */
export class Feedback {
  readonly ssrc: number;
  readonly #name: Uint8Array;
  readonly #originUs: number;
  readonly #compound = new Uint8Array(tunnelHeadroom + compoundBytes);
  #ntpSeconds = 0;
  #ntpFraction = 0;

  /** @param ssrc of this end's packets @param cname canonical name, cut to 255 bytes */
  constructor(clock: Clock, ssrc: number, cname: string) {
    this.ssrc = ssrc;
    this.#name = new TextEncoder().encode(cname).slice(0, 255);
    this.#originUs = clock.wallUs() - clock.nowUs();
  }

  /** `SR + SDES + echo request`. */
  sendSenderReport(path: Path, nowUs: number, rtpTimestamp: number, packets: number, octets: number): void {
    const bytes = this.#compound;
    this.#setNtp(nowUs);
    let at = writeSenderReport(
      bytes,
      tunnelHeadroom,
      this.ssrc,
      this.#ntpSeconds,
      this.#ntpFraction,
      rtpTimestamp,
      packets,
      octets,
    );
    at = writeSourceDescription(bytes, at, this.ssrc, this.#name);
    at = writeEcho(bytes, at, false, this.ssrc, this.#ntpSeconds, this.#ntpFraction, 0);
    path.sendControl(bytes, tunnelHeadroom, at);
  }

  /** `RR + SDES + echo request`; the report block covers this link only. */
  sendReceiverReport(
    path: Path,
    nowUs: number,
    mediaSsrc: number,
    fractionLost: number,
    cumulativeLost: number,
    highestSequence: number,
    jitter: number,
  ): void {
    const bytes = this.#compound;
    this.#setNtp(nowUs);
    const after = this.#beginReport(
      path,
      nowUs,
      mediaSsrc,
      fractionLost,
      cumulativeLost,
      highestSequence,
      jitter,
    );
    const at = writeEcho(bytes, after, false, this.ssrc, this.#ntpSeconds, this.#ntpFraction, 0);
    path.sendControl(bytes, tunnelHeadroom, at);
  }

  /** `RR + SDES + echo response` to the request that `reader` stands on. */
  sendEchoResponse(path: Path, reader: RtcpReader, processingDelayUs: number): void {
    const bytes = this.#compound;
    let at = this.#begin(bytes);
    at = writeEcho(bytes, at, true, reader.ssrc, reader.timeHigh, reader.timeLow, processingDelayUs);
    path.sendControl(bytes, tunnelHeadroom, at);
  }

  /**
   * Starts a compound `RR + SDES` for NACKs; the caller writes on from the returned offset and calls `finish`. The report
   * tells how far this link has come, so that the sender can tell a lost packet from one that still waits in a queue.
   */
  beginNack(path: Path, nowUs: number, mediaSsrc: number, highestSequence: number): number {
    return this.#beginReport(path, nowUs, mediaSsrc, 0, 0, highestSequence, 0);
  }

  /** The bytes that `beginNack` started. */
  get compound(): Uint8Array {
    return this.#compound;
  }

  /** Sends the compound up to `end`. */
  finish(path: Path, end: number): void {
    path.sendControl(this.#compound, tunnelHeadroom, end);
  }

  /** Takes an echo response to a request of ours: a round-trip sample and a proof that the link carries packets. */
  takeEchoResponse(path: Path, reader: RtcpReader, nowUs: number): void {
    this.#setNtp(nowUs);
    const nowTime = this.#ntpSeconds * 1e6 + this.#ntpFraction / fractionPerMicrosecond;
    const thenTime = reader.timeHigh * 1e6 + reader.timeLow / fractionPerMicrosecond;
    const sampleUs = Math.round(nowTime - thenTime) - reader.processingDelayUs;
    if (!(sampleUs >= 0 && sampleUs < 10_000_000)) return;
    path.rtt.add(sampleUs, nowUs);
    path.responses++;
    path.lastProofUs = nowUs;
  }

  /** Takes a report block about our own reports: the round trip by LSR and DLSR, for peers that answer no echo. */
  takeReportDelay(path: Path, reader: RtcpReader, nowUs: number, hasEchoes: boolean): void {
    if (reader.lastSenderReport === 0) return;
    this.#setNtp(nowUs);
    const middle = (((this.#ntpSeconds & 0xffff) << 16) | (this.#ntpFraction >>> 16)) >>> 0;
    const delta = (middle - reader.lastSenderReport - reader.delaySinceLastSenderReport) | 0;
    if (delta < 0 || delta > 10 * 65536) return;
    if (!hasEchoes) {
      path.rtt.add(Math.round(delta * 15.2587890625), nowUs);
      path.responses++;
    }
    path.lastProofUs = nowUs;
  }

  #beginReport(
    path: Path,
    nowUs: number,
    mediaSsrc: number,
    fractionLost: number,
    cumulativeLost: number,
    highestSequence: number,
    jitter: number,
  ): number {
    const bytes = this.#compound;
    const delayUs = path.lastSenderReportUs > 0 ? nowUs - path.lastSenderReportUs : 0;
    const at = writeReceiverReport(
      bytes,
      tunnelHeadroom,
      this.ssrc,
      mediaSsrc,
      fractionLost,
      cumulativeLost,
      highestSequence,
      jitter,
      path.lastSenderReport,
      Math.floor(delayUs * 0.065536),
    );
    return writeSourceDescription(bytes, at, this.ssrc, this.#name);
  }

  #begin(bytes: Uint8Array): number {
    const at = writeEmptyReceiverReport(bytes, tunnelHeadroom, this.ssrc);
    return writeSourceDescription(bytes, at, this.ssrc, this.#name);
  }

  #setNtp(nowUs: number): void {
    const timeUs = this.#originUs + nowUs;
    const seconds = Math.floor(timeUs / 1e6);
    this.#ntpSeconds = (seconds + ntpUnixOffset) % 0x1_0000_0000;
    this.#ntpFraction = Math.floor((timeUs - seconds * 1e6) * fractionPerMicrosecond);
  }
}
