import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VirtualClock } from "@longwave/base";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  airingsCsv,
  EventLog,
  PlayReport,
  type Station,
  type StationEvent,
  type StationEventBody,
} from "../src/index.ts";
import { writeDailyReport } from "../src/node/report-writer.ts";

const day = Date.parse("2026-01-31T23:59:00Z");
let seq = 0;
const entered = (atS: number, track: string): StationEvent => ({
  seq: seq++,
  atUs: atS * 1e6,
  type: "match.entered",
  track,
  title: `Song "${track}"`,
  positionMs: 0,
  score: 9,
  pFalse: 1e-12,
  votes: 100,
  atMs: atS * 1000,
});
const left = (atS: number, track: string, heldS: number): StationEvent => ({
  seq: seq++,
  atUs: atS * 1e6,
  type: "match.left",
  track,
  heldMs: heldS * 1000,
  atMs: atS * 1000,
});

describe("the daily report", () => {
  const make = () => new PlayReport("studio-1", (atUs) => day + atUs / 1000);

  test("lists each airing with its time, on the day on which it began", () => {
    const report = make();
    expect(report.take(entered(10, "a"))).toBeUndefined();
    expect(report.take(left(90, "a", 77))).toBe("2026-01-31");
    report.take(entered(100, "b"));
    expect(report.take(left(200, "b", 97))).toBe("2026-02-01");
    expect(report.airings("2026-01-31")).toEqual([
      {
        startedAt: "2026-01-31T23:59:10Z",
        endedAt: "2026-02-01T00:00:27Z",
        stream: "studio-1",
        track: "a",
        title: 'Song "a"',
        seconds: 77,
        votes: 100,
        pFalse: 1e-12,
      },
    ]);
  });

  test("a short interruption does not make two airings of one", () => {
    const report = make();
    report.take(entered(0, "a"));
    report.take(left(30, "a", 27));
    report.take(entered(38, "a"));
    report.take(left(60, "a", 20));
    const [airing, ...others] = report.airings("2026-01-31");
    expect(others).toEqual([]);
    expect(airing?.seconds).toBe(58);
    report.take(entered(120, "a"));
    report.take(left(150, "a", 27));
    expect(report.airings("2026-02-01")).toHaveLength(1);
  });

  const held = (atS: number, track: string, votes: number, pFalse: number): StationEvent => ({
    ...(entered(atS, track) as StationEvent & { type: "match.entered" }),
    type: "match.held",
    votes,
    pFalse,
  });

  test("keeps the strongest evidence of an airing, also over an interruption", () => {
    const report = make();
    const weak = { ...entered(0, "a"), votes: 11, pFalse: 2e-4 } as StationEvent;
    report.take(weak);
    report.take(held(5, "a", 79, 1e-30));
    report.take(held(10, "a", 40, 1e-9));
    report.take(left(30, "a", 27));
    expect(report.airings("2026-01-31")).toMatchObject([{ votes: 79, pFalse: 1e-30 }]);
    report.take({ ...weak, atUs: 36e6 } as StationEvent);
    report.take(left(50, "a", 10));
    expect(report.airings("2026-01-31")).toMatchObject([{ seconds: 46, votes: 79, pFalse: 1e-30 }]);
  });

  test("an airing is in the list while it goes on, and goes on after a crash", () => {
    const report = make();
    report.take(entered(0, "a"));
    expect(report.take(held(5, "a", 80, 1e-20))).toBeUndefined();
    expect(report.take(held(20, "a", 60, 1e-15))).toBe("2026-01-31");
    expect(report.take(held(25, "a", 60, 1e-15))).toBeUndefined();
    const stored = report.airings("2026-01-31");
    expect(stored).toMatchObject([{ seconds: 20, votes: 80 }]);

    const next = make();
    next.restore("2026-01-31", stored);
    next.take(entered(32, "a"));
    next.take(left(50, "a", 15));
    next.take(entered(52, "b"));
    next.take(left(58, "b", 5));
    expect(next.airings("2026-01-31")).toMatchObject([
      { track: "a", startedAt: "2026-01-31T23:59:00Z", seconds: 47 },
      { track: "b", seconds: 5 },
    ]);
  });

  test("what plays when the station stops is reported too", () => {
    const report = make();
    report.take(entered(0, "a"));
    report.take({ seq: seq++, atUs: 25e6, type: "station.stopped", playedMs: 25_000 });
    expect(report.airings("2026-01-31")[0]?.seconds).toBe(25);
  });

  test("CSV quotes what must be quoted and defuses formulas", () => {
    const airing = {
      startedAt: "x",
      endedAt: "y",
      stream: "s",
      track: "t",
      seconds: 1,
      votes: 2,
      pFalse: 0.5,
    };
    const text = airingsCsv([
      { ...airing, title: 'a "b", c' },
      { ...airing, title: "=HYPERLINK(1)" },
    ]);
    expect(text.split("\r\n")).toEqual([
      "startedAt,endedAt,stream,track,title,seconds,votes,pFalse",
      'x,y,s,t,"a ""b"", c",1,2,0.5',
      "x,y,s,t,'=HYPERLINK(1),1,2,0.5",
      "",
    ]);
  });
});

describe("the day's file", () => {
  const today = "2026-02-03";
  // No run of these may meet midnight.
  beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: Date.parse(`${today}T12:00:00Z`) }));
  afterEach(() => void vi.useRealTimers());
  const airing = {
    startedAt: `${today}T00:00:00Z`,
    endedAt: `${today}T00:00:09Z`,
    stream: "studio-1",
    track: "t",
    title: "T",
    seconds: 9,
    votes: 20,
    pFalse: 1e-9,
  };
  const withFolder = async (use: (folder: string, station: Station) => Promise<void>) => {
    const folder = mkdtempSync(join(tmpdir(), "longwave-report-"));
    const log = new EventLog(new VirtualClock());
    try {
      await use(folder, { id: "studio-1", log } as Station);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };

  test("goes on after a restart", async () => {
    await withFolder(async (folder, station) => {
      writeFileSync(join(folder, `studio-1-${today}.json`), JSON.stringify({ airings: [airing] }));
      const end = await writeDailyReport(station, folder);
      station.log.append({ ...entered(0, "a"), type: "match.entered" } as StationEventBody);
      station.log.append({ type: "match.left", track: "a", heldMs: 20_000, atMs: 0 });
      await end();
      const { airings } = JSON.parse(readFileSync(join(folder, `studio-1-${today}.json`), "utf8"));
      expect(airings).toMatchObject([{ track: "t" }, { track: "a" }]);
      expect(station.log.since(-1).map(({ type }) => type)).toEqual(["match.entered", "match.left"]);
    });
  });

  test.each([
    ["cut short", '{ "airings": [{ "startedAt": "2'],
    ["without airings", "{}"],
    ["with something else in it", JSON.stringify({ airings: [{ ...airing, endedAt: "soon" }] })],
  ])("that is %s is set aside and named, with the table beside it", async (_, text) => {
    await withFolder(async (folder, station) => {
      writeFileSync(join(folder, `studio-1-${today}.json`), text);
      writeFileSync(join(folder, `studio-1-${today}.csv`), "the table");
      await (await writeDailyReport(station, folder))();
      expect(station.log.since(-1)).toMatchObject([
        { type: "report.damaged", reason: expect.stringContaining(`studio-1-${today}.json is kept as .`) },
      ]);
      const names = readdirSync(folder).sort();
      expect(names).toEqual([
        expect.stringMatching(/\.csv\.\d+\.damaged$/),
        expect.stringMatching(/\.json\.\d+\.damaged$/),
      ]);
      expect(readFileSync(join(folder, names[0]!), "utf8")).toBe("the table");
      expect(readFileSync(join(folder, names[1]!), "utf8")).toBe(text);
    });
  });
});
