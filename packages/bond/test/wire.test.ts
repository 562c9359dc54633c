import { createCipheriv, createHash, pbkdf2Sync } from "node:crypto";
import { SeededRandom } from "@longwave/base";
import { describe, expect, test } from "vitest";
import { AesCtr } from "../src/crypto/aes-ctr.ts";
import { portableCrypto } from "../src/crypto/crypto-port.ts";
import { PreSharedKey } from "../src/crypto/psk.ts";
import { pbkdf2Sha256, sha256 } from "../src/crypto/sha256.ts";
import { GreTunnel, TunnelContent, tunnelHeadroom } from "../src/wire/gre-tunnel.ts";
import { deleteNullPackets, restoreNullPackets } from "../src/wire/null-packets.ts";
import { RtcpKind, RtcpReader } from "../src/wire/rtcp.ts";
import {
  writeEcho,
  writeExtendedSequence,
  writeNackBitmask,
  writeNackRange,
  writeReceiverReport,
  writeSenderReport,
  writeSourceDescription,
} from "../src/wire/rtcp-write.ts";
import { RtpHeader, writeRistExtension, writeRtpHeader } from "../src/wire/rtp.ts";
import { sequenceModulus, unwrapNear } from "../src/wire/sequence.ts";
import { WireFault } from "../src/wire/wire-fault.ts";

const hex = (bytes: Uint8Array, start = 0, end = bytes.length) =>
  Buffer.from(bytes.subarray(start, end)).toString("hex");
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));

describe("NACKs (TR-06-1 appendix A: 100 and 103..122 are lost)", () => {
  const lost = Float64Array.of(100, ...Array.from({ length: 20 }, (_, i) => 103 + i));

  test("as bitmask", () => {
    const bytes = new Uint8Array(64);
    const end = writeNackBitmask(bytes, 0, 0x11111110, 0x22222220, lost, 0, lost.length);
    expect(hex(bytes, 0, end)).toBe("81cd0004" + "11111110" + "22222220" + "0064fffc" + "0075001f");
  });

  test("as range", () => {
    const bytes = new Uint8Array(64);
    const end = writeNackRange(bytes, 0, 0x22222220, lost, 0, lost.length);
    expect(hex(bytes, 0, end)).toBe("80cc0004" + "22222220" + "52495354" + "00640000" + "00670013");
  });

  test("across the wrap of the 16 bits", () => {
    const bytes = new Uint8Array(64);
    const end = writeNackRange(bytes, 0, 2, Float64Array.of(0x1ffff, 0x20000), 0, 2);
    expect(hex(bytes, 12, end)).toBe("ffff0001");
  });
});

describe("RTCP compounds", () => {
  test("are read back packet by packet", () => {
    const bytes = new Uint8Array(512);
    const name = new TextEncoder().encode("longwave");
    let end = writeSenderReport(bytes, 0, 0xabcdef00, 1, 2, 3, 4, 5);
    end = writeSourceDescription(bytes, end, 0xabcdef00, name);
    end = writeReceiverReport(bytes, end, 8, 0xabcdef00, 3, -2, 70_000, 9, 10, 11);
    end = writeEcho(bytes, end, false, 6, 7, 8, 0);
    end = writeEcho(bytes, end, true, 6, 7, 8, 99);
    end = writeExtendedSequence(bytes, end, 6, 0x1234);
    expect(end % 4).toBe(0);
    const reader = new RtcpReader();
    reader.reset(bytes, 0, end);
    const kinds: number[] = [];
    while (reader.next()) {
      kinds.push(reader.kind);
      if (reader.kind === RtcpKind.sourceDescription) {
        expect(hex(bytes, reader.nameStart, reader.nameEnd)).toBe(hex(name));
      }
      if (reader.kind === RtcpKind.receiverReport) {
        expect(reader).toMatchObject({ mediaSsrc: 0xabcdef00, cumulativeLost: -2, highestSequence: 70_000 });
      }
      if (reader.kind === RtcpKind.echoResponse) expect(reader.processingDelayUs).toBe(99);
      if (reader.kind === RtcpKind.extendedSequence) expect(reader.timeHigh).toBe(0x1234);
    }
    expect(kinds).toEqual([
      RtcpKind.senderReport,
      RtcpKind.sourceDescription,
      RtcpKind.receiverReport,
      RtcpKind.echoRequest,
      RtcpKind.echoResponse,
      RtcpKind.extendedSequence,
    ]);
    expect(reader.isMalformed).toBe(false);
  });

  test("accept librist's extended report with type 77", () => {
    const reader = new RtcpReader();
    const bytes = bytesOf("80 4d 0004 00000002 04 00 0002 00000007 00000008");
    reader.reset(bytes, 0, bytes.length);
    expect(reader.next()).toBe(true);
    expect(reader).toMatchObject({ kind: RtcpKind.referenceTime, timeHigh: 7, timeLow: 8 });
  });

  test("end at a length that points behind the datagram", () => {
    const reader = new RtcpReader();
    const bytes = bytesOf("80c90003 00000001");
    reader.reset(bytes, 0, bytes.length);
    expect(reader.next()).toBe(false);
    expect(reader.isMalformed).toBe(true);
  });
});

describe("RTP", () => {
  test("keeps the retransmission bit apart from the source", () => {
    const bytes = new Uint8Array(40);
    writeRtpHeader(bytes, 0, 33, false, 0xffff, 0xfffffff0, 0x80000001, false);
    const header = new RtpHeader();
    expect(header.parse(bytes, 0, 40)).toBe(WireFault.none);
    expect(header).toMatchObject({
      sequence: 0xffff,
      timestamp: 0xfffffff0,
      ssrc: 0x80000000,
      isRetransmission: true,
    });
  });

  test("carries the upper sequence bits and deletion flags in the RIST extension", () => {
    const bytes = new Uint8Array(40);
    const at = writeRtpHeader(bytes, 0, 33, false, 1, 2, 4, true);
    expect(hex(bytes, at, writeRistExtension(bytes, at, 0xbeef, (7 << 8) | 0x05))).toBe(
      "52490001" + "f805beef",
    );
    const header = new RtpHeader();
    header.parse(bytes, 0, 40);
    expect(header).toMatchObject({
      sequenceHigh: 0xbeef,
      hasDeletedNulls: true,
      originalCount: 7,
      nullBits: 5,
    });
  });

  test.each([
    ["", WireFault.short],
    ["8021 0001 00000002 000000", WireFault.short],
    ["4021 0001 00000002 00000004", WireFault.version],
    ["9021 0001 00000002 00000004 5249 0009", WireFault.overrun],
    ["8f21 0001 00000002 00000004", WireFault.overrun],
    ["a021 0001 00000002 00000004 00", WireFault.overrun],
  ])("refuses %s", (text, fault) => {
    const bytes = bytesOf(text);
    expect(new RtpHeader().parse(bytes, 0, bytes.length)).toBe(fault);
  });

  test("sequence numbers unwrap to the nearest", () => {
    expect(unwrapNear(2, 0x1fffe, sequenceModulus)).toBe(0x20002);
    expect(unwrapNear(0xfffe, 0x20001, sequenceModulus)).toBe(0x1fffe);
  });
});

describe("null packets", () => {
  test("are removed and put back bit for bit, wherever they are", () => {
    for (let mask = 0; mask < 128; mask++) {
      const payload = new Uint8Array(7 * 188);
      for (let i = 0; i < 7; i++) {
        const isNull = (mask & (0x40 >> i)) !== 0;
        payload.fill(isNull ? 0xff : i + 1, i * 188, (i + 1) * 188);
        payload.set(isNull ? [0x47, 0x1f, 0xff, 0x10] : [0x47, 0x01, 0x00, 0x10], i * 188);
      }
      const short = new Uint8Array(7 * 188);
      const result = deleteNullPackets(payload, 0, payload.length, short, 0);
      if (mask === 0) {
        expect(result).toBe(-1);
        continue;
      }
      const back = new Uint8Array(7 * 188);
      const count = (result >> 8) & 7;
      expect(restoreNullPackets(short, 0, result >> 16, result & 0x7f, count, false, back)).toBe(
        payload.length,
      );
      expect(hex(back)).toBe(hex(payload));
    }
  });
});

describe("cryptography", () => {
  const passphrase = new TextEncoder().encode("Reliable Internet Stream Transport");

  test("derives the key of TR-06-2 appendix B", () => {
    const key = "1c2b0cfc90ae2638fea78c7fb297704718bff7f4052743001a9b7ebb51cc9f1c";
    expect(hex(pbkdf2Sha256(passphrase, bytesOf("52495354"), 1024, 32))).toBe(key);
    expect(hex(pbkdf2Sha256(passphrase, bytesOf("52495354"), 1024, 16))).toBe(key.slice(0, 32));
  });

  test("agrees with Node for SHA-256, PBKDF2 and AES-CTR", () => {
    const random = new SeededRandom(1);
    for (let length = 0; length < 200; length += 7) {
      const bytes = Uint8Array.from({ length }, () => random.below(256));
      expect(hex(sha256(bytes))).toBe(createHash("sha256").update(bytes).digest("hex"));
      expect(hex(pbkdf2Sha256(bytes, bytes, 3, 32))).toBe(
        pbkdf2Sync(bytes, bytes, 3, 32, "sha256").toString("hex"),
      );
      for (const size of [16, 32]) {
        const key = Uint8Array.from({ length: size }, () => random.below(256));
        const iv = Uint8Array.from({ length: 16 }, () => random.below(256));
        iv.fill(0xff, 8);
        const out = new Uint8Array(length);
        new AesCtr(key).apply(iv, bytes, 0, length, out, 0);
        expect(hex(out)).toBe(
          createCipheriv(`aes-${size * 8}-ctr`, key, iv)
            .update(bytes)
            .toString("hex"),
        );
      }
    }
  });
});

describe("the GRE tunnel", () => {
  const makeTunnel = (secret?: string) => {
    const crypto = portableCrypto(new SeededRandom(5));
    return new GreTunnel(
      new Uint8Array(6),
      32_768,
      secret ? new PreSharedKey(crypto, new TextEncoder().encode(secret), true) : undefined,
    );
  };
  const report = () => {
    const bytes = new Uint8Array(200);
    return { bytes, end: writeSenderReport(bytes, tunnelHeadroom, 2, 1, 1, 1, 1, 1) };
  };

  test("starts with version 1, a link sequence number and reduced ports", () => {
    const tunnel = makeTunnel();
    const { bytes, end } = report();
    tunnel.sealPacket(bytes, tunnelHeadroom, end, true);
    expect(hex(tunnel.sealed, tunnel.sealedStart, tunnel.sealedStart + 12)).toBe(
      "1008" + "88b6" + "00000000" + "8000" + "07b1",
    );
  });

  test("opens what it sealed, clear and encrypted, and upgrades with its peer", () => {
    for (const secret of [undefined, "key"]) {
      const sender = makeTunnel(secret);
      const receiver = makeTunnel(secret);
      const { bytes, end } = report();
      sender.sealPacket(bytes, tunnelHeadroom, end, true);
      const sealed = sender.sealed.slice(sender.sealedStart, sender.sealedEnd);
      expect(receiver.open(sealed, sealed.length, 0)).toBe(WireFault.none);
      expect(receiver.content).toBe(TunnelContent.packet);
      expect(hex(receiver.bytes, receiver.start, receiver.end)).toBe(hex(bytes, tunnelHeadroom, end));
      expect(receiver.version).toBe(1);
      sender.sealKeepAlive(2, false);
      const keepAlive = sender.sealed.slice(sender.sealedStart, sender.sealedEnd);
      expect(receiver.open(keepAlive, keepAlive.length, 0)).toBe(WireFault.none);
      expect(receiver.content).toBe(TunnelContent.keepAlive);
      expect(receiver.version).toBe(2);
    }
  });

  test("limits key derivations and mutes nonces that give nonsense", () => {
    const receiver = makeTunnel("right");
    let derivations = 0;
    for (let nonce = 1; nonce <= 200; nonce++) {
      const bytes = bytesOf(`3048 88b6 ${nonce.toString(16).padStart(8, "0")} 00000000 ${"00".repeat(40)}`);
      expect(receiver.open(bytes, bytes.length, 0)).toBe(WireFault.key);
      if (receiver.isFirstBadKey) derivations++;
    }
    expect(derivations).toBeLessThanOrEqual(10);
  });
});
