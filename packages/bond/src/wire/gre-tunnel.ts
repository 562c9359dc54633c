import type { PreSharedKey } from "../crypto/psk.ts";
import { readU16, writeU16 } from "./byte-order.ts";
import { GreContent, GreHeader, VsfSubtype, writeGreHeader } from "./gre.ts";
import { BufferNegotiation, KeepAlive, writeBufferNegotiation, writeKeepAlive } from "./keep-alive.ts";
import { WireFault } from "./wire-fault.ts";

/** Bytes that callers keep free before an RTP or RTCP packet so that the tunnel can put its header there. */
export const tunnelHeadroom = 24;
/** Virtual destination port of RTP in librist; RTCP has the next one. */
const virtualRtpPort = 1968;
const maxDatagramBytes = 2048;

/** What `GreTunnel.open` found. */
export const TunnelContent = { packet: 0, keepAlive: 1, bufferNegotiation: 2, eapol: 3, ignored: 4 } as const;

export type TunnelContent = (typeof TunnelContent)[keyof typeof TunnelContent];

/**
 * The Main profile's framing of one link: GRE, virtual ports, encryption, keep-alives, buffer negotiation
 * (TR-06-2 section 5). It starts at GRE version 1 and upgrades to 2 when the peer shows it. Allocates nothing per packet.
 */
export class GreTunnel {
  readonly #header = new GreHeader();
  readonly #scratch = new Uint8Array(maxDatagramBytes);
  /** Decrypted content. It is still read while answers are sealed: each entry of a NACK sends a packet again. */
  readonly #opened = new Uint8Array(maxDatagramBytes);
  readonly #mac: Uint8Array;
  #sendKey: PreSharedKey | undefined;
  #receiveKey: PreSharedKey | undefined;
  /** What was read under the last passphrase is still read for a while after a change. */
  #previousKey: PreSharedKey | undefined;
  readonly #sourcePort: number;
  #sequence = 0;
  #version = 1;
  readonly keepAlive: KeepAlive = new KeepAlive();
  readonly bufferNegotiation: BufferNegotiation = new BufferNegotiation();

  /** After `open`: where the content lies, in `bytes`. */
  bytes: Uint8Array = this.#opened;
  start = 0;
  end = 0;
  content: TunnelContent = TunnelContent.ignored;
  /** After `open`: the link's datagram sequence number, or -1. */
  datagramSequence = -1;
  /** After `open` with fault `key`: this is the first bad datagram under its nonce. */
  isFirstBadKey = false;
  /** After `seal...`: the datagram to send, `sealed[sealedStart, sealedEnd)`. */
  sealed: Uint8Array = this.#scratch;
  sealedStart = 0;
  sealedEnd = 0;

  /**
   * @param mac 6 bytes that name this end in keep-alives
   * @param sourcePort virtual source port, 32768 + link number in librist
   */
  constructor(mac: Uint8Array, sourcePort: number, key: PreSharedKey | undefined) {
    this.#mac = mac;
    this.#sourcePort = sourcePort;
    this.#sendKey = key;
    this.#receiveKey = key;
  }

  /** Encrypts under another passphrase from now on. */
  setSendKey(key: PreSharedKey): void {
    this.#sendKey = key;
  }

  /** Decrypts under another passphrase; nonces that are in use stay readable until they change. */
  setReceiveKey(key: PreSharedKey): void {
    this.#previousKey = this.#receiveKey;
    this.#receiveKey = key;
  }

  /** GRE version spoken now. */
  get version(): number {
    return this.#version;
  }

  get isEncrypted(): boolean {
    return this.#sendKey !== undefined;
  }

  /** Opens one datagram. On `WireFault.none` look at `content`, `bytes`, `start` and `end`. */
  open(bytes: Uint8Array, length: number, nowUs: number): WireFault {
    const header = this.#header;
    this.isFirstBadKey = false;
    const fault = header.parse(bytes, 0, length);
    if (fault !== WireFault.none) return fault;
    this.datagramSequence = header.sequence;
    let start = header.payloadStart;
    let end = length;
    let source = bytes;
    const key = this.#keyFor(header);
    if (header.nonce !== 0) {
      if (key === undefined) return WireFault.key;
      if (end - start > maxDatagramBytes) return WireFault.overrun;
      const { nonce, isAes256, version, sequence } = header;
      if (!key.open(nonce, isAes256, version, sequence, bytes, start, end, this.#opened, nowUs)) {
        return WireFault.key;
      }
      source = this.#opened;
      end -= start;
      start = 0;
    } else if (key !== undefined && header.content !== GreContent.eapol) {
      // librist sends keep-alives in clear before its first nonce; only media and feedback must be encrypted.
      if (header.content !== GreContent.keepAlive) return WireFault.key;
    }
    const result = this.#readContent(source, start, end);
    if (header.nonce !== 0) {
      const { nonce, isAes256 } = header;
      if (result !== WireFault.none) {
        this.isFirstBadKey = key!.markBad(nonce, isAes256);
        return WireFault.key;
      }
      // A quarter of all nonsense has RTP's version number. A report does not happen by chance: it comes first.
      if (this.content === TunnelContent.packet && isReport(source, this.start, this.end)) {
        key!.markProven(nonce, isAes256);
      } else if (!key!.isProven(nonce, isAes256)) {
        this.isFirstBadKey = this.content !== TunnelContent.packet && key!.markBad(nonce, isAes256);
        return WireFault.key;
      }
    }
    return result;
  }

  /** Wraps an RTP or RTCP packet `bytes[start, end)`; the `tunnelHeadroom` bytes before `start` may be overwritten. */
  sealPacket(bytes: Uint8Array, start: number, end: number, isControl: boolean): void {
    const at = start - 4;
    writeU16(bytes, at, this.#sourcePort);
    writeU16(bytes, at + 2, virtualRtpPort + (isControl ? 1 : 0));
    this.#seal(bytes, at, end, GreContent.reduced, VsfSubtype.reduced, this.#version);
  }

  /** Builds a keep-alive in the given GRE version. */
  sealKeepAlive(version: number, isDisconnect: boolean): void {
    const bytes = this.#scratch;
    const end = writeKeepAlive(bytes, tunnelHeadroom, this.#mac, isDisconnect);
    this.#seal(bytes, tunnelHeadroom, end, GreContent.keepAlive, VsfSubtype.keepAlive, version);
  }

  /** Builds a buffer negotiation; only peers of version 2 understand it. */
  sealBufferNegotiation(senderMaxMs: number, receiverCurrentMs: number): void {
    const bytes = this.#scratch;
    const end = writeBufferNegotiation(bytes, tunnelHeadroom, senderMaxMs, receiverCurrentMs);
    this.#seal(bytes, tunnelHeadroom, end, GreContent.vsf, VsfSubtype.bufferNegotiation, 2);
  }

  /** Wraps an EAPOL frame, which is never encrypted. */
  sealEapol(frame: Uint8Array): void {
    const bytes = this.#scratch;
    const at = writeGreHeader(bytes, 0, this.#version, GreContent.eapol, 0, false, this.#nextSequence());
    bytes.set(frame, at);
    this.sealed = bytes;
    this.sealedStart = 0;
    this.sealedEnd = at + frame.length;
  }

  #keyFor(header: GreHeader): PreSharedKey | undefined {
    const previous = this.#previousKey;
    if (previous?.knows(header.nonce, header.isAes256)) return previous;
    return this.#receiveKey;
  }

  #nextSequence(): number {
    const sequence = this.#sequence;
    this.#sequence = sequence === 0xffff_ffff ? 0 : sequence + 1;
    if (this.#sequence === 0) this.#sendKey?.renew();
    return sequence;
  }

  #seal(
    bytes: Uint8Array,
    start: number,
    end: number,
    content: number,
    subtype: number,
    version: number,
  ): void {
    let from = start;
    if (version >= 2) {
      from -= 4;
      writeU16(bytes, from, 0);
      writeU16(bytes, from + 2, subtype);
    }
    const etherType = version >= 2 ? GreContent.vsf : content;
    const sequence = this.#nextSequence();
    const key = this.#sendKey;
    if (key === undefined) {
      const at = from - 8;
      writeGreHeader(bytes, at, version, etherType, 0, false, sequence);
      this.sealed = bytes;
      this.sealedStart = at;
      this.sealedEnd = end;
      return;
    }
    // Encrypting in place would spoil the stored packet, which may have to be sent again.
    const out = this.#scratch;
    const { nonce, isAes256 } = key;
    const at = writeGreHeader(out, 0, version, etherType, nonce, isAes256, sequence);
    if (bytes === out) key.seal(version, sequence, bytes, from, end, bytes, from);
    else key.seal(version, sequence, bytes, from, end, out, at);
    if (bytes === out) out.copyWithin(at, from, end);
    this.sealed = out;
    this.sealedStart = 0;
    this.sealedEnd = at + (end - from);
  }

  #readContent(bytes: Uint8Array, start: number, end: number): WireFault {
    let kind = this.#header.content;
    let at = start;
    if (kind === GreContent.vsf) {
      if (end - at < 4) return WireFault.short;
      if (readU16(bytes, at) !== 0) return WireFault.type;
      const subtype = readU16(bytes, at + 2);
      at += 4;
      if (this.#version < 2 && this.#header.version === 2) this.#version = 2;
      if (subtype === VsfSubtype.bufferNegotiation) {
        this.content = TunnelContent.bufferNegotiation;
        return this.bufferNegotiation.parse(bytes, at, end);
      }
      if (subtype === VsfSubtype.reduced) kind = GreContent.reduced;
      else if (subtype === VsfSubtype.keepAlive) kind = GreContent.keepAlive;
      else if (subtype === VsfSubtype.futureNonce) kind = GreContent.ipDatagram;
      else return WireFault.type;
    }
    this.bytes = bytes;
    this.end = end;
    if (kind === GreContent.reduced) {
      // Behind the two ports: RTP or RTCP, both version 2 and at least 8 bytes long.
      if (end - at < 12) return WireFault.short;
      if (bytes[at + 4]! >> 6 !== 2) return WireFault.version;
      this.content = TunnelContent.packet;
      this.start = at + 4;
    } else if (kind === GreContent.keepAlive) {
      this.content = TunnelContent.keepAlive;
      return this.keepAlive.parse(bytes, at, end);
    } else if (kind === GreContent.eapol) {
      this.content = TunnelContent.eapol;
      this.start = at;
    } else if (kind === GreContent.ipDatagram) this.content = TunnelContent.ignored;
    else return WireFault.type;
    return WireFault.none;
  }
}

/** True if `bytes[start, end)` begins with an RTCP sender or receiver report of a length that fits. */
function isReport(bytes: Uint8Array, start: number, end: number): boolean {
  const type = bytes[start + 1]!;
  if ((bytes[start]! & 0xfe) !== 0x80 || (type !== 200 && type !== 201)) return false;
  return start + 4 * (readU16(bytes, start + 2) + 1) <= end;
}
