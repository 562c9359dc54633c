import { SeededRandom } from "@longwave/base";
import { BondError, loadConfig, parseRistUri, parseSrpFile } from "@longwave/bond";
import { describe, expect, test } from "vitest";
import { EapolFrame, eapFrame, startFrame } from "../src/auth/eapol.ts";
import { portableCrypto } from "../src/crypto/crypto-port.ts";
import { PreSharedKey } from "../src/crypto/psk.ts";
import { GreHeader } from "../src/wire/gre.ts";
import { GreTunnel, TunnelContent, tunnelHeadroom } from "../src/wire/gre-tunnel.ts";
import { BufferNegotiation, KeepAlive } from "../src/wire/keep-alive.ts";
import { restoreNullPackets } from "../src/wire/null-packets.ts";
import { RtcpReader } from "../src/wire/rtcp.ts";
import {
  writeEcho,
  writeExtendedSequence,
  writeNackBitmask,
  writeNackRange,
  writeReceiverReport,
  writeSourceDescription,
} from "../src/wire/rtcp-write.ts";
import { RtpHeader, writeRistExtension, writeRtpHeader } from "../src/wire/rtp.ts";
import { WireFault } from "../src/wire/wire-fault.ts";

/** Mutations per parser; the gate asks for ten million (scripts/gates.json). */
const count = Number(process.env["LONGWAVE_MUTATIONS"] ?? 5000);
/** Addresses, configurations and lists do not come over the network, and take a hundred times longer. */
const textCount = Math.ceil(count / 10);
const largest = 1500;

/**
 * A parser under test. It gets `bytes[start, end)` in the middle of a larger array, so that reading outside would be seen in what it
 * reports, and says by returning false that it reported a place outside.
 */
type Parser = (bytes: Uint8Array, start: number, end: number) => boolean;

const random = new SeededRandom(7);
const crypto = portableCrypto(new SeededRandom(8));

function bytesOf(write: (bytes: Uint8Array) => number): Uint8Array {
  const bytes = new Uint8Array(largest);
  return bytes.slice(0, write(bytes));
}

const numbers = Float64Array.from({ length: 40 }, (_, i) => 5 * i + (i % 3));
const compound = bytesOf((bytes) => {
  let at = writeReceiverReport(bytes, 0, 2, 4, 5, 6, 70_000, 8, 9, 10);
  at = writeSourceDescription(bytes, at, 2, new TextEncoder().encode("longwave-1"));
  at = writeEcho(bytes, at, false, 2, 3, 4, 0);
  at = writeExtendedSequence(bytes, at, 2, 1);
  at = writeNackRange(bytes, at, 4, numbers, 0, 20);
  return writeNackBitmask(bytes, at, 2, 4, numbers, 20, 40);
});
/** Report, name, and ranges without a header, as GStreamer sends them. */
const bareNack = bytesOf((bytes) => {
  let at = writeReceiverReport(bytes, 0, 2, 4, 5, 6, 70_000, 8, 9, 10);
  at = writeSourceDescription(bytes, at, 2, new TextEncoder().encode("user1234@host-ab12"));
  bytes.set([0xa1, 0x23, 0, 0, 0xa1, 0x30, 0, 2], at);
  return at + 8;
});
const media = bytesOf((bytes) => {
  const at = writeRtpHeader(bytes, 0, 33, false, 77, 99, 4, true);
  return writeRistExtension(bytes, at, 3, (2 << 8) | 0x81) + 188;
});

/** Datagrams of a tunnel with and without a key: media, feedback, keep-alives. */
function tunnelled(key: PreSharedKey | undefined): Uint8Array[] {
  const tunnel = new GreTunnel(Uint8Array.of(1, 2, 3, 4, 5, 6), 32_768, key);
  const packet = new Uint8Array(tunnelHeadroom + largest);
  const seal = (content: Uint8Array, isControl: boolean) => {
    packet.set(content, tunnelHeadroom);
    tunnel.sealPacket(packet, tunnelHeadroom, tunnelHeadroom + content.length, isControl);
    return tunnel.sealed.slice(tunnel.sealedStart, tunnel.sealedEnd);
  };
  tunnel.sealKeepAlive(2, false);
  const keepAlive = tunnel.sealed.slice(tunnel.sealedStart, tunnel.sealedEnd);
  return [seal(compound, true), seal(media, false), keepAlive];
}

/** Whether `[start, end)` lies inside `[from, to)`. */
const isInside = (start: number, end: number, from: number, to: number) =>
  from <= start && start <= end && end <= to;

const rtp = new RtpHeader();
const rtcp = new RtcpReader();
const gre = new GreHeader();
const keepAlive = new KeepAlive();
const negotiation = new BufferNegotiation();
const eapol = new EapolFrame();
const restored = new Uint8Array(1536);
const key = () => new PreSharedKey(crypto, new TextEncoder().encode("fuzz"), false);
const clear = new GreTunnel(new Uint8Array(6), 32_768, undefined);
const encrypted = new GreTunnel(new Uint8Array(6), 32_768, key());
let nowUs = 0;

function openTunnel(tunnel: GreTunnel): Parser {
  return (bytes, start, end) => {
    nowUs += 1000;
    const fault = tunnel.open(bytes.subarray(start, end), end - start, nowUs);
    // Only these contents lie in the datagram; the others were read already.
    const hasPlace = tunnel.content === TunnelContent.packet || tunnel.content === TunnelContent.eapol;
    return (
      fault !== WireFault.none || !hasPlace || isInside(tunnel.start, tunnel.end, 0, tunnel.bytes.length)
    );
  };
}

const parsers: readonly (readonly [string, readonly Uint8Array[], Parser])[] = [
  [
    "RTP",
    [media, media.slice(0, 12)],
    (bytes, start, end) =>
      rtp.parse(bytes, start, end) !== WireFault.none ||
      isInside(rtp.payloadStart, rtp.payloadEnd, start, end),
  ],
  [
    "RTCP",
    [compound, compound.slice(0, 40), bareNack],
    (bytes, start, end) => {
      rtcp.reset(bytes, start, end);
      let packets = 0;
      while (rtcp.next()) {
        packets++;
        if (rtcp.entryCount > (end - start) >> 2) return false;
        if (rtcp.nameEnd > 0 && rtcp.kind === 3 && !isInside(rtcp.nameStart, rtcp.nameEnd, start, end))
          return false;
      }
      const bare = rtcp.bareEntries();
      for (let i = 0; i < bare; i++) if (rtcp.nackStart(i) > 0xffff) return false;
      return packets <= (end - start) >> 2 && bare <= (end - start) >> 2;
    },
  ],
  [
    "GRE",
    [...tunnelled(undefined), ...tunnelled(key())],
    (bytes, start, end) =>
      gre.parse(bytes, start, end) !== WireFault.none || isInside(gre.payloadStart, end, start, end),
  ],
  ["a clear tunnel", tunnelled(undefined), openTunnel(clear)],
  ["an encrypted tunnel", [...tunnelled(key()), ...tunnelled(undefined)], openTunnel(encrypted)],
  [
    "keep-alives and buffer negotiation",
    [Uint8Array.from({ length: 8 }, (_, i) => i), new Uint8Array(6)],
    (bytes, start, end) => {
      keepAlive.parse(bytes, start, end);
      negotiation.parse(bytes, start, end);
      return negotiation.senderMaxMs <= 0xffff && keepAlive.capabilities <= 0xffff;
    },
  ],
  [
    "EAPOL",
    [startFrame(3), eapFrame(3, 1, 5, Uint8Array.of(19, 1), new Uint8Array(300))],
    (bytes, start, end) =>
      eapol.parse(bytes, start, end) !== WireFault.none ||
      eapol.type === 1 ||
      eapol.type === 2 ||
      isInside(eapol.bodyStart, eapol.bodyEnd, start, end),
  ],
  [
    "payloads with null packets left out",
    [new Uint8Array(188 * 4).fill(0x47), new Uint8Array(100)],
    (bytes, start, end) => {
      const length = restoreNullPackets(
        bytes,
        start,
        end,
        random.below(128),
        random.below(8),
        random.below(2) === 1,
        restored,
      );
      return length === -1 || (length >= end - start && length <= restored.length);
    },
  ],
];

const room = new Uint8Array(3 * largest);

/** Copies a seed into the room behind other bytes, spoils it, and returns its end. */
function mutate(seeds: readonly Uint8Array[], start: number): number {
  const seed = seeds[random.below(seeds.length)]!;
  room.set(seed, start);
  let end = start + seed.length;
  for (let edits = random.below(5); edits > 0; edits--) {
    const kind = random.below(5);
    const near = Math.max(1, Math.min(random.below(2) === 0 ? 40 : largest, end - start));
    const at = start + random.below(near);
    if (kind === 0) room[at] = room[at]! ^ (1 << random.below(8));
    else if (kind === 1) room[at] = random.below(256);
    else if (kind === 2) room[at] = [0, 0xff, 0x80, 0x7f][random.below(4)]!;
    else if (kind === 3) end = start + random.below(end - start + 1);
    else end = Math.min(start + largest, end + random.below(64));
  }
  return end;
}

describe(`${count} mutated inputs`, () => {
  test.each(parsers)("of %s: no throw, nothing outside, no growth", (_name, seeds, parse) => {
    const run = (rounds: number) => {
      for (let round = 0; round < rounds; round++) {
        const start = random.below(largest);
        const end = mutate(seeds, start);
        if (!parse(room, start, end)) throw new Error(`outside: ${room.slice(start, end).join()}`);
      }
    };
    run(Math.min(count, 20_000));
    const before = process.memoryUsage();
    run(Math.max(0, count - 20_000));
    const after = process.memoryUsage();
    expect(after.external - before.external).toBeLessThan(64e6);
    expect(after.heapUsed - before.heapUsed).toBeLessThan(128e6);
  });

  test.each<readonly [string, string, (text: string) => unknown]>([
    [
      "RIST addresses",
      "rist://@[fe80::1%25lo]:7000?buffer=500&secret=x%20y&aes-type=256&weight=5&cname=a",
      parseRistUri,
    ],
    [
      "configurations",
      'version = 1\nprofile = "realtime"\n[rist]\naes_bits = 256\n[[links]]\nid = "a"\nuri = "rist://h:70"\n[arq]\nnack_copies = 2\n',
      (text) => loadConfig(text, "fuzz.toml"),
    ],
    [
      "lists of users",
      "anna:AbCd:EfGh\nbert:0123456789abcdef:ffff:2:3\n# comment\n",
      (text) => parseSrpFile(text, "users"),
    ],
  ])("of %s: a result or a typed error", (_name, seed, parse) => {
    const encoded = new TextEncoder().encode(seed);
    const decoder = new TextDecoder();
    for (let round = 0; round < textCount; round++) {
      const end = mutate([encoded], 0);
      try {
        parse(decoder.decode(room.subarray(0, end)));
      } catch (error) {
        if (!(error instanceof BondError)) throw error;
      }
    }
  });
});
