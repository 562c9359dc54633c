// @longwave/opus/discord: packets and sound are the codec's own; requests by number are taken as libopus takes them (npm
// @evan/opus, its WASM build, is the judge).
import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import OpusScript, { OpusEncoder } from "../../src/discord/index.ts";
import { OpusDecoder, OpusEncoder as PlainEncoder } from "../../src/index.ts";

process.env["OPUS_FORCE_WASM"] = "1";
const { Encoder: Oracle } = createRequire(import.meta.url)("@evan/opus") as {
  Encoder: new (options: {
    channels: number;
    sample_rate: number;
    application: string;
  }) => {
    encode(pcm: Int16Array): Uint8Array;
    ctl(request: number, value?: number): number;
  };
};

const frames = 960;
const pcm = Int16Array.from(
  { length: 10 * frames * 2 },
  (_, i) => 9000 * Math.sin((i >> 1) / (11 + (i & 1) * 4)),
);

function block(index: number, channels = 2): Buffer {
  const part = pcm.slice(index * frames * channels, (index + 1) * frames * channels);
  return Buffer.from(part.buffer);
}

describe("OpusEncoder of @discordjs/opus", () => {
  test("packets and sound are those of the codec, in Buffers", () => {
    using opus = new OpusEncoder(48_000, 2);
    using plain = new PlainEncoder();
    using decoder = new OpusDecoder();
    opus.setBitrate(96_000);
    plain.bitrateBps = 96_000;
    const packet = new Uint8Array(3828);
    const sound = new Int16Array(frames * 2);
    for (let i = 0; i < 10; i++) {
      const ours = opus.encode(block(i));
      expect(Buffer.isBuffer(ours)).toBe(true);
      const bytes = plain.encodeInt16(pcm.subarray(i * frames * 2, (i + 1) * frames * 2), packet);
      expect(Buffer.compare(ours, packet.subarray(0, bytes))).toBe(0);
      decoder.decodeInt16(ours, sound);
      expect(Buffer.compare(opus.decode(ours), new Uint8Array(sound.buffer))).toBe(0);
    }
  });

  test("sound on an odd address, as a slice of a stream has it", () => {
    using one = new OpusEncoder(48_000, 2);
    using two = new OpusEncoder(48_000, 2);
    const shifted = Buffer.concat([Buffer.from([1]), block(0)]).subarray(1);
    expect(two.encode(shifted).equals(one.encode(block(0)))).toBe(true);
  });

  test("a loss is concealed, or recovered from the next packet", () => {
    using opus = new OpusEncoder(48_000, 1);
    opus.applyEncoderCTL(4024, 3001); // voice
    opus.applyEncoderCTL(4002, 20_000);
    opus.applyEncoderCTL(4012, 1); // FEC
    opus.applyEncoderCTL(4014, 25); // expected loss
    const packets = Array.from({ length: 10 }, (_, i) => opus.encode(block(i, 1)));
    using guess = new OpusEncoder(48_000, 1);
    using recover = new OpusEncoder(48_000, 1);
    for (const receiver of [guess, recover])
      for (const packet of packets.slice(0, 5)) receiver.decode(packet);
    const guessed = guess.conceal(frames);
    const recovered = recover.conceal(frames, packets[6]);
    expect([guessed.length, recovered.length]).toEqual([2 * frames, 2 * frames]);
    expect(recovered.equals(guessed)).toBe(false);
    expect(guess.decode(Buffer.alloc(0)).length).toBe(2 * frames);
  });

  test.each([
    [48_000, 2],
    [16_000, 1],
  ])("requests by number are taken or refused as libopus does, %i Hz, %i channels", (rate, channels) => {
    using ours = new OpusEncoder(rate, channels);
    const oracle = new Oracle({ channels, sample_rate: rate, application: "audio" });
    const rates: (readonly [number, number])[] = [];
    const verdicts: (readonly [string, boolean, boolean])[] = [];
    const accepts = (action: () => unknown): boolean => {
      try {
        action();
        return true;
      } catch {
        return false;
      }
    };
    const compare = (request: number, value: number) => {
      const [mine, theirs] = [
        accepts(() => ours.applyEncoderCTL(request, value)),
        accepts(() => oracle.ctl(request, value)),
      ];
      verdicts.push([`${request} ${value}`, mine, theirs]);
      rates.push([ours.getBitrate(), oracle.ctl(4003)]);
    };
    compare(4002, -1000);
    ours.encode(Buffer.alloc((rate / 50) * channels * 2));
    oracle.encode(new Int16Array((rate / 50) * channels));
    for (const value of [-1000, -1, 64_000, 100, 0, -5, 6000]) compare(4002, value);
    for (const [request, values] of [
      [4000, [2048, 2049, 7]],
      [4004, [1101, 1105, 1100, 1106, -1000]],
      [4006, [0, 1, 2]],
      [4008, [-1000, 1103, 1106]],
      [4010, [0, 10, 11, -1]],
      [4012, [0, 1, -1]],
      [4014, [0, 100, 101]],
      [4016, [0, 1, 2]],
      [4020, [0, 1, 2]],
      [4022, [1, -1000, 0, 3]],
      [4024, [3001, 3002, -1000, 3003]],
      [4036, [8, 24, 25]],
      [4040, [5000, 5004, 5010]],
      [4042, [0, 1, 2]],
      [4046, [0, 1, 2]],
      [4999, [1]],
    ] as const) {
      for (const value of values) compare(request, value);
    }
    expect(verdicts.filter(([, mine, theirs]) => mine !== theirs)).toEqual([]);
    expect(rates.filter(([mine, theirs]) => mine !== theirs)).toEqual([]);
  });

  test("the application may change before the first packet; settings made before stay", () => {
    using opus = new OpusEncoder(48_000, 2);
    opus.setBitrate(32_000);
    opus.applyEncoderCTL(4000, 2048);
    using plain = new PlainEncoder({ application: "voip", bitrateBps: 32_000 });
    const packet = new Uint8Array(3828);
    const bytes = plain.encodeInt16(pcm.subarray(0, frames * 2), packet);
    expect(Buffer.compare(opus.encode(block(0)), packet.subarray(0, bytes))).toBe(0);
    expect(() => opus.applyEncoderCTL(4000, 2049)).toThrow(
      expect.objectContaining({ code: "opus/bad-argument" }),
    );
  });

  test("bad use throws and leaves the codec usable", () => {
    expect(() => new OpusEncoder(44_100, 2)).toThrow(expect.objectContaining({ code: "opus/bad-argument" }));
    using opus = new OpusEncoder(48_000, 2);
    const bad = (action: () => unknown, code: string) =>
      expect(action).toThrow(expect.objectContaining({ code }));
    bad(() => opus.encode(Buffer.alloc(100)), "opus/bad-argument");
    bad(() => opus.encode("sound" as unknown as Buffer), "opus/bad-argument");
    bad(() => opus.decode(Buffer.from([255])), "opus/invalid-packet");
    bad(() => opus.applyDecoderCTL(4010, 5), "opus/unimplemented");
    opus.applyDecoderCTL(4034, 256);
    expect(opus.decode(opus.encode(block(0))).length).toBe(3840);
    opus.close();
    opus.close();
    expect(opus.encode(block(0)).length).toBeGreaterThan(10);
  });
});

describe("OpusScript", () => {
  test("has the same codec under its own names", () => {
    using script = new OpusScript(48_000, 2, OpusScript.Application.VOIP);
    using plain = new PlainEncoder({ application: "voip" });
    script.encoderCTL(4010, 3);
    plain.complexity = 3;
    const packet = new Uint8Array(OpusScript.MAX_PACKET_SIZE);
    const bytes = plain.encodeInt16(pcm.subarray(0, frames * 2), packet);
    const ours = script.encode(Buffer.from(pcm.buffer), frames); // longer than needed
    expect(Buffer.compare(ours, packet.subarray(0, bytes))).toBe(0);
    expect(script.decode(ours).length).toBe(frames * 4);
    expect(() => script.encode(Buffer.alloc(3839), frames)).toThrow(
      expect.objectContaining({ code: "opus/bad-argument" }),
    );
    expect(() => new OpusScript(44_100)).toThrow(RangeError);
    script.delete();
  });
});
