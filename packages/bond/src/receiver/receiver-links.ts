import type { DatagramSocket } from "@longwave/base";
import { LinkAuthentication, type LinkSecret } from "../auth/link-authentication.ts";
import type { BondCrypto } from "../crypto/crypto-port.ts";
import { PreSharedKey } from "../crypto/psk.ts";
import type { BondEnvironment, BondSocket } from "../environment.ts";
import { BondError } from "../errors.ts";
import { FaultCounters } from "../link/fault-counters.ts";
import type { Feedback } from "../link/feedback.ts";
import { Path } from "../link/path.ts";
import { maxLinks } from "../sender/sender-options.ts";
import { GreTunnel, TunnelContent } from "../wire/gre-tunnel.ts";
import type { RistUri } from "../wire/rist-uri.ts";
import { looksLikeRtcp, RtcpKind, RtcpReader } from "../wire/rtcp.ts";
import { WireFault } from "../wire/wire-fault.ts";
import { ReceiverLink } from "./receiver-link.ts";
import type { ReceiverOptions, ResolvedReceiverOptions } from "./receiver-options.ts";

const reportUs = 100_000;
const fastReportUs = 40_000;
const fastReportBps = 500_000;
const probeUs = 15_000;
const keepAliveUs = 1_000_000;
/** A link that was silent for this long gives up its place (TR-06-2 section 5.5.2: 60 s at most). */
const forgetUs = 60_000_000;
/** A peer that was silent for this long is asked to authenticate us anew. */
const forgottenUs = 1_500_000;
/** A silent link is asked for signs of life this long. */
const silentUs = 10_000_000;

/** What the links report to the receiver. */
export interface ReceiverLinksTarget {
  readonly feedback: Feedback;
  /** One RTP packet `bytes[start, end)`; returns false where it is malformed. */
  onMedia(link: ReceiverLink, bytes: Uint8Array, start: number, end: number, nowUs: number): boolean;
}

interface Endpoint {
  readonly uri: RistUri;
  readonly mediaSocket: BondSocket;
  readonly controlSocket: BondSocket;
  /** Reads datagrams of unknown sources, so that they make no state before one is valid. */
  readonly strangers: GreTunnel | undefined;
  /** The link to a sender that we call. */
  called: ReceiverLink | undefined;
}

/** The links of a receiver: sockets, who sends over which, feedback and keep-alives. */
export class ReceiverLinks {
  readonly all: ReceiverLink[] = [];
  readonly faults: FaultCounters;
  readonly ready: Promise<void>;
  readonly #environment: BondEnvironment;
  readonly #options: ReceiverOptions;
  readonly #resolved: ResolvedReceiverOptions;
  readonly #crypto: BondCrypto;
  readonly #target: ReceiverLinksTarget;
  readonly #authentication: LinkAuthentication;
  readonly #endpoints: Endpoint[];
  readonly #reader = new RtcpReader();
  #made = 0;

  constructor(
    uris: readonly RistUri[],
    options: ReceiverOptions,
    resolved: ResolvedReceiverOptions,
    environment: BondEnvironment,
    crypto: BondCrypto,
    target: ReceiverLinksTarget,
  ) {
    this.#environment = environment;
    this.#options = options;
    this.#resolved = resolved;
    this.#crypto = crypto;
    this.#target = target;
    this.faults = new FaultCounters(environment.hooks);
    this.#authentication = new LinkAuthentication(crypto, options, this.faults);
    for (const uri of uris) {
      checkUri(uri, resolved);
      this.#authentication.check(uri, resolved.profile === "main");
    }
    this.#endpoints = uris.map((uri) => this.#open(uri));
    const pending = this.#endpoints.flatMap((each) => [each.mediaSocket.ready, each.controlSocket.ready]);
    this.ready = Promise.all(pending).then(() => undefined);
    this.ready.catch(() => undefined);
  }

  /** Sends what is due: receiver reports with echo requests, keep-alives; forgets links that are long silent. */
  report(nowUs: number, mediaSsrc: number, streamBps: number, bufferMs: number): void {
    const periodUs = streamBps >= fastReportBps ? fastReportUs : reportUs;
    for (let i = this.all.length - 1; i >= 0; i--) {
      const link = this.all[i]!;
      const { path } = link;
      const ageUs = nowUs - Math.max(path.lastReceivedUs, link.createdUs);
      const isCalled = this.#endpoints.some((each) => each.called === link);
      if (!isCalled && ageUs > forgetUs) this.all.splice(i, 1);
      if (path.controlPort === 0 || (!isCalled && ageUs > silentUs)) continue;
      if (path.authentication !== undefined) {
        path.authentication.onTimer(nowUs);
        // The peer has forgotten us, as after its restart.
        const isForgotten = path.isAdmitted && nowUs - path.lastReceivedUs > forgottenUs;
        if (isForgotten && path.authentication.isCaller) path.authentication.restart(nowUs);
      }
      if (path.tunnel !== undefined && nowUs >= path.nextKeepAliveUs) {
        path.nextKeepAliveUs = nowUs + keepAliveUs;
        path.sendKeepAlive(false);
        if (path.tunnel.version >= 2) path.sendBufferNegotiation(0, bufferMs);
      }
      if (nowUs < path.nextReportUs) continue;
      path.nextReportUs = nowUs + (path.reportsSent++ < 3 ? probeUs : periodUs);
      const jitter = Math.floor(link.jitterUs * 0.09);
      const lost = link.datagramsLost;
      this.#target.feedback.sendReceiverReport(path, nowUs, mediaSsrc, 0, lost, link.highestOnWire, jitter);
    }
  }

  close(): void {
    for (const link of this.all) link.path.sendKeepAlive(true);
    for (const endpoint of this.#endpoints) {
      endpoint.mediaSocket.close();
      if (endpoint.controlSocket !== endpoint.mediaSocket) endpoint.controlSocket.close();
    }
  }

  #open(uri: RistUri): Endpoint {
    const isMain = this.#resolved.profile === "main";
    const open = (port: number) =>
      this.#environment.openSocket({
        address: uri.isListening ? uri.host : (uri.localAddress ?? "0.0.0.0"),
        port: uri.isListening ? port : 0,
        ...(uri.isListening ? {} : { peer: { address: uri.host, port } }),
      });
    const mediaSocket = open(uri.port);
    const controlSocket = isMain ? mediaSocket : open(uri.port + 1);
    const strangers = isMain ? this.#makeTunnel(uri) : undefined;
    const endpoint: Endpoint = { uri, mediaSocket, controlSocket, strangers, called: undefined };
    if (!uri.isListening) {
      endpoint.called = this.#makeLink(endpoint, uri.host, uri.port, isMain ? uri.port : uri.port + 1);
    }
    mediaSocket.onMessage((bytes, length, address, port) => {
      if (isMain) this.#onTunnelled(endpoint, bytes, length, address, port);
      else this.#onSimpleMedia(endpoint, bytes, length, address, port);
    });
    if (!isMain) {
      controlSocket.onMessage((bytes, length, address, port) =>
        this.#onSimpleControl(endpoint, bytes, length, address, port),
      );
    }
    const onError = () => this.faults.count("socket");
    mediaSocket.onError(onError);
    controlSocket.onError(onError);
    return endpoint;
  }

  #secretOf(uri: RistUri): LinkSecret {
    const secret = uri.secret ?? this.#options.secret;
    const passphrase = secret === undefined ? undefined : new TextEncoder().encode(secret);
    return { passphrase, isAes256: (uri.aesBits ?? this.#options.aesBits ?? 128) === 256 };
  }

  #makeTunnel(uri: RistUri): GreTunnel {
    const { passphrase, isAes256 } = this.#secretOf(uri);
    const key = passphrase === undefined ? undefined : new PreSharedKey(this.#crypto, passphrase, isAes256);
    return new GreTunnel(this.#crypto.randomBytes(6), 32_768 + this.#made, key);
  }

  #makeLink(endpoint: Endpoint, address: string, mediaPort: number, controlPort: number): ReceiverLink {
    const nowUs = this.#environment.clock.nowUs();
    if (this.all.length >= maxLinks) this.#evict(nowUs);
    const tunnel = endpoint.strangers === undefined ? undefined : this.#makeTunnel(endpoint.uri);
    const path = new Path(
      this.#resolved.profile,
      endpoint.mediaSocket as DatagramSocket,
      endpoint.controlSocket,
      address,
      mediaPort,
      controlPort,
      tunnel,
    );
    const link = new ReceiverLink(`link-${++this.#made}`, path, nowUs);
    path.nextReportUs = nowUs;
    this.#authentication.attach(path, endpoint.uri, this.#secretOf(endpoint.uri), link.id);
    if (endpoint.uri.isListening) path.authentication?.restart(nowUs);
    this.all.push(link);
    return link;
  }

  /** Makes room for a new link: the one that has been silent longest goes. */
  #evict(_nowUs: number): void {
    let oldest = 0;
    for (let i = 1; i < this.all.length; i++) {
      const [one, other] = [this.all[i]!.path, this.all[oldest]!.path];
      // Who is not admitted goes before who is, whatever came last.
      const isOlder = one.lastReceivedUs < other.lastReceivedUs;
      if (one.isAdmitted === other.isAdmitted ? isOlder : other.isAdmitted) oldest = i;
    }
    this.all.splice(oldest, 1);
    this.faults.count("evicted");
  }

  #onTunnelled(endpoint: Endpoint, bytes: Uint8Array, length: number, address: string, port: number): void {
    const nowUs = this.#environment.clock.nowUs();
    let link = endpoint.called ?? this.#byControl(endpoint, address, port);
    const tunnel = link?.path.tunnel ?? endpoint.strangers!;
    let fault = tunnel.open(bytes, length, nowUs);
    if (fault === WireFault.none && link === undefined) {
      const { content } = tunnel;
      const isLogin = content === TunnelContent.eapol && this.#authentication.isWanted(endpoint.uri);
      if (!isLogin && content !== TunnelContent.packet && content !== TunnelContent.keepAlive) return;
      link = this.#makeLink(endpoint, address, port, port);
      fault = link.path.tunnel!.open(bytes, length, nowUs);
    }
    if (fault !== WireFault.none || link === undefined) {
      if (tunnel.isFirstBadKey) this.faults.reportBadKey(`${address}:${port}`);
      this.faults.countWire(fault);
      return;
    }
    const opened = link.path.tunnel!;
    link.path.rxBytes += length;
    link.path.rxPackets++;
    if (!this.#admit(link, opened, nowUs)) return;
    link.path.lastReceivedUs = nowUs;
    if (opened.datagramSequence >= 0) link.addDatagram(opened.datagramSequence);
    if (opened.content !== TunnelContent.packet) return;
    const { start, end } = opened;
    if (looksLikeRtcp(opened.bytes[start + 1]!)) this.#onControl(link, opened.bytes, start, end, nowUs);
    else if (!this.#target.onMedia(link, opened.bytes, start, end, nowUs))
      this.faults.countWire(WireFault.overrun);
  }

  /** Authentication comes first; false where the datagram goes no further. */
  #admit(link: ReceiverLink, opened: GreTunnel, nowUs: number): boolean {
    const { authentication } = link.path;
    if (authentication === undefined) return true;
    if (opened.content === TunnelContent.eapol) {
      // The peer is there: silence counts from now.
      link.path.lastReceivedUs = nowUs;
      if (!authentication.take(opened.bytes, opened.start, opened.end, nowUs)) this.faults.count("eapol");
      return false;
    }
    if (!link.path.isAdmitted) this.faults.count("unauthenticated");
    return link.path.isAdmitted;
  }

  #onSimpleMedia(endpoint: Endpoint, bytes: Uint8Array, length: number, address: string, port: number): void {
    const nowUs = this.#environment.clock.nowUs();
    if (length < 12 || bytes[0]! >> 6 !== 2) {
      this.faults.countWire(length < 12 ? WireFault.short : WireFault.version);
      return;
    }
    if (looksLikeRtcp(bytes[1]!)) {
      this.#onSimpleControl(endpoint, bytes, length, address, port);
      return;
    }
    let link = this.#byMedia(endpoint, address, port);
    if (link === undefined) {
      link = this.#unpaired(endpoint, address, true) ?? this.#makeLink(endpoint, address, port, 0);
      link.mediaSourcePort = port;
    }
    link.path.rxBytes += length;
    link.path.rxPackets++;
    link.path.lastReceivedUs = nowUs;
    if (!this.#target.onMedia(link, bytes, 0, length, nowUs)) this.faults.countWire(WireFault.overrun);
  }

  #onSimpleControl(
    endpoint: Endpoint,
    bytes: Uint8Array,
    length: number,
    address: string,
    port: number,
  ): void {
    const nowUs = this.#environment.clock.nowUs();
    if (length < 8 || bytes[0]! >> 6 !== 2 || !looksLikeRtcp(bytes[1]!)) {
      this.faults.countWire(WireFault.type);
      return;
    }
    let link = this.#byControl(endpoint, address, port);
    if (link === undefined) {
      // Our own senders use one port for both; others two, which are paired in the order of their appearance.
      link =
        this.#byMedia(endpoint, address, port) ??
        this.#unpaired(endpoint, address, false) ??
        this.#makeLink(endpoint, address, 0, 0);
      link.controlSourcePort = port;
      link.path.redirect(address, link.mediaSourcePort, port);
    }
    link.path.rxBytes += length;
    link.path.rxPackets++;
    link.path.lastReceivedUs = nowUs;
    this.#onControl(link, bytes, 0, length, nowUs);
  }

  #byControl(endpoint: Endpoint, address: string, port: number): ReceiverLink | undefined {
    for (let i = 0; i < this.all.length; i++) {
      const { path } = this.all[i]!;
      if (path.controlPort === port && path.address === address && this.#isOf(endpoint, path))
        return this.all[i];
    }
    return undefined;
  }

  #byMedia(endpoint: Endpoint, address: string, port: number): ReceiverLink | undefined {
    for (let i = 0; i < this.all.length; i++) {
      const link = this.all[i]!;
      if (link.mediaSourcePort === port && link.path.address === address && this.#isOf(endpoint, link.path))
        return link;
    }
    return endpoint.called;
  }

  #unpaired(endpoint: Endpoint, address: string, needsMedia: boolean): ReceiverLink | undefined {
    for (const link of this.all) {
      if (link.path.address !== address || !this.#isOf(endpoint, link.path)) continue;
      if (needsMedia ? link.mediaSourcePort === 0 : link.controlSourcePort === 0) return link;
    }
    return undefined;
  }

  #isOf(endpoint: Endpoint, path: Path): boolean {
    return path.isOn(endpoint.mediaSocket);
  }

  #onControl(link: ReceiverLink, bytes: Uint8Array, start: number, end: number, nowUs: number): void {
    const reader = this.#reader;
    const { feedback } = this.#target;
    reader.reset(bytes, start, end);
    while (reader.next()) {
      const { kind } = reader;
      if (kind === RtcpKind.senderReport) {
        link.path.lastSenderReport = ((reader.timeHigh << 16) | (reader.timeLow >>> 16)) >>> 0;
        link.path.lastSenderReportUs = nowUs;
      } else if (kind === RtcpKind.echoRequest) feedback.sendEchoResponse(link.path, reader, 0);
      else if (kind === RtcpKind.echoResponse && reader.ssrc === feedback.ssrc) {
        feedback.takeEchoResponse(link.path, reader, nowUs);
      }
    }
    if (reader.isMalformed) this.faults.countWire(WireFault.overrun);
  }
}

function checkUri(uri: RistUri, resolved: ResolvedReceiverOptions): void {
  if (resolved.profile !== "simple") return;
  if (uri.port % 2 === 0 && uri.isListening) return;
  throw new BondError(
    "bond/bad-uri",
    "usage",
    uri.isListening
      ? `Port ${uri.port} is odd; the Simple profile uses an even port for media and the next one for feedback.`
      : "A receiver of the Simple profile listens: use rist://@host:port, or the Main profile to call the sender.",
  );
}
