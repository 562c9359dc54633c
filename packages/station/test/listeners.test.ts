import { OggOpusDemuxer } from "@longwave/media";
import { describe, expect, test } from "vitest";
import { Listeners, OpusCodec, OpusListeners } from "../src/index.ts";

const block = new Float32Array(1920).fill(0.25);

describe("listeners", () => {
  test("a slow one misses the oldest, is told how much, and holds up nobody", async () => {
    const listeners = new Listeners({ maxListeners: 2, maxQueuedBlocks: 3 });
    const slow = listeners.join();
    const quick = listeners.join();
    for (let i = 0; i < 8; i++) {
      listeners.write(new Float32Array(1920).fill(i / 10));
      expect((await quick.next())!.length).toBe(3840);
    }
    expect(quick.droppedBlocks).toBe(0);
    expect(slow.droppedBlocks).toBe(5);
    const view = new DataView((await slow.next())!.buffer);
    expect(view.getInt16(0, true)).toBe(Math.round(0.5 * 32_767));
  });

  test("one that has vanished loses its place, so that another can have it", async () => {
    const listeners = new Listeners({ maxListeners: 1, maxQueuedBlocks: 4 });
    const gone = listeners.join();
    expect(() => listeners.join()).toThrow(/places are taken/);
    for (let i = 0; i < 61; i++) listeners.write(block);
    expect(listeners.count).toBe(0);
    expect(await gone.next()).toBeUndefined();
    listeners.join();
  });

  test("one that waits for sound keeps its place however long nothing comes", async () => {
    const listeners = new Listeners({ maxListeners: 1, maxQueuedBlocks: 4 });
    const listener = listeners.join();
    for (let i = 0; i < 200; i++) {
      const next = listener.next();
      listeners.write(block);
      expect(await next).toBeDefined();
    }
    expect(listeners.count).toBe(1);
  });
});

test("live Ogg Opus is a stream that a demuxer takes from its first byte, losses included", async () => {
  const listeners = new OpusListeners("a test");
  const codec = new OpusCodec();
  for (let i = 0; i < 7; i++) codec.encode(block, (packet) => listeners.write(packet));
  const listener = listeners.join();
  const packets: number[] = [];
  let damaged = 0;
  const demuxer = new OggOpusDemuxer({
    packet: ({ start, end, frames }) => {
      packets.push(end - start);
      expect(frames).toBe(960);
    },
    damage: () => {
      damaged++;
    },
  });
  for (let i = 0; i < 20; i++) {
    if (i === 9) listeners.write(undefined);
    else codec.encode(block, (packet) => listeners.write(packet));
  }
  for (let i = 0; i < 5; i++) demuxer.push((await listener.next())!);
  expect(packets.length).toBeGreaterThanOrEqual(19);
  expect(packets[9]).toBe(1);
  expect(damaged).toBe(0);
});
