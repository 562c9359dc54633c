import { LinkAuthentication, type LinkSecret } from "../auth/link-authentication.ts";
import type { BondCrypto } from "../crypto/crypto-port.ts";
import { PreSharedKey } from "../crypto/psk.ts";
import type { BondEnvironment, BondSocket } from "../environment.ts";
import { BondError, badOption } from "../errors.ts";
import { FaultCounters } from "../link/fault-counters.ts";
import type { Feedback } from "../link/feedback.ts";
import { Path } from "../link/path.ts";
import { GreTunnel, TunnelContent } from "../wire/gre-tunnel.ts";
import { parseRistUri, type RistUri } from "../wire/rist-uri.ts";
import { looksLikeRtcp, RtcpKind, RtcpReader } from "../wire/rtcp.ts";
import { WireFault } from "../wire/wire-fault.ts";
import { NackForm } from "./nack-handler.ts";
import { SenderLink } from "./sender-link.ts";
import type { ResolvedSenderOptions, SenderLinkOptions, SenderOptions } from "./sender-options.ts";

const reportUs = 100_000;
/** Links that carry much are watched more closely; still far below 5 % of the stream. */
const fastReportUs = 40_000;
const fastReportBps = 500_000;
/** The first echo requests after attaching follow each other quickly. */
const probeUs = 15_000;
const keepAliveUs = 1_000_000;
const reattachUs = 100_000;
/** A peer that was silent for this long is asked to authenticate us anew. */
const silenceUs = 1_500_000;
/** librist's default weight. */
const defaultWeight = 5;

/** What the links report to the sender. */
export interface SenderLinksTarget {
  readonly feedback: Feedback;
  onNack(link: SenderLink, first: number, extra: number, form: NackForm, nowUs: number): void;
  onBlock(link: SenderLink, mediaSsrc: number, highestSequence: number, nowUs: number): void;
  /** The reports come from another source than before: the receiver was started anew. */
  onOtherReceiver(): void;
  /** The receiver repeats its requests until the packet would be late. */
  onBareRequests(nowUs: number): void;
  /** True if the packets from these low 16 bits on, `extra` more behind it, were sent lately or are due. */
  isNear(first: number, extra: number): boolean;
}

/** The links of a sender: opens their sockets, reads what the receiver answers, and sends reports and keep-alives. */
export class SenderLinks {
  readonly all: readonly SenderLink[];
  readonly faults: FaultCounters;
  readonly ready: Promise<void>;
  readonly #environment: BondEnvironment;
  readonly #target: SenderLinksTarget;
  readonly #reader = new RtcpReader();
  readonly #sockets: BondSocket[] = [];
  readonly #bufferMs: number;
  readonly #authentication: LinkAuthentication;

  constructor(
    options: SenderOptions,
    resolved: ResolvedSenderOptions,
    environment: BondEnvironment,
    crypto: BondCrypto,
    target: SenderLinksTarget,
  ) {
    this.#environment = environment;
    this.#target = target;
    this.#bufferMs = resolved.bufferMs;
    this.faults = new FaultCounters(environment.hooks);
    this.#authentication = new LinkAuthentication(crypto, options, this.faults);
    const ids = new Set<string>();
    const uris = options.links.map((link) => checkUri(link, resolved));
    for (const uri of uris) this.#authentication.check(uri, resolved.profile === "main");
    this.all = options.links.map((link, index) => {
      const id = link.id ?? `link-${index + 1}`;
      if (ids.has(id)) throw badOption("links.id", id, "different for every link");
      ids.add(id);
      return this.#open(index, id, link, uris[index]!, options, resolved, crypto);
    });
    const pending = this.#sockets.map((socket) => socket.ready).filter((each) => each !== undefined);
    this.ready = Promise.all(pending).then(() => undefined);
    this.ready.catch(() => undefined);
  }

  /** @throws BondError `bond/bad-option` */
  byId(id: string): SenderLink {
    const link = this.all.find((each) => each.id === id);
    if (link === undefined)
      throw badOption("link", id, `one of ${this.all.map((each) => each.id).join(", ")}`);
    return link;
  }

  /** Least queue of the links other than `except` that answer; Infinity without any: then no queue is known to be a link's own. */
  leastQueueUs(except: SenderLink, nowUs: number): number {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.all.length; i++) {
      const link = this.all[i]!;
      if (link !== except && link.isProven(nowUs)) least = Math.min(least, link.queueUs);
    }
    return least;
  }

  /** Sends what is due: sender reports with echo requests, keep-alives, and attaches links that were reset. */
  report(nowUs: number, rtpTimestamp: number, packets: number, octets: number, streamBps: number): void {
    const periodUs = streamBps >= fastReportBps ? fastReportUs : reportUs;
    for (let i = 0; i < this.all.length; i++) {
      const link = this.all[i]!;
      const { path, lifecycle } = link;
      if (path.controlPort === 0) continue;
      if (path.authentication !== undefined) {
        path.authentication.onTimer(nowUs);
        // The peer has forgotten us, as after its restart.
        const isForgotten = path.isAdmitted && nowUs - path.lastReceivedUs > silenceUs;
        if (isForgotten && path.authentication.isCaller) path.authentication.restart(nowUs);
      }
      if (lifecycle.state === "init") lifecycle.attach(nowUs);
      else if (lifecycle.state === "reset" && nowUs - lifecycle.enteredUs >= reattachUs)
        lifecycle.attach(nowUs);
      if (path.tunnel !== undefined && nowUs >= path.nextKeepAliveUs) {
        path.nextKeepAliveUs = nowUs + keepAliveUs;
        path.sendKeepAlive(false);
        if (path.tunnel.version >= 2 || path.responses === 0) path.sendBufferNegotiation(this.#bufferMs, 0);
      }
      if (nowUs < path.nextReportUs) continue;
      path.nextReportUs = nowUs + (path.reportsSent++ < 3 ? probeUs : periodUs);
      this.#target.feedback.sendSenderReport(path, nowUs, rtpTimestamp, packets, octets);
    }
  }

  close(): void {
    for (const link of this.all) if (link.path.controlPort !== 0) link.path.sendKeepAlive(true);
    for (const socket of this.#sockets) socket.close();
  }

  #open(
    index: number,
    id: string,
    link: SenderLinkOptions,
    uri: RistUri,
    options: SenderOptions,
    resolved: ResolvedSenderOptions,
    crypto: BondCrypto,
  ): SenderLink {
    const isMain = resolved.profile === "main";
    const socket = this.#environment.openSocket({
      address: uri.isListening ? uri.host : (link.localAddress ?? uri.localAddress ?? "0.0.0.0"),
      port: uri.isListening ? uri.port : 0,
      ...(isMain && !uri.isListening ? { peer: { address: uri.host, port: uri.port } } : {}),
    });
    this.#sockets.push(socket);
    const address = uri.isListening ? "" : uri.host;
    const port = uri.isListening ? 0 : uri.port;
    const controlPort = isMain || uri.isListening ? port : port + 1;
    const secret = secretOf(uri, options);
    const tunnel = isMain ? makeTunnel(index, secret, crypto) : undefined;
    const path = new Path(resolved.profile, socket, socket, address, port, controlPort, tunnel);
    this.#authentication.attach(path, uri, secret, id);
    const nowUs = this.#environment.clock.nowUs();
    const weight = link.weight ?? uri.weight ?? defaultWeight;
    const limit = link.maxBitrateBps ?? Number.POSITIVE_INFINITY;
    const made = new SenderLink(index, id, path, resolved.lifecycle, weight, limit, resolved.bufferMs, nowUs);
    made.proofAtAttachUs = nowUs;
    if (!uri.isListening) made.lifecycle.attach(nowUs);
    const isNumeric = /^[\d.]+$|:/.test(address);
    socket.onMessage((bytes, length, fromAddress, fromPort) => {
      if (uri.isListening) this.#onCaller(made, bytes, length, fromAddress, fromPort);
      else if (isNumeric && fromAddress !== address) this.faults.count("source");
      else this.#onDatagram(made, bytes, length);
    });
    socket.onError((error) => {
      path.sendErrors++;
      const code = (error as { code?: string }).code;
      if (code === "ENETUNREACH" || code === "EADDRNOTAVAIL") made.lifecycle.detach(code, nowUs);
    });
    return made;
  }

  /** A listening link belongs to whoever called it last with a valid packet. */
  #onCaller(link: SenderLink, bytes: Uint8Array, length: number, address: string, port: number): void {
    const { path } = link;
    const isOther = path.address !== address || path.controlPort !== port;
    if (path.authentication !== undefined && isOther) {
      // Who is present keeps the link; else a stranger may try, and must authenticate.
      const nowUs = this.#environment.clock.nowUs();
      if (
        nowUs - path.lastReceivedUs < silenceUs ||
        path.tunnel!.open(bytes, length, nowUs) !== WireFault.none
      ) {
        this.faults.count("source");
        return;
      }
      path.lastReceivedUs = nowUs;
      path.redirect(address, port, port);
      path.authentication.restart(nowUs);
    }
    if (!this.#onDatagram(link, bytes, length)) return;
    if (link.path.address !== address || link.path.controlPort !== port)
      link.path.redirect(address, port, port);
  }

  #onDatagram(link: SenderLink, bytes: Uint8Array, length: number): boolean {
    const { path } = link;
    const nowUs = this.#environment.clock.nowUs();
    path.rxBytes += length;
    path.rxPackets++;
    const { tunnel } = path;
    if (tunnel === undefined) {
      if (length < 8 || !looksLikeRtcp(bytes[1]!)) return this.faults.countWire(WireFault.type);
      return this.#onControl(link, bytes, 0, length, nowUs);
    }
    const fault = tunnel.open(bytes, length, nowUs);
    if (fault !== WireFault.none) {
      if (tunnel.isFirstBadKey) this.faults.reportBadKey(link.id);
      return this.faults.countWire(fault);
    }
    if (path.authentication !== undefined) {
      if (tunnel.content === TunnelContent.eapol) {
        path.lastReceivedUs = nowUs;
        if (path.authentication.take(tunnel.bytes, tunnel.start, tunnel.end, nowUs)) return true;
        this.faults.count("eapol");
        return false;
      }
      if (!path.isAdmitted) {
        this.faults.count("unauthenticated");
        return false;
      }
    }
    path.lastReceivedUs = nowUs;
    if (tunnel.content === TunnelContent.packet && looksLikeRtcp(tunnel.bytes[tunnel.start + 1]!)) {
      return this.#onControl(link, tunnel.bytes, tunnel.start, tunnel.end, nowUs);
    }
    return true;
  }

  #onControl(link: SenderLink, bytes: Uint8Array, start: number, end: number, nowUs: number): boolean {
    const reader = this.#reader;
    const { feedback } = this.#target;
    reader.reset(bytes, start, end);
    link.hasReportWithNacks = false;
    while (reader.next()) {
      const { kind } = reader;
      if (kind === RtcpKind.echoRequest) feedback.sendEchoResponse(link.path, reader, 0);
      else if (kind === RtcpKind.echoResponse && reader.ssrc === feedback.ssrc) {
        link.hasEchoes = true;
        feedback.takeEchoResponse(link.path, reader, nowUs);
      } else if (kind === RtcpKind.receiverReport && reader.entryCount > 0) {
        link.hasReportWithNacks = true;
        if (link.reporter !== reader.ssrc && link.reporter >= 0) this.#target.onOtherReceiver();
        link.reporter = reader.ssrc;
        feedback.takeReportDelay(link.path, reader, nowUs, link.hasEchoes);
        this.#target.onBlock(link, reader.mediaSsrc, reader.highestSequence, nowUs);
      } else if (kind === RtcpKind.nackRange || kind === RtcpKind.nackBitmask) {
        this.#takeRequests(
          link,
          reader.entryCount,
          kind === RtcpKind.nackRange ? NackForm.range : NackForm.bitmask,
          nowUs,
        );
      }
    }
    if (reader.isMalformed && !this.#takeBareRequests(link, nowUs)) {
      return this.faults.countWire(WireFault.overrun);
    }
    link.path.lastReceivedUs = nowUs;
    return true;
  }

  /**
   * GStreamer (up to 1.28 at least) writes a range NACK, finds the other form as short and takes it out again, but leaves its
   * entries behind. Where the first of them reads like a header with padding, which is so in an eighth of all numbers, it finds
   * no room for the NACK proper: report and name go out with bare ranges behind them. They are believed only if they look
   * exactly so and name nothing but packets that were sent lately or are due.
   */
  #takeBareRequests(link: SenderLink, nowUs: number): boolean {
    const reader = this.#reader;
    const count = reader.bareEntries();
    if (link.path.profile !== "simple" || count === 0 || reader.nackStart(0) >> 13 !== 0b101) return false;
    for (let i = 0; i < count; i++) {
      if (!this.#target.isNear(reader.nackStart(i), reader.nackExtra(i))) return false;
    }
    this.faults.count("bareNack");
    this.#target.onBareRequests(nowUs);
    this.#takeRequests(link, count, NackForm.bareRange, nowUs);
    return true;
  }

  #takeRequests(link: SenderLink, count: number, form: NackForm, nowUs: number): void {
    const reader = this.#reader;
    for (let i = 0; i < count; i++) {
      this.#target.onNack(link, reader.nackStart(i), reader.nackExtra(i), form, nowUs);
    }
  }
}

function secretOf(uri: RistUri, options: SenderOptions): LinkSecret {
  const secret = uri.secret ?? options.secret;
  const passphrase = secret === undefined ? undefined : new TextEncoder().encode(secret);
  return { passphrase, isAes256: (uri.aesBits ?? options.aesBits ?? 128) === 256 };
}

function makeTunnel(index: number, secret: LinkSecret, crypto: BondCrypto): GreTunnel {
  const { passphrase, isAes256 } = secret;
  const key = passphrase === undefined ? undefined : new PreSharedKey(crypto, passphrase, isAes256);
  return new GreTunnel(crypto.randomBytes(6), 32_768 + index, key);
}

function checkUri(link: SenderLinkOptions, resolved: ResolvedSenderOptions): RistUri {
  const uri = parseRistUri(link.to);
  if (resolved.profile === "simple" && (uri.port % 2 !== 0 || uri.isListening)) {
    throw new BondError(
      "bond/bad-uri",
      "usage",
      uri.isListening
        ? "A sender of the Simple profile calls the receiver: leave out the @, or use the Main profile."
        : `Port ${uri.port} is odd; the Simple profile uses an even port for media and the next one for feedback.`,
    );
  }
  return uri;
}
