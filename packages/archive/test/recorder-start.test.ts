import { Archive, fileNameTime, recorderStart } from "@longwave/archive";
import { MemoryStore } from "@longwave/base";
import { expect, test } from "vitest";
import { checkRecordingInfo } from "../src/recording-info.ts";
import { mixedSegment, toyDecoder } from "./fixtures.ts";

/** ISO 8601 and offset of the time in a name. */
const timeIn = (name: string) => {
  const found = fileNameTime(name);
  if (found === undefined) return undefined;
  return [new Date(Number(found.unixNs / 1_000_000n)).toISOString().slice(0, 19), found.utcOffsetMinutes];
};

test.each([
  ["20240501_053000.WAV", "2024-05-01T05:30:00", undefined],
  ["20240501_053000T.WAV", "2024-05-01T05:30:00", undefined],
  ["SITE_20240229_235959.wav", "2024-02-29T23:59:59", undefined],
  ["SMU01234_0+1_20240501$053000_000.wac", "2024-05-01T05:30:00", undefined],
  ["/data/20230101_000000/SITE_20240501-053000.flac", "2024-05-01T05:30:00", undefined],
  ["20240501T053000+1000_REC.flac", "2024-04-30T19:30:00", 600],
  ["20240501T053000-0330.wav", "2024-05-01T09:00:00", -210],
  ["20240501T053000Z.wav", "2024-05-01T05:30:00", 0],
  ["20240501_053000_20240501_063000.wav", "2024-05-01T05:30:00", undefined],
  ["5CC9A6E0.WAV", "2019-05-01T14:02:08", 0],
])("%s was begun at %s", (name, time, offset) => {
  expect(timeIn(name)).toEqual([time, offset]);
});

test.each([
  "night.wav",
  "20240230_053000.wav",
  "20240501_243000.wav",
  "20240501_056000.wav",
  "120240501_053000.wav",
  "20240501_0530001.wav",
  "20240501.wav",
  "DEADBEEF.WAV",
  "20240501_.wav",
  "",
])("%j tells no time", (name) => {
  expect(fileNameTime(name)).toBeUndefined();
});

test("what looks like a zone and is none leaves the time without one", () => {
  expect(timeIn("20240501_053000-1830.wav")).toEqual(["2024-05-01T05:30:00", undefined]);
  expect(timeIn("20240501_053000-0607.wav")).toEqual(["2024-05-01T05:30:00", undefined]);
});

const bext = {
  originationDate: "2024-05-01",
  originationTime: "05:30:00",
  timeReference: 0,
} as Parameters<typeof recorderStart>[0]["bext"];
const guano = (fields: object) => fields as Parameters<typeof recorderStart>[0]["guano"];

test("GUANO counts before AudioMoth, BEXT and the file's name, each where the ones before tell nothing", () => {
  const audioMoth = { startUnixMs: 1000, utcOffsetMinutes: 60 } as Parameters<
    typeof recorderStart
  >[0]["audioMoth"];
  const stamp = guano({ timestamp: "2024-05-01T05:30:00+02:00" });
  const hints = { fileName: "20230501_053000.wav" };
  const source = (metadata: Parameters<typeof recorderStart>[0], more = hints) =>
    recorderStart(metadata, 48_000, more)?.source;
  expect(source({ guano: stamp, audioMoth, bext })).toBe("guano");
  expect(source({ guano: guano({ timestamp: "yesterday" }), audioMoth, bext })).toBe("audiomoth");
  expect(source({ bext })).toBe("bext");
  expect(source({})).toBe("filename");
  expect(source({}, { fileName: "a.wav" })).toBeUndefined();
  const renamed = guano({ originalFilename: "SITE_20240501_053000.wav" });
  expect(recorderStart({ guano: renamed }, 48_000, { fileName: "a.wav" })).toEqual({
    unixNs: BigInt(Date.parse("2024-05-01T05:30:00Z")) * 1_000_000n,
    source: "filename",
    zoneAssumed: true,
  });
});

test("an offset that is told holds for clocks without a zone, and for no others", () => {
  const start = (metadata: Parameters<typeof recorderStart>[0], fileName = "a.wav") => {
    const found = recorderStart(metadata, 48_000, { fileName, utcOffsetMinutes: 120 })!;
    return [new Date(Number(found.unixNs / 1_000_000n)).toISOString().slice(11, 16), found.utcOffsetMinutes];
  };
  expect(start({ bext })).toEqual(["03:30", 120]);
  expect(start({}, "20240501_053000.wav")).toEqual(["03:30", 120]);
  expect(start({}, "20240501T053000Z.wav")).toEqual(["05:30", 0]);
  expect(start({ guano: guano({ timestamp: "2024-05-01T05:30:00" }) })).toEqual(["03:30", 120]);
  expect(start({ guano: guano({ timestamp: "2024-05-01T05:30:00-01:00" }) })).toEqual(["06:30", -60]);
});

test("who told the start outlives an append and a rewrite; a forged one is refused", async () => {
  const archive = await Archive.open(new MemoryStore(), { decoder: toyDecoder });
  const items = () => mixedSegment(1, 120);
  const source = { channels: 1 as const, items };
  const start = { source: "bext", zoneAssumed: true } as const;
  const anchors = [{ sample: 0, unixNs: "5" }];
  const { info } = await archive.import(source, { id: "r", anchors, start });
  expect(info.start).toEqual(start);
  const writer = await archive.append("r");
  for (const item of mixedSegment(2, 60)) await writer.push(item);
  await writer.close();
  await archive.rewrite("r");
  expect((await archive.info("r")).start).toEqual(start);
  const told = await archive.import(
    { channels: 1, items: () => mixedSegment(3, 60) },
    { id: "s", startTimeNs: 7n },
  );
  expect(told.info.start).toEqual({ source: "user", zoneAssumed: false });
  for (const forged of [
    { source: "moon", zoneAssumed: true },
    { source: "bext" },
    { ...start, utcOffsetMinutes: 0.5 },
  ])
    expect(() => checkRecordingInfo({ ...info, start: forged }, "here")).toThrow("who told its start");
});
