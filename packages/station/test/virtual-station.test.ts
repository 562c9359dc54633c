import { describe, expect, test } from "vitest";
import { eventLine, runVirtualStation, type StationEvent } from "../src/index.ts";

async function run(seed: number, seconds: number, songs: number): Promise<StationEvent[]> {
  const events: StationEvent[] = [];
  await runVirtualStation({
    seed,
    songs,
    durationUs: seconds * 1e6,
    onEvent: (event) => {
      events.push(event);
    },
  });
  return events;
}

describe("a virtual run", () => {
  const first = run(7, 80, 2);

  test("recognises each song within five seconds, at the right place", async () => {
    const events = await first;
    const started = events.flatMap((event) =>
      event.type === "programme.started" && event.item === "song" ? [event] : [],
    );
    expect(started.length).toBeGreaterThanOrEqual(2);
    for (const song of started) {
      const entered = events.find((event) => event.type === "match.entered" && event.track === song.id);
      if (entered?.type !== "match.entered") throw new Error(`${song.title} was not recognised.`);
      expect(entered.atMs - song.atMs).toBeGreaterThan(0);
      // From the studio to the name, links and buffer included.
      expect(entered.atUs - song.atUs).toBeLessThanOrEqual(5e6);
      expect(Math.abs(entered.positionMs - (entered.atMs - song.atMs))).toBeLessThanOrEqual(20);
    }
  });

  test("numbers its events without a gap and never goes back in time", async () => {
    const events = await first;
    expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index));
    for (let i = 1; i < events.length; i++)
      expect(events[i]!.atUs).toBeGreaterThanOrEqual(events[i - 1]!.atUs);
    expect(events.at(-1)?.type).toBe("station.stopped");
  });

  // `npm run conformance -- station` repeats two whole minutes in processes of their own.
  test("writes the same log again as far as a shorter run goes, and another one for another seed", async () => {
    const lines = (events: StationEvent[]) =>
      events.filter(({ atUs, type }) => atUs < 10e6 && type !== "station.stopped").map(eventLine);
    const [once, again, other] = [await first, await run(7, 10, 2), await run(8, 4, 1)];
    expect(lines(once).length).toBeGreaterThan(5);
    expect(lines(again)).toEqual(lines(once));
    expect(lines(other).slice(0, 3)).not.toEqual(lines(once).slice(0, 3));
  });
});
