import { allocatedBytesPerCall } from "@longwave/testkit";
import { describe, expect, test } from "vitest";
import {
  blockFrames,
  defaultReception,
  impairments,
  LevelMeter,
  Listeners,
  Programme,
  Reception,
  type StationEventBody,
} from "../src/index.ts";

const blockOf = (value: (index: number) => number) =>
  Float32Array.from({ length: 2 * blockFrames }, (_, index) => value(index));

describe("reception", () => {
  const receive = (reception: Reception, block: Float32Array, blocks = 20) => {
    let last = new Float32Array(0);
    reception.onReceive((received) => {
      last = received.slice();
    });
    for (let i = 0; i < blocks; i++) reception.send(block, i * blockFrames);
    return last;
  };
  const power = (block: Float32Array) => block.reduce((sum, value) => sum + value * value, 0) / block.length;

  test("changes nothing where nothing is set", () => {
    const block = blockOf((index) => ((index * 7919) % 1000) / 1000 - 0.5);
    const clear = new Reception(1, impairments.none.reception);
    expect(receive(clear, block)).toEqual(block);
  });

  test("adds noise of the level that was asked for", () => {
    const noisy = new Reception(1, { gainDb: 0, noiseDb: -30, lowHz: 0, highHz: 24_000 });
    expect(
      10 *
        Math.log10(
          power(
            receive(
              noisy,
              blockOf(() => 0),
            ),
          ),
        ),
    ).toBeCloseTo(-30, 0);
  });

  test("weakens what is outside the band by 12 dB an octave, and leaves the middle", () => {
    const band = new Reception(1, { gainDb: 0, noiseDb: null, lowHz: 500, highHz: 2000 });
    const tone = (hz: number) =>
      blockOf((index) => Math.sin((2 * Math.PI * hz * Math.floor(index / 2)) / 48_000));
    const levelOf = (hz: number) => 10 * Math.log10(power(receive(band, tone(hz))) / 0.5);
    expect(levelOf(1000)).toBeGreaterThan(-1.5);
    expect(levelOf(8000)).toBeLessThan(-22);
    expect(levelOf(100)).toBeLessThan(-22);
  });

  test("refuses settings that are out of range, and says which", () => {
    const wrong = [
      [{ ...defaultReception, gainDb: 40 }, /gainDb/],
      [{ ...defaultReception, noiseDb: 3 }, /noiseDb/],
      [{ ...defaultReception, lowHz: 9000, highHz: 8000 }, /below highHz/],
      [{ ...defaultReception, highHz: Number.NaN }, /highHz/],
      [{} as never, /gainDb/],
    ] as const;
    const reception = new Reception(1);
    for (const [settings, message] of wrong) expect(() => reception.change(settings)).toThrowError(message);
    expect(reception.settings).toEqual(defaultReception);
  });
});

describe("listeners", () => {
  test("get 16-bit sound, clipped and rounded", async () => {
    const listeners = new Listeners();
    const listener = listeners.join();
    listeners.write(Float32Array.of(0, 1, -1, 2, 0.5, -0.25));
    const bytes = (await listener.next())!;
    const samples = new Int16Array(bytes.buffer, 0, 6);
    expect([...samples]).toEqual([0, 32767, -32767, 32767, 16384, -8192]);
  });

  test("who is slow loses the oldest blocks, and nobody else does", async () => {
    const listeners = new Listeners({ maxListeners: 2, maxQueuedBlocks: 3 });
    const slow = listeners.join();
    const quick = listeners.join();
    let heard = 0;
    for (let i = 1; i <= 5; i++) {
      listeners.write(Float32Array.of(i / 32767));
      if ((await quick.next()) !== undefined) heard++;
    }
    expect(heard).toBe(5);
    expect(slow.droppedBlocks).toBe(2);
    expect((await slow.next())![0]).toBe(3);
  });

  test("find no place beyond the limit, and find one again when somebody leaves", () => {
    const listeners = new Listeners({ maxListeners: 1, maxQueuedBlocks: 3 });
    const only = listeners.join();
    expect(() => listeners.join()).toThrowError(/1 places are taken/);
    only.close();
    only.close();
    expect(listeners.join()).toBeDefined();
  });

  test("are let go when the station closes, also while they wait", async () => {
    const listeners = new Listeners();
    const waiting = listeners.join().next();
    listeners.close();
    expect(await waiting).toBeUndefined();
  });
});

describe("a programme", () => {
  const item = (id: string, frames: number) => {
    let left = frames;
    return {
      cue: { item: "song" as const, id, title: id, detail: "", lengthFrames: frames },
      read: (block: Float32Array, startFrame: number) => {
        const count = Math.min(left, block.length / 2 - startFrame);
        block.fill(1, 2 * startFrame, 2 * (startFrame + count));
        left -= count;
        return count;
      },
    };
  };

  test("plays items one after the other with a pause, and says when each begins", () => {
    const items = [item("a", 1000), item("b", 500)];
    const programme = new Programme(() => items.shift() ?? "end");
    const block = new Float32Array(2 * blockFrames);
    const cues: [string, number][] = [];
    let sounding = 0;
    for (let position = 0; !programme.ended; position += blockFrames) {
      sounding += programme.read(block, (cue, at) => cues.push([cue.id, position + at]));
    }
    expect(sounding).toBe(1500);
    expect(cues).toEqual([
      ["a", 0],
      ["b", 1000 + 19_200],
    ]);
  });

  test("is silent while the next item is not ready", () => {
    const programme = new Programme(() => "later");
    const block = blockOf(() => 1);
    expect(programme.read(block, () => {})).toBe(0);
    expect(block.every((value) => value === 0)).toBe(true);
    expect(programme.ended).toBe(false);
  });
});

test("silence is reported after five seconds, and its end at once", () => {
  const events: StationEventBody[] = [];
  const meter = new LevelMeter((event) => void events.push(event));
  const silent = blockOf(() => 0);
  for (let i = 0; i < 300; i++) meter.write(silent, i * blockFrames);
  meter.write(
    blockOf(() => 0.1),
    300 * blockFrames,
  );
  expect(events).toEqual([
    { type: "signal.silent", atMs: 5000 },
    { type: "signal.returned", atMs: 6020 },
  ]);
});

test("receiving and metering a block allocates nothing", () => {
  const reception = new Reception(7);
  const meter = new LevelMeter(() => {});
  reception.onReceive((received, startFrame) => meter.write(received, startFrame));
  const block = new Float32Array(96).fill(0.25);
  expect(allocatedBytesPerCall(() => reception.send(block, 0)).heap).toBeLessThan(1);
});
