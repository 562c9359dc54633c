import { SeededRandom, sleepUs, VirtualClock } from "@longwave/base";
import { describe, expect, test } from "vitest";

describe("VirtualClock", () => {
  test("runs late, and in its order, what was due in time that was skipped", () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    const note = (name: string) => () => void seen.push(`${name} ${clock.nowUs()}`);
    clock.schedule(10, () => clock.skip(100));
    clock.schedule(30, note("b"));
    clock.schedule(20, note("a"));
    clock.schedule(200, note("c"));
    clock.runUntil(300);
    expect(seen).toEqual(["a 110", "b 110", "c 200"]);
    expect(clock.nowUs()).toBe(300);
  });

  test("timers run in order of time, then of scheduling, and see their own time", () => {
    const clock = new VirtualClock();
    const random = new SeededRandom(4);
    const scheduled = Array.from({ length: 500 }, (_, order) => ({ atUs: random.below(100), order }));
    const ran: { atUs: number; order: number }[] = [];
    for (const timer of scheduled) {
      clock.schedule(timer.atUs, () => {
        expect(clock.nowUs()).toBe(timer.atUs);
        ran.push(timer);
      });
    }
    expect(clock.runUntil(1000)).toBe(500);
    expect(ran).toEqual(scheduled.toSorted((a, b) => a.atUs - b.atUs || a.order - b.order));
    expect(clock.nowUs()).toBe(1000);
  });

  test("a timer of the past runs now, one made while running runs in the same pass", () => {
    const clock = new VirtualClock();
    clock.runUntil(100);
    const ran: number[] = [];
    clock.schedule(5, () => {
      ran.push(clock.nowUs());
      clock.schedule(clock.nowUs() + 10, () => ran.push(clock.nowUs()));
    });
    clock.runUntil(110);
    expect(ran).toEqual([100, 110]);
  });

  test("a cancelled timer does not run; cancelling twice, late or a stranger does nothing", () => {
    const clock = new VirtualClock();
    const ran: string[] = [];
    const first = clock.schedule(10, () => ran.push("first"));
    const second = clock.schedule(20, () => {
      ran.push("second");
      clock.cancel(third);
    });
    const third = clock.schedule(20, () => ran.push("third"));
    clock.schedule(30, () => ran.push("fourth"));
    clock.cancel(first);
    clock.cancel(first);
    clock.cancel(999);
    expect(clock.nextTimerUs()).toBe(20);
    clock.runUntil(25);
    clock.cancel(second);
    clock.runUntil(40);
    expect(ran).toEqual(["second", "fourth"]);
    expect(clock.nextTimerUs()).toBeUndefined();
  });

  test("time does not go back, and wall time follows", () => {
    const clock = new VirtualClock(1_000_000);
    clock.runUntil(50);
    clock.runUntil(20);
    expect(clock.nowUs()).toBe(50);
    expect(clock.wallUs()).toBe(1_000_050);
  });

  test("sleeping ends at its time, or with the reason of the abort and no timer left", async () => {
    const clock = new VirtualClock();
    let woke = false;
    const sleeping = sleepUs(clock, 100).then(() => {
      woke = true;
    });
    clock.runUntil(99);
    await Promise.resolve();
    expect(woke).toBe(false);
    clock.runUntil(100);
    await sleeping;
    expect(woke).toBe(true);

    const controller = new AbortController();
    const aborted = sleepUs(clock, 100, controller.signal);
    controller.abort("enough");
    await expect(aborted).rejects.toBe("enough");
    expect(clock.nextTimerUs()).toBeUndefined();
    await expect(sleepUs(clock, 1, AbortSignal.abort("before"))).rejects.toBe("before");
  });
});
