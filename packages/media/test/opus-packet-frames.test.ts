import { opusPacketFrames } from "@longwave/media";
import { describe, expect, test } from "vitest";

/** RFC 6716 table 2: frame sizes in units of 2.5 ms by configuration. */
const units = [
  4, 8, 16, 24, 4, 8, 16, 24, 4, 8, 16, 24, 4, 8, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8,
];

describe("opusPacketFrames", () => {
  test.each(units.map((each, config) => [config, each]))(
    "configuration %i lasts %i units",
    (config, unit) => {
      const frames = unit * 120;
      for (const stereo of [0, 4]) {
        const toc = (config << 3) | stereo;
        expect(opusPacketFrames(Uint8Array.of(toc))).toBe(frames);
        expect(opusPacketFrames(Uint8Array.of(toc | 1))).toBe(2 * frames);
        expect(opusPacketFrames(Uint8Array.of(toc | 2))).toBe(2 * frames);
        for (let count = 0; count < 64; count++) {
          const total = count * frames <= 5760 ? count * frames : 0;
          expect(opusPacketFrames(Uint8Array.of(toc | 3, count | 0xc0))).toBe(total);
        }
      }
    },
  );

  test("an empty packet and a code 3 packet without a count last nothing", () => {
    expect(opusPacketFrames(new Uint8Array(0))).toBe(0);
    expect(opusPacketFrames(Uint8Array.of(3))).toBe(0);
  });
});
