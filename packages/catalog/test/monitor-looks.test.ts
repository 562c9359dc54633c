import { describe, expect, test } from "vitest";
import { noAnswer, type TrackMatch } from "../src/identification.ts";
import type { LiveIdentification, LiveMatcher } from "../src/live-matcher.ts";
import { Monitor } from "../src/monitor.ts";

/** Where each track is at the start of the stream, ms. */
const places: Readonly<Record<string, number>> = { first: 10_000, second: 50_000, third: 90_000 };
const elsewhere = 120_000;

/** What a look at the last 8 s hears: the track, or nothing. */
function answerAt(streamMs: number, id: string | undefined): LiveIdentification {
  if (id === undefined)
    return { ...noAnswer("below-threshold"), queryHashes: 1, positionMs: undefined, streamMs };
  const start = Math.max(0, streamMs - 8000);
  const place = places[id] ?? elsewhere;
  const match = {
    track: { id, durationSeconds: 300, hashes: 1, contentHash: id },
    pFalse: 1e-9,
    querySpanMs: { start, end: streamMs },
    referenceSpanMs: { start: start + place, end: streamMs + place },
  } as unknown as TrackMatch;
  return { ...noAnswer("below-threshold"), match, reason: undefined, positionMs: streamMs + place, streamMs };
}

/** Events of a monitor that looks once a second and hears these, with the seconds of the looks that gave them. */
async function eventsOf(heard: readonly (string | undefined)[]): Promise<string[]> {
  let second = 0;
  const live = { identify: async () => answerAt(1000 * second, heard[second - 1]) };
  const monitor = new Monitor(live as unknown as LiveMatcher, {});
  const told: string[] = [];
  for (second = 1; second <= heard.length; second++) {
    for (const event of await monitor.look()) {
      told.push(`${second} ${event.type}${"track" in event ? ` ${event.track.id}` : ""}`);
    }
  }
  return told;
}

function repeated(ids: readonly (string | undefined)[], times: number): (string | undefined)[] {
  return Array.from({ length: times }, () => ids).flat();
}

describe("looks of a monitor", () => {
  test("that agree on nothing for the length of a gap end the track that was on", async () => {
    // More tracks in turn than are remembered, so that no look confirms another.
    const strangers = ["a", "b", "c", "d", "e", "f"];
    const told = await eventsOf([...repeated(["first"], 3), ...repeated(strangers, 3)]);
    expect(told).toEqual(["2 enter first", "10 leave first"]);
  });

  test("that alternate between two others end the track that was on, and one of them is entered once", async () => {
    const told = await eventsOf([...repeated(["first"], 3), ...repeated(["second", "third"], 10)]);
    expect(told).toEqual(["2 enter first", "6 leave first", "6 enter second"]);
  });

  test("that hear another track now and then do not end the one that is on", async () => {
    const told = await eventsOf(repeated(["first", "second"], 10));
    expect(told).toEqual(["3 enter first"]);
  });

  test("that hear nothing in between begin again", async () => {
    const told = await eventsOf(repeated(["first", undefined], 4));
    expect(told).toEqual(["8 unknown"]);
  });
});
