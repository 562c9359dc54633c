import { describe, expect, test } from "vitest";
import { airingsCsv, PlayReport, type StationEvent } from "../src/index.ts";

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
