import { framedPackets, type PacketFraming } from "@longwave/archive";
import { SeededRandom } from "@longwave/base";
import { describe, expect, test } from "vitest";

const packets = [Uint8Array.of(248, 1, 2, 3), Uint8Array.of(248), new Uint8Array(600).fill(7)];
packets[2]![0] = 248;

function framed(framing: PacketFraming): Uint8Array {
  const pieces = packets.map((packet) => {
    const head = Buffer.alloc(framing === "opus-demo" ? 8 : 4);
    if (framing === "le32") head.writeUInt32LE(packet.length);
    else head.writeUInt32BE(packet.length);
    return Buffer.concat([head, packet]);
  });
  return Buffer.concat(pieces);
}

describe("framedPackets", () => {
  test.each(["opus-demo", "be32", "le32"] as const)("cuts %s", (framing) => {
    expect([...framedPackets(framed(framing), framing)].map((each) => [...each])).toEqual(
      packets.map((each) => [...each]),
    );
    expect(() => [...framedPackets(framed(framing).subarray(0, -1), framing)]).toThrow(/cut off/);
  });

  test("leaves the last length out of self-delimited packets (RFC 6716 appendix B)", () => {
    // Code 0: length 3. Code 1: two frames of 2. Code 2: 1 and 2 bytes. Code 3, variable, padding 1: 1 and 2 bytes.
    const bytes = Uint8Array.of(
      248,
      3,
      1,
      2,
      3,
      249,
      2,
      1,
      2,
      3,
      4,
      250,
      1,
      2,
      9,
      8,
      7,
      251,
      0xc2,
      1,
      1,
      2,
      5,
      6,
      7,
      0,
    );
    expect([...framedPackets(bytes, "self-delimited")].map((each) => [...each])).toEqual([
      [248, 1, 2, 3],
      [249, 1, 2, 3, 4],
      [250, 1, 9, 8, 7],
      [251, 0xc2, 1, 1, 5, 6, 7, 0],
    ]);
  });

  test("random bytes end or are refused, never anything else", () => {
    const random = new SeededRandom(1);
    for (let round = 0; round < 20_000; round++) {
      const bytes = Uint8Array.from({ length: random.below(60) }, () => random.below(256));
      for (const framing of ["opus-demo", "be32", "le32", "self-delimited"] as const) {
        try {
          for (const packet of framedPackets(bytes, framing))
            expect(packet.length).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/archive\/(truncated|limit)/) });
        }
      }
    }
  });
});
