import { type Clock, VirtualClock } from "@longwave/base";
import { describe, expect, test } from "vitest";
import { type ArrivalEvent, blockFrames, bondOverVirtualLinks, impairments, PcmCodec } from "../src/index.ts";

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
  const events: ArrivalEvent[] = [];
  const path = bondOverVirtualLinks({
    clock,
    seed,
    codec: new PcmCodec(),
    onArrival: (event) => events.push(event),
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
  return { received, events, path };
}

/** Blocks that these events say were concealed. */
function toldBlocks(events: readonly ArrivalEvent[]): number {
  return events.reduce((sum, event) => sum + ("blocks" in event ? event.blocks : 0), 0);
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
    const { received, events } = run(20);
    expect(received.length).toBeGreaterThan(20 * 50 - 40);
    const first = received[0]!.index;
    expect(received.map(({ index }) => index)).toEqual(received.map((_, i) => first + i));
    expect(received.every(({ exact }) => exact)).toBe(true);
    expect(events).toEqual([]);
  });

  test("loses, delays and asks for nothing again where nothing is put on the links", () => {
    const clock = new VirtualClock();
    const path = bondOverVirtualLinks({ clock, seed: 5, codec: new PcmCodec(), ...impairments.none });
    let exact = 0;
    path.onReceive((block, startFrame) => {
      const sent = blockOf(startFrame / blockFrames);
      if (block.every((value, i) => Math.abs(value - sent[i]!) < 1e-6)) exact++;
    });
    for (let n = 0; n < 500; n++) {
      path.send(blockOf(n), n * blockFrames);
      clock.runUntil(clock.nowUs() + 20_000);
    }
    clock.runUntil(clock.nowUs() + 1_000_000);
    expect(exact).toBe(500);
    const { links, ...bond } = path.status();
    expect(bond).toMatchObject({ lost: 0, recovered: 0, concealedBlocks: 0 });
    for (const link of links) expect(link).toMatchObject({ delayMs: 0, setLoss: 0, retransmissions: 0 });
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
      const { received, events } = run(14, cutAndRestore, seed);
      expect(events, link).toEqual([]);
      expect(
        received.every(({ exact }) => exact),
        link,
      ).toBe(true);
    }
  });

  test("conceals what is lost when every link is cut, without a gap, and comes back", async () => {
    const { received, events, path } = run(14, (n, bond) => {
      if (n === 250 || n === 350) for (const id of ["lte", "dsl"]) bond.changeLink(id, { cut: n === 250 });
    });
    const first = received[0]!.index;
    expect(received.map(({ index }) => index)).toEqual(received.map((_, i) => first + i));
    // The outage, and together all that were concealed.
    expect(events.length).toBeGreaterThan(0);
    expect(events.length).toBeLessThan(6);
    await path.close();
    expect(toldBlocks(events)).toBe(path.status().concealedBlocks);
    expect(path.status().concealedBlocks).toBeGreaterThan(50);
    expect(path.status().concealedBlocks).toBeLessThan(250);
    expect(received.slice(-50).every(({ exact }) => exact)).toBe(true);
  });

  test("tells an outage when it begins and, in all, when there is sound again", async () => {
    const outage = (seconds: number) =>
      run(seconds, (n, bond) => {
        if (n === 250 || n === 1250) for (const id of ["lte", "dsl"]) bond.changeLink(id, { cut: n === 250 });
      });
    const { events, path } = outage(30);
    const [lost, concealed, ...rest] = events;
    expect(lost).toMatchObject({ type: "sound.lost" });
    expect(lost!.atMs).toBeGreaterThanOrEqual(240 * 20);
    expect(lost!.atMs).toBeLessThanOrEqual(260 * 20);
    expect(concealed).toMatchObject({ type: "sound.concealed", atMs: lost!.atMs });
    expect(toldBlocks([concealed!])).toBeGreaterThan(700);
    expect(rest.length).toBeLessThan(3);
    expect(path.status().arrival).toEqual({ state: "whole", sinceMs: null, concealedBlocks: 0 });
    await path.close();
    expect(toldBlocks(events)).toBe(path.status().concealedBlocks);
    // An outage in which the path is closed is told then, and is the state until then.
    const cutOff = outage(20);
    expect(cutOff.events).toEqual([{ type: "sound.lost", atMs: expect.any(Number) }]);
    const [{ atMs: sinceMs }] = cutOff.events as [ArrivalEvent];
    const { arrival, concealedBlocks } = cutOff.path.status();
    expect(arrival).toEqual({ state: "lost", sinceMs, concealedBlocks });
    await cutOff.path.close();
    expect(cutOff.events.slice(1)).toEqual([
      { type: "sound.concealed", blocks: concealedBlocks, atMs: sinceMs },
    ]);
  });

  test("losses that do not end are told twice, when that is clear and when they have ended, and are the state meanwhile", () => {
    const states: string[] = [];
    const { events, path } = run(30, (n, bond) => {
      if (n === 150 || n === 550)
        for (const id of ["lte", "dsl"]) bond.changeLink(id, { loss: n === 150 ? 0.9 : 0 });
      if (n % 10 !== 0) return;
      const { state } = bond.status().arrival;
      if (states.at(-1) !== state) states.push(state);
    });
    expect(states[0]).toBe("whole");
    expect(states).toContain("impaired");
    expect(states.at(-1)).toBe("whole");
    const { concealedBlocks } = path.status();
    expect(concealedBlocks).toBeGreaterThan(100);
    expect(toldBlocks(events)).toBe(concealedBlocks);
    const kinds = events.map(({ type }) => type).filter((type) => type !== "sound.lost");
    expect(kinds).toEqual(["sound.concealed", "sound.concealed", "sound.impaired", "sound.restored"]);
    const [, , impaired, restored] = events.filter(({ type }) => type !== "sound.lost");
    expect(restored).toMatchObject({ sinceMs: impaired!.atMs });
    // Some seconds of it, and 10 s in which nothing was lost.
    expect(restored!.atMs - impaired!.atMs).toBeGreaterThan(12_000);
    expect(events.length).toBeLessThan(8);
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
