// The start of every conformance vector; `npm run conformance -- opus` decodes them whole at all rates.
import { createDecoder } from "libopus-wasm";
import { describe, expect, test } from "vitest";
import { OpusDecoder } from "../../src/index.ts";
import { readVector, vectorFolder } from "../silk/vectors.ts";

const absent = vectorFolder === undefined ? " (skipped: shared data absent)" : "";
const names = Array.from({ length: 12 }, (_, index) => String(index + 1).padStart(2, "0"));

describe.skipIf(vectorFolder === undefined)(`conformance vectors${absent}`, () => {
  test.each(names)("vector %s: final ranges and every sample of the first 150 packets", async (name) => {
    using ours = new OpusDecoder();
    const oracle = await createDecoder({ sampleRate: 48000, channels: 2, maxFrameSize: 5760 });
    const pcm = new Float32Array(5760 * 2);
    const wrong: string[] = [];
    for (const [index, { packet, finalRange }] of readVector(name).slice(0, 150).entries()) {
      const frames = ours.decode(packet, pcm);
      if (ours.finalRange !== finalRange) wrong.push(`packet ${index}: final range`);
      const expected = oracle.decodeFloat(packet);
      if (expected.length !== frames * 2) wrong.push(`packet ${index}: length`);
      else if (expected.some((value, i) => value !== pcm[i])) wrong.push(`packet ${index}: samples`);
    }
    oracle.free();
    expect(wrong).toEqual([]);
  });
});
