import { SeededRandom } from "@longwave/base";
import { describe, expect, it } from "vitest";
import { BchCode } from "../src/watermark/bch.ts";
import { hmacSha256 } from "../src/watermark/hmac.ts";
import { MessageCode } from "../src/watermark/message.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("BCH codes of the watermark", () => {
  it.each([
    [7, 10, 127, 64],
    [8, 23, 255, 99],
  ] as const)("degree %i corrects %i errors in %i bits", (degree, correctable, length, messageBits) => {
    const code = new BchCode(degree, correctable);
    expect([code.length, code.messageBits]).toEqual([length, messageBits]);
    const random = new SeededRandom(degree);
    for (let round = 0; round < 60; round++) {
      const message = Uint8Array.from({ length: messageBits }, () => (random.next() < 0.5 ? 0 : 1));
      const word = code.encode(message);
      const received = word.slice();
      const errors = round % (correctable + 1);
      const wrong = new Set<number>();
      while (wrong.size < errors) wrong.add(Math.floor(random.next() * length));
      for (const at of wrong) received[at]! ^= 1;
      expect(code.decode(received)).toBe(errors);
      expect(received).toEqual(word);
      expect(received.subarray(length - messageBits)).toEqual(message);
    }
  });

  it("leaves a word alone that it cannot correct, and calls nothing a code word that is none", () => {
    const code = new BchCode(7, 10);
    const random = new SeededRandom(5);
    let refused = 0;
    for (let round = 0; round < 200; round++) {
      const word = Uint8Array.from({ length: 127 }, () => (random.next() < 0.5 ? 0 : 1));
      const before = word.slice();
      if (code.decode(word) === undefined) {
        refused++;
        expect(word).toEqual(before);
      } else expect(code.decode(word)).toBe(0);
    }
    expect(refused).toBeGreaterThan(195);
  });
});

describe("message of the watermark", () => {
  it("computes HMAC-SHA256 as RFC 4231, cases 1, 2 and 6", () => {
    const bytes = (text: string) => new TextEncoder().encode(text);
    expect(hex(hmacSha256(new Uint8Array(20).fill(0x0b), bytes("Hi There")))).toBe(
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    );
    expect(hex(hmacSha256(bytes("Jefe"), bytes("what do ya want for nothing?")))).toBe(
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    );
    const long = bytes("Test Using Larger Than Block-Size Key - Hash Key First");
    expect(hex(hmacSha256(new Uint8Array(131).fill(0xaa), long))).toBe(
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    );
  });

  it("gives the payload back to its key alone", () => {
    const key = Uint8Array.of(1, 2, 3);
    for (const payload of [Uint8Array.of(0, 0, 0, 0), Uint8Array.of(255, 1, 128, 7, 9, 10, 11, 12)]) {
      const size = payload.length as 4 | 8;
      const word = new MessageCode(key, size).encode(payload);
      expect(new MessageCode(key, size).decode(word.slice())).toEqual({ payload, corrected: 0 });
      expect(new MessageCode(Uint8Array.of(1, 2, 4), size).decode(word.slice())).toBeUndefined();
    }
  });

  it("refuses a payload of another length", () => {
    expect(() => new MessageCode(Uint8Array.of(1), 4).encode(new Uint8Array(5))).toThrow(
      /4 bytes|4 or 8 bytes/,
    );
  });
});
