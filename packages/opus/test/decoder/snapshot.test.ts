import { crc32c, isLongwaveError, SeededRandom } from "@longwave/base";
import { describe, expect, test } from "vitest";
import { createSeekableDecoder, OpusCore, OpusDecoder } from "../../src/index.ts";
import { encodePlan, encodeSwitching, lossPattern, streamPlans } from "./oracle-streams.ts";

const switching = await encodeSwitching(0.5);

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return isLongwaveError(error) ? error.code : String(error);
  }
  return undefined;
}

function takeSnapshot(decoder: OpusDecoder, sections: "all" | "live" = "all", version?: number): Uint8Array {
  const bytes = new Uint8Array(decoder.snapshotBytes);
  return bytes.slice(0, decoder.snapshot(bytes, sections, version));
}

describe("a restored state goes on bit for bit", () => {
  test.each([
    ["without losses", 0, 48000, 2],
    ["with losses", 0.3, 48000, 2],
    ["with losses, mono", 0.3, 48000, 1],
    ["with losses, 16 kHz", 0.2, 16000, 2],
  ] as const)("at every packet of a switching stream %s", (_, share, sampleRate, channels) => {
    const losses = lossPattern(switching.length, share, 9);
    const elsewhere = OpusCore.create({ memoryMiB: 4 });
    using straight = new OpusDecoder({ sampleRate, channels });
    // Another slot of another instance takes over at every packet.
    using restored = new OpusDecoder({ sampleRate, channels, core: elsewhere });
    const expected = new Float32Array(5760 * 2);
    const pcm = new Float32Array(5760 * 2);
    const wrong: string[] = [];
    for (const [index, packet] of switching.entries()) {
      const image = takeSnapshot(straight);
      restored.reset();
      restored.restore(image);
      if (Buffer.compare(takeSnapshot(restored), image) !== 0) wrong.push(`packet ${index}: image`);
      const input = losses[index] ? null : packet;
      const frames = straight.decode(input, expected);
      const got = restored.decode(input, pcm);
      if (got !== frames || straight.finalRange !== restored.finalRange) wrong.push(`packet ${index}: range`);
      for (let i = 0; i < frames * channels; i++) {
        if (pcm[i] !== expected[i]) {
          wrong.push(`packet ${index}: sample ${i}`);
          break;
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  test.each(streamPlans)("live sections are enough without losses: $name", async (plan) => {
    const packets = (await encodePlan(plan, 0.5)).filter((packet) => packet.length > 2);
    using straight = new OpusDecoder({ channels: plan.channels });
    using restored = new OpusDecoder({ channels: plan.channels });
    const expected = new Float32Array(5760 * 2);
    const pcm = new Float32Array(5760 * 2);
    const half = packets.length >> 1;
    for (const packet of packets.slice(0, half)) straight.decode(packet, expected);
    const live = takeSnapshot(straight, "live");
    expect(live.length).toBeLessThan(takeSnapshot(straight, "all").length);
    restored.restore(live);
    const ours = new Uint32Array(4);
    const theirs = new Uint32Array(4);
    for (const packet of packets.slice(half)) {
      if ((packet[0]! ^ packets[half - 1]![0]!) & 0x80) break; // a change of mode conceals
      const frames = straight.decode(packet, expected);
      restored.decode(packet, pcm);
      expect(pcm.subarray(0, frames)).toEqual(expected.subarray(0, frames));
      straight.liveStateDigest(ours);
      restored.liveStateDigest(theirs);
      expect(theirs).toEqual(ours);
    }
  });
});

test("clone and copyFrom give an equal decoder, also in another core", () => {
  using decoder = new OpusDecoder({ gainQ8: 300 });
  const pcm = new Float32Array(5760 * 2);
  for (const packet of switching.slice(0, 20)) decoder.decode(packet, pcm);
  using twin = decoder.clone();
  using other = new OpusDecoder({ core: OpusCore.create({ memoryMiB: 4 }) });
  other.copyFrom(decoder);
  expect(takeSnapshot(twin)).toEqual(takeSnapshot(decoder));
  expect(takeSnapshot(other)).toEqual(takeSnapshot(decoder));
  expect(twin.gainQ8).toBe(300);
  using mono = new OpusDecoder({ channels: 1 });
  expect(codeOf(() => mono.copyFrom(decoder))).toBe("opus/bad-argument");
});

test("the digest of the whole state sees what only concealment uses", () => {
  using straight = new OpusDecoder();
  using restored = new OpusDecoder();
  const pcm = new Float32Array(5760 * 2);
  for (const packet of switching.slice(0, 20)) straight.decode(packet, pcm);
  const digests = [new Uint32Array(4), new Uint32Array(4)] as const;
  restored.restore(takeSnapshot(straight, "live"));
  for (const [i, decoder] of [straight, restored].entries()) decoder.wholeStateDigest(digests[i]!);
  expect(digests[1]).not.toEqual(digests[0]);
  restored.restore(takeSnapshot(straight, "all"));
  restored.wholeStateDigest(digests[1]);
  expect(digests[1]).toEqual(digests[0]);
});

test("the digest tells states apart", () => {
  using decoder = new OpusDecoder();
  const pcm = new Float32Array(5760 * 2);
  const seen = new Set<string>();
  for (const packet of switching) {
    decoder.decode(packet, pcm);
    const digest = new Uint32Array(4);
    decoder.liveStateDigest(digest);
    seen.add(digest.join());
  }
  expect(seen.size).toBe(switching.length);
});

describe("bad snapshots", () => {
  const decoder = new OpusDecoder();
  const pcm = new Float32Array(5760 * 2);
  for (const packet of switching.slice(0, 40)) decoder.decode(packet, pcm);
  const image = takeSnapshot(decoder);

  /** With the checksum made right again, so that the check behind it is reached. */
  function sealed(bytes: Uint8Array): Uint8Array {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    view.setUint32(bytes.length - 4, crc32c(bytes.subarray(0, bytes.length - 4)), true);
    return bytes;
  }

  test("the envelope is as documented", () => {
    const view = new DataView(image.buffer);
    expect(new TextDecoder().decode(image.subarray(0, 4))).toBe("LWST");
    expect(image[4]).toBe(3);
    expect(view.getUint16(6, true)).toBe(6);
    expect(new TextDecoder().decode(image.subarray(8, 14))).toBe("opus-1");
    expect(view.getUint16(14, true)).toBe(1);
    expect(view.getUint32(image.length - 4, true)).toBe(crc32c(image.subarray(0, image.length - 4)));
  });

  test("an image of version 1, with 10 ms of SILK's output that nobody reads, is taken up as well", async () => {
    const plan = streamPlans.find((each) => each.channels === 1 && each.name.includes("SILK"))!;
    const packets = await encodePlan(plan, 0.5);
    using one = new OpusDecoder({ channels: 1 });
    using other = new OpusDecoder({ channels: 1 });
    for (const packet of packets.slice(0, 12)) one.decode(packet, pcm);
    const live = takeSnapshot(one, "live", 2);
    // In front of the history: envelope and section header, words of Opus, phase flag, channels, stereo, channel, filter.
    const channel = 22 + 64 + 4 + 8 + 24;
    const ltpMemory = new DataView(live.buffer).getInt32(channel + 8 * 4, true);
    const behind = channel + 60 + 8 + 4 + 8 + 64 + 2 * ltpMemory;
    const dead = Uint8Array.from({ length: 960 - 2 * ltpMemory }, (_, i) => i);
    const old = new Uint8Array(Buffer.concat([live.subarray(0, behind), dead, live.subarray(behind)]));
    old[4] = 1;
    new DataView(old.buffer).setUint32(18, old.length - 26, true);
    other.restore(sealed(old));
    expect(takeSnapshot(other, "live")).toEqual(takeSnapshot(one, "live"));
    const expected = new Float32Array(5760);
    for (const packet of packets.slice(12)) {
      const frames = one.decode(packet, expected);
      other.decode(packet, pcm);
      expect(pcm.slice(0, frames)).toEqual(expected.slice(0, frames));
    }
  });

  test("what a decoder wrote in the form of an older version is taken up at every packet, losses and all", async () => {
    const losses = lossPattern(switching.length, 0.2, 5);
    using straight = new OpusDecoder({ channels: 2 });
    using restored = new OpusDecoder({ channels: 2 });
    const expected = new Float32Array(5760 * 2);
    const other = new Float32Array(5760 * 2);
    for (const [index, packet] of switching.entries()) {
      const image = takeSnapshot(straight, "all", 1 + (index % 2));
      expect(image[4]).toBe(1 + (index % 2));
      restored.reset();
      restored.restore(image);
      expect(Buffer.compare(takeSnapshot(restored), takeSnapshot(straight))).toBe(0);
      const input = losses[index] ? null : packet;
      const frames = straight.decode(input, expected);
      restored.decode(input, other);
      expect(
        Buffer.compare(
          Buffer.from(expected.slice(0, 2 * frames).buffer),
          Buffer.from(other.slice(0, 2 * frames).buffer),
        ),
      ).toBe(0);
    }
    for (const version of [4, -1, 1.5e9]) {
      expect(codeOf(() => takeSnapshot(straight, "all", version))).toBe("opus/bad-argument");
    }
  });

  test("a decoder that was reset has the state of a fresh one, whatever it decoded before", () => {
    using used = new OpusDecoder({ channels: 2 });
    using fresh = new OpusDecoder({ channels: 2 });
    const pcm = new Float32Array(5760 * 2);
    for (const packet of switching) used.decode(packet, pcm);
    used.reset();
    expect(takeSnapshot(used)).toEqual(takeSnapshot(fresh));
  });

  test("a flipped bit, a cut, another rate and another profile are refused and change nothing", () => {
    const before = takeSnapshot(decoder);
    const flipped = image.slice();
    flipped[100]! ^= 1;
    expect(codeOf(() => decoder.restore(flipped))).toBe("opus/bad-snapshot");
    expect(codeOf(() => decoder.restore(image.subarray(0, 200)))).toBe("opus/bad-snapshot");
    expect(codeOf(() => decoder.restore(new Uint8Array(0)))).toBe("opus/bad-snapshot");
    const renamed = image.slice();
    renamed[13] = 0x32;
    expect(codeOf(() => decoder.restore(sealed(renamed)))).toBe("opus/profile-mismatch");
    using slow = new OpusDecoder({ sampleRate: 16000 });
    expect(codeOf(() => slow.restore(image))).toBe("opus/bad-snapshot");
    expect(takeSnapshot(decoder)).toEqual(before);
  });

  test("hostile bytes behind a right checksum never trap, and decoding goes on after them", () => {
    const random = new SeededRandom(4);
    const next = () => random.next();
    using victim = new OpusDecoder();
    let accepted = 0;
    for (let round = 0; round < 800; round++) {
      const hostile = image.slice();
      const changes = 1 + Math.floor(next() * 6);
      for (let change = 0; change < changes; change++) {
        const at = 14 + Math.floor(next() * next() * (hostile.length - 18));
        hostile[at] = next() < 0.3 ? 255 : Math.floor(next() * 256);
      }
      const code = codeOf(() => victim.restore(sealed(hostile)));
      expect([undefined, "opus/bad-snapshot", "opus/profile-mismatch"]).toContain(code);
      if (code !== undefined) continue;
      accepted++;
      for (const packet of [switching[round % switching.length]!, null, switching[(round * 7) % 100]!]) {
        expect(victim.tryDecode(packet, pcm)).toBeGreaterThan(-4);
      }
    }
    expect(accepted).toBeGreaterThan(30);
  });
});

test("a seekable decoder refuses another profile and works as a decoder", () => {
  expect(codeOf(() => createSeekableDecoder({ channels: 2, gainQ8: 0 }, "opus-2"))).toBe(
    "opus/profile-mismatch",
  );
  const seekable = createSeekableDecoder({ channels: 2, gainQ8: 0 }, "opus-1");
  const state = new Uint8Array(seekable.maxStateBytes);
  const pcm = new Float32Array(5760 * 2);
  expect(seekable.decode(switching[0]!, pcm)).toBeGreaterThan(0);
  const bytes = seekable.saveState(state, "live");
  seekable.loadState(state.subarray(0, bytes));
  seekable.close();
});
