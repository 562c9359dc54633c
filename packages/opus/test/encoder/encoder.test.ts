import { allocatedBytesPerCall } from "@longwave/testkit";
import { describe, expect, test } from "vitest";
import { OpusCore, OpusDecoder, OpusEncoder, type OpusError } from "../../src/index.ts";
import { syntheticMusic } from "./synthetic-music.ts";

const pcm16 = syntheticMusic(48000, 2, 2);
const pcm = Float32Array.from(pcm16, (value) => value / 32768);
const frame = 960 * 2;
const packet = new Uint8Array(1275);

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return (error as OpusError).code;
  }
  return "no error";
}

describe("encoding", () => {
  test.each([
    { application: "audio", bitrateBps: 96000 },
    { application: "lowdelay", bitrateBps: 64000 },
    { application: "celt", bitrateBps: 128000 },
    { application: "audio", bitrateBps: 32000, complexity: 10 },
    { application: "silk", bitrateBps: 24000 },
    { application: "voip", bitrateBps: 40000 },
  ] as const)("packets of $application decode to the same final range", (options) => {
    using encoder = new OpusEncoder(options);
    using decoder = new OpusDecoder();
    const out = new Float32Array(frame);
    for (let at = 0; at + frame <= pcm.length; at += frame) {
      const bytes = encoder.encode(pcm.subarray(at, at + frame), packet);
      expect(decoder.decode(packet.subarray(0, bytes), out)).toBe(960);
      expect(decoder.finalRange).toBe(encoder.finalRange);
    }
  });

  const beyondOracle = [
    ...([80, 100, 120] as const).flatMap((frameDuration) =>
      (["voip", "audio", "lowdelay"] as const).flatMap((application) => [
        { frameDuration, application, bitrateBps: 12000 },
        { frameDuration, application, bitrateBps: 64000, vbr: false },
      ]),
    ),
    { frameDuration: 20, forceMode: "silk", bandwidth: "fb", bitrateBps: 40000 },
    { frameDuration: 20, forceMode: "hybrid", bandwidth: "nb", bitrateBps: 40000 },
    { frameDuration: 20, forceMode: "celt", forceChannels: 1, bitrateBps: 40000 },
    { frameDuration: 20, predictionDisabled: true, bitrateBps: 64000 },
    { frameDuration: 20, inbandFec: 2, packetLossPercent: 20, bitrateBps: 32000 },
    { frameDuration: 60, application: "celt", bitrateBps: 64000 },
  ] as const;

  test.each(beyondOracle)("settings that the oracle cannot be given decode: %o", (options) => {
    using encoder = new OpusEncoder(options);
    using decoder = new OpusDecoder();
    const frames = 48 * options.frameDuration;
    const out = new Float32Array(2 * frames);
    const large = new Uint8Array(7656);
    for (let at = 0; at + 2 * frames <= pcm.length; at += 2 * frames) {
      const bytes = encoder.encode(pcm.subarray(at, at + 2 * frames), large);
      expect(decoder.decode(large.subarray(0, bytes), out)).toBe(frames);
      if (encoder.finalRange !== 0) expect(decoder.finalRange).toBe(encoder.finalRange);
    }
  });

  test("what comes out is what went in, late by the look-ahead", () => {
    using encoder = new OpusEncoder({ bitrateBps: 256000 });
    using decoder = new OpusDecoder();
    const out = new Float32Array(pcm.length);
    for (let at = 0; at + frame <= pcm.length; at += frame) {
      const bytes = encoder.encode(pcm.subarray(at, at + frame), packet);
      decoder.decode(packet.subarray(0, bytes), out.subarray(at, at + frame));
    }
    const delay = encoder.lookahead * 2;
    let signal = 0;
    let noise = 0;
    for (let i = 9600; i + delay < out.length; i++) {
      signal += pcm[i]! ** 2;
      noise += (pcm[i]! - out[i + delay]!) ** 2;
    }
    expect(10 * Math.log10(signal / noise)).toBeGreaterThan(15);
  });

  test("float, 16-bit and 24-bit input of the same samples give the same packets at the same depth", () => {
    using floats = new OpusEncoder({ lsbDepth: 16, complexity: 5 });
    using shorts = new OpusEncoder({ lsbDepth: 16, complexity: 5 });
    using longs = new OpusEncoder({ lsbDepth: 16, complexity: 5 });
    const other = new Uint8Array(1275);
    for (let at = 0; at + frame <= pcm.length; at += frame) {
      const bytes = floats.encode(pcm.subarray(at, at + frame), packet);
      expect(shorts.encodeInt16(pcm16.subarray(at, at + frame), other)).toBe(bytes);
      expect(other.subarray(0, bytes)).toEqual(packet.subarray(0, bytes));
      const wide = Int32Array.from(pcm16.subarray(at, at + frame), (value) => value * 256);
      expect(longs.encodeInt24(wide, other)).toBe(bytes);
      expect(other.subarray(0, bytes)).toEqual(packet.subarray(0, bytes));
    }
  });

  test("encodeAt works inside larger buffers", () => {
    using one = new OpusEncoder();
    using other = new OpusEncoder();
    const large = new Uint8Array(4000);
    const bytes = one.encode(pcm.subarray(frame, 2 * frame), packet);
    expect(other.encodeAt(pcm, frame, 960, large, 100, 1275)).toBe(bytes);
    expect(large.subarray(100, 100 + bytes)).toEqual(packet.subarray(0, bytes));
    expect(large[99]).toBe(0);
    expect(large[100 + bytes]).toBe(0);
  });

  test("NaN and infinite samples become silence, and the stream recovers", () => {
    using encoder = new OpusEncoder();
    using decoder = new OpusDecoder();
    const out = new Float32Array(frame);
    const bad = pcm.slice(0, frame);
    bad[100] = Number.NaN;
    bad[101] = Number.POSITIVE_INFINITY;
    for (const piece of [pcm.subarray(0, frame), bad, pcm.subarray(frame, 2 * frame)]) {
      const bytes = encoder.encode(piece, packet);
      decoder.decode(packet.subarray(0, bytes), out);
      expect(out.every((value) => Number.isFinite(value))).toBe(true);
    }
  });

  test("constant bit rate gives packets of one size", () => {
    using encoder = new OpusEncoder({ bitrateBps: 64000, vbr: false });
    for (let at = 0; at + frame <= pcm.length; at += frame) {
      expect(encoder.encode(pcm.subarray(at, at + frame), packet)).toBe(160);
    }
  });
});

describe("state", () => {
  test("a restored encoder goes on with the same bytes, in another core too", () => {
    using one = new OpusEncoder({ bitrateBps: 48000 });
    using other = new OpusEncoder({ core: OpusCore.create({ memoryMiB: 4 }) });
    const image = new Uint8Array(one.snapshotBytes);
    const second = new Uint8Array(1275);
    for (let at = 0; at + frame <= pcm.length; at += frame) {
      if (at % (frame * 7) === 0) {
        one.snapshot(image);
        other.restore(image);
      }
      const piece = pcm.subarray(at, at + frame);
      const bytes = one.encode(piece, packet);
      expect(other.encode(piece, second)).toBe(bytes);
      expect(second.subarray(0, bytes)).toEqual(packet.subarray(0, bytes));
    }
    expect(other.bitrateBps).toBe(48000);
    using twin = one.clone();
    const bytes = one.encode(pcm.subarray(0, frame), packet);
    expect(twin.encode(pcm.subarray(0, frame), second)).toBe(bytes);
  });

  test("a damaged or foreign image is refused and changes nothing", () => {
    using one = new OpusEncoder();
    using twin = one.clone();
    const image = new Uint8Array(one.snapshotBytes);
    one.snapshot(image);
    for (const at of [0, 5, 9, 13, 17, 21, 1000, image.length - 1]) {
      const damaged = image.slice();
      damaged[at]! ^= 1;
      expect(codeOf(() => one.restore(damaged))).toBe("opus/bad-snapshot");
    }
    expect(codeOf(() => one.restore(image.subarray(1)))).toBe("opus/bad-snapshot");
    const second = new Uint8Array(1275);
    const bytes = one.encode(pcm.subarray(0, frame), packet);
    expect(twin.encode(pcm.subarray(0, frame), second)).toBe(bytes);
    expect(second).toEqual(packet.subarray(0, 1275).fill(0, bytes));
  });

  test("reset gives the bytes of a fresh encoder with the same settings", () => {
    using used = new OpusEncoder({ bitrateBps: 80000, complexity: 4 });
    using fresh = new OpusEncoder({ bitrateBps: 80000, complexity: 4 });
    for (let i = 0; i < 5; i++) used.encode(pcm.subarray(i * frame, (i + 1) * frame), packet);
    used.reset();
    const second = new Uint8Array(1275);
    for (let i = 10; i < 15; i++) {
      const bytes = used.encode(pcm.subarray(i * frame, (i + 1) * frame), packet);
      expect(fresh.encode(pcm.subarray(i * frame, (i + 1) * frame), second)).toBe(bytes);
      expect(second.subarray(0, bytes)).toEqual(packet.subarray(0, bytes));
    }
  });

  test("settings read back what was written", () => {
    using encoder = new OpusEncoder();
    const { complexity, vbr, signal, lsbDepth } = encoder;
    expect({ complexity, vbr, signal, lsbDepth }).toEqual({
      complexity: 9,
      vbr: true,
      signal: "auto",
      lsbDepth: 24,
    });
    expect(encoder.bitrateBps).toBe("auto");
    Object.assign(encoder, { bitrateBps: "max", bandwidth: "swb", forceMode: "celt", forceChannels: 1 });
    const { bitrateBps, bandwidth, forceMode, forceChannels } = encoder;
    expect({ bitrateBps, bandwidth, forceMode, forceChannels }).toEqual({
      bitrateBps: "max",
      bandwidth: "swb",
      forceMode: "celt",
      forceChannels: 1,
    });
    encoder.bitrateBps = 1;
    expect(encoder.bitrateBps).toBe(500);
    encoder.bitrateBps = 64000;
    encoder.encode(pcm.subarray(0, frame), packet);
    expect(encoder.lastMode).toBe("celt");
    expect(encoder.lookahead).toBe(312);
  });
});

describe("bad input", () => {
  test("options and lengths out of range are refused, and the encoder stays usable", () => {
    for (const options of [
      { complexity: 11 },
      { packetLossPercent: -1 },
      { sampleRate: 44100 as 48000 },
      { channels: 3 as 2 },
      { bitrateBps: 0 },
      { lsbDepth: 25 },
      { application: "music" as "audio" },
      { frameDuration: 30 as 20 },
    ]) {
      expect(codeOf(() => new OpusEncoder(options))).toBe("opus/bad-argument");
    }
    using encoder = new OpusEncoder();
    for (const length of [0, 1, frame - 2, 48000]) {
      expect(codeOf(() => encoder.encode(new Float32Array(length), packet))).toBe("opus/bad-argument");
    }
    expect(codeOf(() => encoder.encode(pcm.subarray(0, frame), new Uint8Array(0)))).toBe(
      "opus/buffer-too-small",
    );
    expect(encoder.encode(pcm.subarray(0, frame), packet)).toBeGreaterThan(10);
    encoder.close();
    encoder.close();
    expect(codeOf(() => encoder.encode(pcm.subarray(0, frame), packet))).toBe("opus/closed");
  });
});

describe("no call allocates", () => {
  test.each([
    { application: "lowdelay", frames: 120 },
    { application: "voip", frames: 480 },
  ] as const)("$application", ({ application, frames }) => {
    using encoder = new OpusEncoder({ application, bitrateBps: 24000, vbr: false, complexity: 0 });
    const piece = pcm.slice(0, 2 * frames);
    const short = pcm16.slice(0, 2 * frames);
    const counts = { warmupCalls: 4000, calls: 5000 };
    for (const call of [
      () => void encoder.encode(piece, packet),
      () => void encoder.encodeInt16(short, packet),
      () => void encoder.encodeAt(piece, 0, frames, packet, 0, 1275),
    ]) {
      const { heap, external } = allocatedBytesPerCall(call, counts);
      expect(heap).toBeLessThan(1);
      expect(external).toBe(0);
    }
  });
});
