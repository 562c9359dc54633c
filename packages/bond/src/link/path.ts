import type { DatagramSocket } from "@longwave/base";
import type { PeerAuthentication } from "../auth/authentication.ts";
import { RttEstimator } from "../estimate/rtt.ts";
import type { GreTunnel } from "../wire/gre-tunnel.ts";

/** RIST profile: Simple uses two ports and bare RTP/RTCP, Main one port, GRE and optional encryption. */
export type RistProfile = "simple" | "main";

/**
 * The way to one peer address over one socket (Main) or two (Simple), with its framing. It counts what it sends; who is
 * asked about the peer's health is the owner.
 */
export class Path {
  readonly profile: RistProfile;
  readonly rtt: RttEstimator = new RttEstimator();
  readonly tunnel: GreTunnel | undefined;
  /** Who the peer is must be settled first; absent: everybody is welcome. */
  authentication: PeerAuthentication | undefined;
  readonly #mediaSocket: DatagramSocket;
  readonly #controlSocket: DatagramSocket;
  #address: string;
  #mediaPort: number;
  #controlPort: number;
  /** When the peer's last valid packet came; -Infinity before the first. */
  lastReceivedUs: number = Number.NEGATIVE_INFINITY;
  /** When the peer last proved that our packets arrive: an echo response, or a report about our latest ones. */
  lastProofUs: number = Number.NEGATIVE_INFINITY;
  /** Echo responses since the path was (re)attached. */
  responses = 0;
  nextReportUs = 0;
  nextKeepAliveUs = 0;
  reportsSent = 0;
  /** Middle 32 bits of the NTP time of the peer's last sender report, and when it came. */
  lastSenderReport = 0;
  lastSenderReportUs = 0;
  txBytes = 0;
  txPackets = 0;
  rxBytes = 0;
  rxPackets = 0;
  sendErrors = 0;

  constructor(
    profile: RistProfile,
    mediaSocket: DatagramSocket,
    controlSocket: DatagramSocket,
    address: string,
    mediaPort: number,
    controlPort: number,
    tunnel: GreTunnel | undefined,
  ) {
    this.profile = profile;
    this.#mediaSocket = mediaSocket;
    this.#controlSocket = controlSocket;
    this.#address = address;
    this.#mediaPort = mediaPort;
    this.#controlPort = controlPort;
    this.tunnel = tunnel;
  }

  get address(): string {
    return this.#address;
  }

  /** Remote port of feedback (and of everything in the Main profile). */
  get controlPort(): number {
    return this.#controlPort;
  }

  get mediaPort(): number {
    return this.#mediaPort;
  }

  /** False while the peer still has to authenticate: nothing but that may pass in either direction. */
  get isAdmitted(): boolean {
    return this.authentication === undefined || this.authentication.isAuthenticated;
  }

  /** True where reports and keep-alives may go out. */
  get mayReport(): boolean {
    return this.isAdmitted || this.authentication!.isCaller;
  }

  /** True if this path's media goes over `socket`. */
  isOn(socket: DatagramSocket): boolean {
    return this.#mediaSocket === socket;
  }

  /** The peer shows up from a new address: a NAT was rebound or its interface changed. */
  redirect(address: string, mediaPort: number, controlPort: number): void {
    this.#address = address;
    this.#mediaPort = mediaPort;
    this.#controlPort = controlPort;
  }

  /** Sends the RTP packet `bytes[start, end)`; the `tunnelHeadroom` bytes before it may be overwritten. */
  sendMedia(bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.isAdmitted) return false;
    const tunnel = this.tunnel;
    if (tunnel === undefined) return this.#send(this.#mediaSocket, bytes, start, end, this.#mediaPort);
    tunnel.sealPacket(bytes, start, end, false);
    return this.#send(
      this.#mediaSocket,
      tunnel.sealed,
      tunnel.sealedStart,
      tunnel.sealedEnd,
      this.#mediaPort,
    );
  }

  /** Sends the RTCP compound `bytes[start, end)`, as `sendMedia`. */
  sendControl(bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.mayReport) return false;
    const tunnel = this.tunnel;
    if (tunnel === undefined) return this.#send(this.#controlSocket, bytes, start, end, this.#controlPort);
    tunnel.sealPacket(bytes, start, end, true);
    return this.#sendSealed(tunnel);
  }

  /** Main profile: keep-alives in the versions that the peer may understand. */
  sendKeepAlive(isDisconnect: boolean): void {
    const tunnel = this.tunnel;
    if (tunnel === undefined || !this.mayReport) return;
    tunnel.sealKeepAlive(2, isDisconnect);
    this.#sendSealed(tunnel);
    if (tunnel.version >= 2) return;
    tunnel.sealKeepAlive(1, isDisconnect);
    this.#sendSealed(tunnel);
  }

  /** Main profile, version 2: tells the peer about buffers. */
  sendBufferNegotiation(senderMaxMs: number, receiverCurrentMs: number): void {
    const tunnel = this.tunnel;
    if (tunnel === undefined || !this.mayReport) return;
    tunnel.sealBufferNegotiation(senderMaxMs, receiverCurrentMs);
    this.#sendSealed(tunnel);
  }

  /** Main profile: sends an EAPOL frame. */
  sendEapol(frame: Uint8Array): void {
    if (this.tunnel === undefined) return;
    this.tunnel.sealEapol(frame);
    this.#sendSealed(this.tunnel);
  }

  #sendSealed(tunnel: GreTunnel): boolean {
    return this.#send(
      this.#controlSocket,
      tunnel.sealed,
      tunnel.sealedStart,
      tunnel.sealedEnd,
      this.#controlPort,
    );
  }

  #send(socket: DatagramSocket, bytes: Uint8Array, start: number, end: number, port: number): boolean {
    // The peer has not called yet.
    if (port === 0) return false;
    const isSent = socket.send(bytes, start, end, this.#address, port);
    if (isSent) {
      this.txBytes += end - start;
      this.txPackets++;
    } else this.sendErrors++;
    return isSent;
  }
}
