import { describe, expect, test } from "vitest";
import type { ArrivalEvent } from "../src/index.ts";
import { ArrivalWatch } from "../src/transport/arrival-watch.ts";

/** Blocks 0 to `blocks`, of which those that `isThere` names arrive; the others are found missing by the next that does. */
function watch(blocks: number, isThere: (block: number) => boolean) {
  const events: ArrivalEvent[] = [];
  const watched = new ArrivalWatch((event) => events.push(event));
  let next = 0;
  for (let block = 0; block < blocks; block++) {
    if (isThere(block)) {
      watched.missed(next, block, true);
      watched.arrived(block);
      next = block + 1;
    } else if (block - next >= 20) {
      // Too late for a block that long ago, though nothing came behind it.
      watched.missed(next, block - 19, false);
      next = block - 19;
    }
  }
  return { events, watched };
}

describe("what is told of losses", () => {
  test("nothing while there are none, and a single loss once", () => {
    expect(watch(1000, () => true).events).toEqual([]);
    const { events, watched } = watch(1000, (block) => block < 100 || block >= 103);
    expect(events).toEqual([{ type: "sound.concealed", blocks: 3, atMs: 2000 }]);
    expect(watched.status.state).toBe("whole");
  });

  test("a loss now and then each time, as long as 10 s lie between them", () => {
    const { events } = watch(6000, (block) => block % 600 !== 599);
    expect(events.map(({ type }) => type)).toEqual(Array.from({ length: 9 }, () => "sound.concealed"));
  });

  test("an hour in which most is lost is one beginning and one end with the number of all", () => {
    const isBad = (block: number) => block >= 1000 && block < 181_000;
    const lost = { blocks: 0 };
    const { events } = watch(182_000, (block) => {
      const isThere = !isBad(block) || block % 10 === 0;
      if (!isThere) lost.blocks++;
      return isThere;
    });
    expect(events.map(({ type }) => type)).toEqual([
      "sound.concealed",
      "sound.concealed",
      "sound.impaired",
      "sound.restored",
    ]);
    expect(events.reduce((sum, event) => sum + ("blocks" in event ? event.blocks : 0), 0)).toBe(lost.blocks);
    expect(events[3]).toMatchObject({ sinceMs: events[2]!.atMs, atMs: (180_999 + 500) * 20 });
  });

  test("a link that comes and goes for an hour is no line for each time", () => {
    const { events, watched } = watch(180_000, (block) => block % 200 < 100);
    expect(events.map(({ type }) => type)).toEqual([
      "sound.lost",
      "sound.concealed",
      "sound.concealed",
      "sound.impaired",
    ]);
    expect(watched.status.state).not.toBe("whole");
  });

  test("an outage of half a minute is told in any case", () => {
    const { events, watched } = watch(20_000, (block) => block % 10 === 0 && block < 10_000);
    expect(events.map(({ type }) => type).slice(-2)).toEqual(["sound.impaired", "sound.lost"]);
    expect(watched.status).toMatchObject({ state: "lost", sinceMs: 9991 * 20 });
    watched.flush(20_000);
    expect(events.at(-1)).toMatchObject({ type: "sound.concealed" });
  });
});
