import { encodeWav } from "@longwave/media";
import { makeJingle, stationChannels, stationMark, stationRateHz } from "@longwave/station";
import { beforeAll, expect, test } from "vitest";
import { createApp } from "../src/index.ts";

const app = createApp({
  host: { version: "0", stations: new Map(), notReady: () => undefined },
  consoleDirectory: undefined,
  token: undefined,
  loopback: true,
  corsOrigins: [],
});
let jingle: Uint8Array<ArrayBuffer>;

beforeAll(async () => {
  jingle = await jingleOf("our secret");
});

/** A jingle of the built-in station as a WAV file. */
async function jingleOf(key: string): Promise<Uint8Array<ArrayBuffer>> {
  const jingle = (await makeJingle({ seed: 7, key, payload: stationMark }))();
  const pcm = new Float32Array(jingle.cue.lengthFrames! * stationChannels);
  const block = new Float32Array(960 * stationChannels);
  let at = 0;
  for (let frames = jingle.read(block, 0); frames > 0; frames = jingle.read(block.fill(0), 0)) {
    pcm.set(block.subarray(0, Math.min(block.length, pcm.length - at)), at);
    at += block.length;
    if (at >= pcm.length) break;
  }
  const wav = encodeWav(pcm, { sampleRate: stationRateHz, channels: stationChannels, encoding: "s16" });
  return wav as Uint8Array<ArrayBuffer>;
}

async function ask(body: Uint8Array<ArrayBuffer> | string, key?: string, query = "") {
  const response = await app.request(`http://127.0.0.1/v1/watermark/detect${query}`, {
    method: "POST",
    body,
    ...(key !== undefined && { headers: { "x-watermark-key": key } }),
  });
  const answer = (await response.json()) as {
    marks?: { payload: string; start: number; end: number }[];
    code?: string;
  };
  return { status: response.status, answer };
}

test("reads the mark of a jingle with its own key, and with no other", async () => {
  const { status, answer } = await ask(jingle, "our secret");
  expect(status).toBe(200);
  expect(answer.marks).toMatchObject([{ payload: "4c570001" }]);
  const { start, end } = answer.marks![0]!;
  expect(start).toBeGreaterThanOrEqual(0);
  expect(end).toBeGreaterThan(start);
  // Without a key it is the one of the built-in station that is looked for.
  expect(await ask(jingle)).toEqual({ status: 200, answer: { marks: [] } });
});

test("refuses what is no sound, another length and a key without end", async () => {
  expect((await ask("")).status).toBe(422);
  expect((await ask("no sound at all")).status).toBe(415);
  expect((await ask(jingle, undefined, "?payloadBytes=5")).status).toBe(400);
  expect((await ask(jingle, "k".repeat(300))).answer.code).toBe("server/bad-request");
});
