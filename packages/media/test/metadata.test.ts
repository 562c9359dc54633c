import { SeededRandom } from "@longwave/base";
import {
  encodeWav,
  parseAudioMothComment,
  parseBext,
  parseGuano,
  parseIxml,
  parseRiffInfo,
  recorderMetadata,
  WavReader,
} from "@longwave/media";
import { mutateBytes } from "@longwave/testkit";
import { describe, expect, test } from "vitest";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const guano = bytesOf(
  "GUANO|Version: 1.0\nWA|Song Meter|Prefix: A: B\nTimestamp: 2024-05-14T21:30:00.500+02:00\nSamplerate: 256000\nTE: 10\n" +
    "Loc Position: 47.3769 8.5417\nMake: Wildlife Acoustics\nTemperature Int: -2.5\nFilter HP: 8\n" +
    "Species Auto ID: MYODAU, PIPPIP\nNote: two\\nlines\nno colon here\nLength: abc\n",
);

function bext(): Uint8Array {
  const bytes = new Uint8Array(602 + 10);
  bytes.set(bytesOf("Evening news"), 0);
  bytes.set(bytesOf("Longwave"), 256);
  bytes.set(bytesOf("2026-01-31"), 320);
  bytes.set(bytesOf("20:00:00"), 330);
  const view = new DataView(bytes.buffer);
  view.setUint32(338, 3_456_000_000 % 2 ** 32, true);
  view.setUint32(342, 1, true);
  view.setUint16(346, 2, true);
  view.setInt16(412, -2300, true);
  view.setInt16(414, 0x7fff, true);
  bytes.set(bytesOf("A=PCM,F=48"), 602);
  return bytes;
}

describe("GUANO", () => {
  test("fields are typed, and all are kept in order", () => {
    const parsed = parseGuano(guano);
    expect(parsed).toMatchObject({
      version: "1.0",
      timestamp: "2024-05-14T21:30:00.500+02:00",
      samplerateHz: 256_000,
      timeExpansion: 10,
      position: { latitude: 47.3769, longitude: 8.5417 },
      make: "Wildlife Acoustics",
      temperatureInternalC: -2.5,
      filterHighPassKhz: 8,
      speciesAuto: ["MYODAU", "PIPPIP"],
      note: "two\nlines",
      lengthSeconds: undefined,
      serial: undefined,
    });
    expect(parsed.fields[1]).toEqual(["WA|Song Meter|Prefix", "A: B"]);
    expect(parsed.fields).toHaveLength(12);
  });

  test("a place outside the world is none", () => {
    for (const place of ["91 0", "0 181", "north 3", "1", "1 2 3"]) {
      expect(parseGuano(bytesOf(`Loc Position: ${place}`)).position).toBeUndefined();
    }
  });
});

describe("BEXT", () => {
  test("fields sit where EBU Tech 3285 puts them", () => {
    expect(parseBext(bext())).toMatchObject({
      description: "Evening news",
      originator: "Longwave",
      originationDate: "2026-01-31",
      originationTime: "20:00:00",
      timeReference: 2 ** 32 + 3_456_000_000,
      version: 2,
      umid: undefined,
      loudness: { integratedLufs: -23, rangeLu: undefined, maxTruePeakDbtp: 0 },
      codingHistory: "A=PCM,F=48",
    });
  });

  test("a chunk that is too short is none", () => {
    expect(parseBext(new Uint8Array(601))).toBeUndefined();
  });
});

describe("AudioMoth", () => {
  test("comments of several firmware versions", () => {
    expect(
      parseAudioMothComment(
        "Recorded at 19:17:30 11/12/2018 (UTC) by AudioMoth 0FE081F80FE081F0 at gain setting 2 while battery state was 3.8V",
      ),
    ).toEqual({
      startUnixMs: Date.UTC(2018, 11, 11, 19, 17, 30),
      utcOffsetMinutes: 0,
      deviceId: "0FE081F80FE081F0",
      gain: "2",
      batteryV: 3.8,
      temperatureC: undefined,
    });
    expect(
      parseAudioMothComment(
        "Recorded at 05:15:00.250 03/06/2023 (UTC-3:30) by AudioMoth 24E144085F2563B1 at medium gain while battery was less than 2.5V and temperature was -1.2C.",
      ),
    ).toEqual({
      startUnixMs: Date.UTC(2023, 5, 3, 8, 45, 0, 250),
      utcOffsetMinutes: -210,
      deviceId: "24E144085F2563B1",
      gain: "medium",
      batteryV: undefined,
      temperatureC: -1.2,
    });
  });

  test("other comments and impossible dates are none", () => {
    expect(parseAudioMothComment("Made with love")).toBeUndefined();
    expect(
      parseAudioMothComment("Recorded at 10:00:00 31/02/2023 (UTC) by AudioMoth 24E144085F2563B1"),
    ).toBeUndefined();
  });
});

describe("iXML", () => {
  test("scene, take, time and tracks", () => {
    const xml = bytesOf(
      '<?xml version="1.0"?><BWFXML><PROJECT>A &amp; B</PROJECT><SCENE>12</SCENE><SPEED><TIMECODE_RATE>25/1</TIMECODE_RATE>' +
        "<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>1</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>" +
        "<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>5</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO></SPEED>" +
        "<TRACK_LIST><TRACK><NAME>Boom</NAME></TRACK><TRACK><NAME>Lav</NAME></TRACK></TRACK_LIST></BWFXML>",
    );
    expect(parseIxml(xml)).toEqual({
      project: "A & B",
      scene: "12",
      take: undefined,
      tape: undefined,
      note: undefined,
      timecodeRate: "25/1",
      timestampSamples: 2 ** 32 + 5,
      trackNames: ["Boom", "Lav"],
    });
  });
});

describe("recorderMetadata", () => {
  const comment =
    "Recorded at 19:17:30 11/12/2018 (UTC) by AudioMoth 0FE081F80FE081F0 at gain setting 2 while battery state was 3.8V";
  const list = (entries: readonly [string, string][]): Uint8Array =>
    bytesOf(
      `INFO${entries.map(([id, text]) => `${id}${String.fromCharCode(text.length, 0, 0, 0)}${text}${text.length % 2 ? "\0" : ""}`).join("")}`,
    );

  test("comes out of a WAV file as it went in", () => {
    const wav = encodeWav(new Float32Array(10), {
      sampleRate: 256_000,
      channels: 1,
      chunks: [{ id: "bext", bytes: bext() }],
      trailingChunks: [
        {
          id: "LIST",
          bytes: list([
            ["IART", "me"],
            ["ICMT", comment],
          ]),
        },
        { id: "guan", bytes: guano },
      ],
    });
    const reader = new WavReader(() => undefined);
    reader.push(wav);
    const metadata = recorderMetadata(reader.chunks);
    expect(metadata.guano?.samplerateHz).toBe(256_000);
    expect(metadata.bext?.originator).toBe("Longwave");
    expect(metadata.audioMoth?.batteryV).toBe(3.8);
    expect(metadata.ixml).toBeUndefined();
    expect(metadata.info.map(([id]) => id)).toEqual(["IART", "ICMT"]);
  });

  test("mutated chunks never throw", () => {
    const seeds = [
      guano,
      bext(),
      list([["ICMT", comment]]),
      bytesOf("<TRACK><NAME>x</NAME></TRACK><SCENE>1</SCENE>"),
    ];
    for (let i = 0; i < 5000; i++) {
      const bytes = mutateBytes(seeds[i % 4]!, new SeededRandom(31, i), seeds);
      recorderMetadata(["guan", "bext", "iXML", "LIST"].map((id) => ({ id, bytes })));
      expect(parseRiffInfo(bytes).length).toBeLessThan(100);
    }
  });
});
