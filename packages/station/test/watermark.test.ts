import { SeededRandom } from "@longwave/base";
import { expect, test } from "vitest";
import {
  composeSong,
  JingledOrder,
  makeJingle,
  OpusCodec,
  type ProgrammeItem,
  SongRenderer,
  type StationEventBody,
  stationMark,
  stationMarkKey,
  WatermarkReader,
} from "../src/index.ts";

test("the jingle's mark is read after Opus and noise, once, and a song has none", async () => {
  const jingle = (await makeJingle({ seed: 7, key: stationMarkKey, payload: stationMark }))();
  const codec = new OpusCodec();
  const random = new SeededRandom(1);
  const events: StationEventBody[] = [];
  const reader = new WatermarkReader(stationMarkKey, (event) => void events.push(event));
  const block = new Float32Array(1920);
  const received = new Float32Array(1920);
  let at = 0;
  const send = () => {
    codec.encode(block, (packet) => codec.decode(packet, 0, packet.length, 0, received));
    for (let i = 0; i < received.length; i++) received[i]! += 0.002 * (2 * random.next() - 1);
    reader.write(received, at);
    at += 960;
  };
  const song = new SongRenderer(composeSong(7, 0));
  for (let n = 0; n < 6 * 50; n++) {
    song.read(block);
    send();
  }
  expect(events).toEqual([]);
  for (block.fill(0); jingle.read(block, 0) > 0; block.fill(0)) send();
  expect(events).toHaveLength(1);
  expect(events[0]).toMatchObject({ type: "watermark.read", payload: "4c570001" });
});

test("a jingle follows every third song, once it is made; a failure is reported and the songs go on", async () => {
  const item = (title: string): ProgrammeItem => ({
    cue: { item: title === "jingle" ? "jingle" : "song", id: title, title, detail: "", lengthFrames: 1 },
    read: () => 0,
  });
  let n = 0;
  const song = () => item(`song ${++n}`);
  const play = async (order: JingledOrder) => {
    const titles: string[] = [];
    for (let i = 0; i < 9; i++) {
      titles.push(order.next().cue.title);
      await order.settle();
    }
    return titles.map((title) => (title === "jingle" ? "j" : "s")).join("");
  };
  const failures: string[] = [];
  const good = new JingledOrder(
    song,
    async () => () => item("jingle"),
    () => {},
  );
  expect(await play(good)).toBe("sssjsssjs");
  const broken = new JingledOrder(
    song,
    async () => {
      throw new Error("no jingle");
    },
    (reason) => void failures.push(reason),
  );
  expect(await play(broken)).toBe("sssssssss");
  expect(failures).toEqual(["no jingle"]);
});
