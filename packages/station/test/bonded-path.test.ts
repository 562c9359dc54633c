import { type Clock, VirtualClock } from "@longwave/base";
import { describe, expect, test } from "vitest";
import { blockFrames, bondOverVirtualLinks, PcmCodec } from "../src/index.ts";

const blockOf = (index: number) =>
  Float32Array.from(
    { length: 2 * blockFrames },
    (_, i) => (((index * 7919 + i * 104_729) % 65_535) - 32_767) / 32_767,
  );

/** Sends blocks every 20 ms for `seconds`; `act` runs before block n. */
function run(
  seconds: number,
  act: (block: number, path: ReturnType<typeof bondOverVirtualLinks>) => void = () => {},
  seed = 5,
) {
  const clock = new VirtualClock();
  const concealed: number[] = [];
  const lost: number[] = [];
  const path = bondOverVirtualLinks({
    clock,
    seed,
    codec: new PcmCodec(),
    onConcealed: (blocks, startFrame) => concealed.push(startFrame / blockFrames, blocks),
    onLost: (startFrame) => lost.push(startFrame / blockFrames),
  });
  const received: { index: number; exact: boolean }[] = [];
  path.onReceive((block, startFrame) => {
    const index = startFrame / blockFrames;
    const sent = blockOf(index);
    received.push({ index, exact: block.every((value, i) => Math.abs(value - sent[i]!) < 1e-6) });
  });
  for (let n = 0; n < seconds * 50; n++) {
    act(n, path);
    path.send(blockOf(n), n * blockFrames);
    clock.runUntil(clock.nowUs() + 20_000);
  }
  return { received, concealed, lost, path };
}

/** A thread that cannot run for 600 ms out of every 2 s: what is due then happens all at once at the end. */
class StallingClock implements Clock {
  readonly virtual = new VirtualClock();

  nowUs(): number {
    return this.virtual.nowUs();
  }

  wallUs(): number {
    return this.virtual.wallUs();
  }

  schedule(atUs: number, callback: () => void): number {
    return this.virtual.schedule(this.wakesAtUs(atUs), callback);
  }

  cancel(handle: number): void {
    this.virtual.cancel(handle);
  }

  /** When something that is due at `atUs` gets its turn. */
  wakesAtUs(atUs: number): number {
    const inPeriod = atUs % 2_000_000;
    return inPeriod < 1_400_000 ? atUs : atUs - inPeriod + 2_000_000;
  }
}

describe("the bonded path", () => {
  test("a thread that stalls loses nothing where playout may be put off, and much where it may not", () => {
    const lost = (maxStallMs: number) => {
      const clock = new StallingClock();
      const path = bondOverVirtualLinks({ clock, seed: 5, codec: new PcmCodec(), maxStallMs });
      let received = 0;
      path.onReceive(() => received++);
      for (let n = 0; n < 20 * 50; n++) {
        const dueUs = n * 20_000;
        clock.schedule(dueUs, () => path.send(blockOf(n), n * blockFrames));
      }
      clock.virtual.runUntil(24_000_000);
      expect(received).toBeGreaterThan(20 * 50 - 5);
      return path.status().concealedBlocks;
    };
    expect(lost(1500)).toBe(0);
    expect(lost(0)).toBeGreaterThan(10);
  });

  test("delivers every block exactly and in order over two bad links", () => {
    const { received, concealed } = run(20);
    expect(received.length).toBeGreaterThan(20 * 50 - 40);
    const first = received[0]!.index;
    expect(received.map(({ index }) => index)).toEqual(received.map((_, i) => first + i));
    expect(received.every(({ exact }) => exact)).toBe(true);
    expect(concealed).toEqual([]);
  });

  test("bears the cut of either link without a single lost block", () => {
    for (const [link, seed] of [
      ["lte", 5],
      ["dsl", 5],
      ["dsl", 6],
    ] as const) {
      const cutAndRestore = (n: number, path: ReturnType<typeof bondOverVirtualLinks>) => {
        if (n === 250) path.changeLink(link, { cut: true });
        if (n === 500) path.changeLink(link, { cut: false });
      };
      const { received, concealed } = run(14, cutAndRestore, seed);
      expect(concealed, link).toEqual([]);
      expect(
        received.every(({ exact }) => exact),
        link,
      ).toBe(true);
    }
  });

  test("conceals what is lost when every link is cut, without a gap, and comes back", () => {
    const { received, concealed, path } = run(14, (n, bond) => {
      if (n === 250 || n === 350) for (const id of ["lte", "dsl"]) bond.changeLink(id, { cut: n === 250 });
    });
    const first = received[0]!.index;
    expect(received.map(({ index }) => index)).toEqual(received.map((_, i) => first + i));
    // Pairs of first block and count: one a second at most, and together all that were concealed.
    const lines = concealed.length / 2;
    expect(lines).toBeGreaterThan(0);
    expect(lines).toBeLessThan(8);
    const told = concealed.filter((_, i) => i % 2 === 1).reduce((sum, blocks) => sum + blocks, 0);
    expect(told).toBe(path.status().concealedBlocks);
    expect(path.status().concealedBlocks).toBeGreaterThan(50);
    expect(path.status().concealedBlocks).toBeLessThan(250);
    expect(received.slice(-50).every(({ exact }) => exact)).toBe(true);
  });

  test("tells an outage when it begins and, in all, when there is sound again", async () => {
    const outage = (seconds: number) =>
      run(seconds, (n, bond) => {
        if (n === 250 || n === 1250) for (const id of ["lte", "dsl"]) bond.changeLink(id, { cut: n === 250 });
      });
    const { concealed, lost, path } = outage(30);
    expect(lost).toHaveLength(1);
    expect(lost[0]).toBeGreaterThanOrEqual(240);
    expect(lost[0]).toBeLessThanOrEqual(260);
    expect(concealed.length / 2).toBeLessThan(4);
    expect(concealed[1]).toBeGreaterThan(700);
    const told = concealed.filter((_, i) => i % 2 === 1).reduce((sum, blocks) => sum + blocks, 0);
    expect(told).toBe(path.status().concealedBlocks);
    // An outage in which the path is closed is told then.
    const cutOff = outage(20);
    expect([cutOff.lost.length, cutOff.concealed]).toEqual([1, []]);
    await cutOff.path.close();
    expect(cutOff.concealed).toEqual([cutOff.lost[0], cutOff.path.status().concealedBlocks]);
  });

  test("gives nothing up for good when the studio's first second was late", () => {
    const clock = new VirtualClock();
    const path = bondOverVirtualLinks({ clock, seed: 5, codec: new PcmCodec() });
    for (let n = 0; n < 400; n++) {
      path.send(blockOf(n), n * blockFrames);
      // The first 50 blocks come all at once, as after a second in which the machine was busy.
      if (n >= 50) clock.runUntil(clock.nowUs() + 20_000);
    }
    expect(path.status().concealedBlocks).toBeLessThan(50);
    expect(path.status().delivered).toBeGreaterThan(700);
  });

  test("loses nothing for good when the studio gives time up in the middle", () => {
    const clock = new VirtualClock();
    let originUs = 0;
    const path = bondOverVirtualLinks({
      clock,
      seed: 5,
      codec: new PcmCodec(),
      playedAtUs: (startFrame) => originUs + Math.round((startFrame * 1e6) / 48_000),
    });
    let concealedBefore = 0;
    for (let n = 0; n < 500; n++) {
      if (n === 250) {
        // The machine was busy for 1.5 s and those blocks were never played.
        clock.runUntil(clock.nowUs() + 1_500_000);
        originUs += 1_500_000;
      }
      if (n === 300) concealedBefore = path.status().concealedBlocks;
      path.send(blockOf(n), n * blockFrames);
      clock.runUntil(clock.nowUs() + 20_000);
    }
    expect(concealedBefore).toBeLessThan(50);
    expect(path.status().concealedBlocks).toBe(concealedBefore);
    expect(path.status().delivered).toBeGreaterThan(3 * 400);
  });

  test("refuses a link that is not there and settings out of range", () => {
    const { path } = run(0.1);
    expect(() => path.changeLink("moon", { cut: true })).toThrowError(/no link "moon"; there are lte, dsl/);
    expect(() => path.changeLink("lte", { loss: 1 })).toThrowError(/loss must be 0 to 0.9/);
    expect(() => path.changeLink("lte", { delayMs: -1 })).toThrowError(/delayMs/);
    expect(() => path.changeLink("lte", { weight: Number.NaN })).toThrowError(/weight/);
    expect(() => path.changeLink("lte", { cut: "yes" as never })).toThrowError(/cut/);
  });
});
