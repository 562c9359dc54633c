import { createSocket } from "node:dgram";
import { createServer, type Server, type ServerResponse } from "node:http";
import { createSender } from "@longwave/bond/node";
import { encodeWav } from "@longwave/media";
import { afterEach, describe, expect, test } from "vitest";
import { OpusCodec, OpusListeners, type StationEventBody } from "../src/index.ts";
import type { LiveInput } from "../src/node/live-input.ts";
import { openNetworkInput } from "../src/node/network-input.ts";

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

/** One second of a tone as packets. */
function packets(count: number): Uint8Array[] {
  const codec = new OpusCodec();
  const block = new Float32Array(1920);
  const made: Uint8Array[] = [];
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < 960; i++) {
      block[2 * i] = 0.4 * Math.sin(0.05 * (960 * n + i));
      block[2 * i + 1] = block[2 * i]!;
    }
    codec.encode(block, (packet) => made.push(packet.slice()));
  }
  return made;
}

/** Reads blocks every few milliseconds until so many had sound. */
async function listen(input: LiveInput, blocks: number): Promise<{ titles: string[]; loudest: number }> {
  const block = new Float32Array(1920);
  const titles: string[] = [];
  let loudest = 0;
  for (let heard = 0, tries = 0; heard < blocks && tries < 3000; tries++) {
    if (input.source.read(block, (cue) => titles.push(cue.detail)) > 0) {
      heard++;
      for (const value of block) loudest = Math.max(loudest, Math.abs(value));
    } else await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return { titles, loudest };
}

async function serve(answer: (response: ServerResponse, request: number) => void): Promise<string> {
  let requests = 0;
  const server: Server = createServer((_, response) => answer(response, ++requests));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push({
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  return `http://127.0.0.1:${(server.address() as { port: number }).port}/live`;
}

async function oggBytes(): Promise<Uint8Array> {
  const listeners = new OpusListeners("a test");
  const listener = listeners.join();
  for (const packet of packets(60)) listeners.write(packet);
  const pieces: Uint8Array[] = [];
  for (let i = 0; i < 13; i++) pieces.push((await listener.next())!);
  return Buffer.concat(pieces);
}

describe("a live stream over HTTP", () => {
  const start = async (address: string, events: StationEventBody[] = []) => {
    const input = await openNetworkInput(address, { signal: new AbortController().signal });
    input.onEvents?.((event) => void events.push(event));
    open.push(input.source);
    return input;
  };

  test("plays Ogg Opus that comes in pieces of any size", async () => {
    const bytes = await oggBytes();
    const url = await serve((response) => {
      for (let at = 0; at < bytes.length; at += 777) response.write(bytes.subarray(at, at + 777));
    });
    const { titles, loudest } = await listen(await start(url), 20);
    expect(titles).toEqual([url]);
    expect(loudest).toBeGreaterThan(0.3);
  });

  test("plays WAV of another rate", async () => {
    const sound = Float32Array.from({ length: 44_100 * 2 }, (_, i) => 0.4 * Math.sin(0.03 * i));
    const wav = encodeWav(sound, { sampleRate: 44_100, channels: 1, encoding: "s16" });
    const url = await serve((response) => void response.write(wav));
    expect((await listen(await start(url), 20)).loudest).toBeGreaterThan(0.3);
  });

  test("connects again when the stream breaks off, and says why it was silent", async () => {
    const bytes = await oggBytes();
    const events: StationEventBody[] = [];
    const url = await serve((response, request) => {
      if (request === 1) {
        response.statusCode = 500;
        response.end();
      } else response.write(bytes);
    });
    expect((await listen(await start(url, events), 10)).loudest).toBeGreaterThan(0.3);
    expect(events[0]).toMatchObject({
      type: "input.failed",
      reason: "it answered 500",
    });
  });

  test("an address that nobody answers is reported, and the station stays silent", async () => {
    const events: StationEventBody[] = [];
    const input = await start("http://127.0.0.1:9/", events);
    await expect.poll(() => events.length).toBeGreaterThan(0);
    expect(events[0]).toMatchObject({
      type: "input.failed",
      reason: expect.stringMatching(/cannot connect/),
    });
    expect(input.source.read(new Float32Array(1920), () => {})).toBe(0);
    expect(input.source.ended).toBe(false);
  });

  test("sends the credentials of an address as Basic authorization and shows them nowhere", async () => {
    const bytes = await oggBytes();
    const asked: (string | undefined)[] = [];
    const url = await serve((response, request) => {
      asked.push(response.req.headers.authorization);
      if (request === 1) response.destroy();
      else response.write(bytes);
    });
    const secret = url.replace("//", "//me:p%40ss%3Aw@").concat("?key=hidden");
    const events: StationEventBody[] = [];
    const input = await start(secret, events);
    expect((await listen(input, 10)).loudest).toBeGreaterThan(0.3);
    const basic = `Basic ${Buffer.from("me:p@ss:w").toString("base64")}`;
    expect(asked).toEqual([basic, basic]);
    expect(input.name).toBe(url);
    expect(JSON.stringify([input.name, events])).not.toMatch(/p%40ss|p@ss|hidden/);
    expect(events.length).toBeGreaterThan(0);
    await expect(start("http://me:p4ss@")).rejects.toThrow(/^http:\/\/ is no address/);
  });

  test("waits longer and longer for a source that gives nothing, and a second again once it gave sound", async () => {
    const bytes = await oggBytes();
    const waits: number[] = [];
    // Of every four connections three are refused; the fourth gives sound and is reset.
    const url = await serve((response, request) => {
      if (request % 4 !== 0) return void response.destroy();
      response.write(bytes, () => setTimeout(() => response.destroy(), 50));
    });
    const stop = new AbortController();
    const input = await openNetworkInput(url, {
      signal: stop.signal,
      waitToConnect: async (milliseconds) => {
        waits.push(milliseconds);
        if (waits.length === 8) stop.abort();
      },
    });
    open.push(input.source);
    await expect.poll(() => waits.length, { timeout: 60_000 }).toBe(8);
    expect(waits).toEqual([1000, 2000, 4000, 1000, 2000, 4000, 8000, 1000]);
  });

  test("tells sound that the source gives too late from a source that is gone", async () => {
    const bytes = await oggBytes();
    let answer: ServerResponse | undefined;
    const url = await serve((response) => {
      answer = response;
      response.write(bytes);
    });
    const { source } = await start(url);
    expect(source.read(new Float32Array(1920), () => {})).toBe(0);
    expect(source.absence).toBe("source-away");
    await listen({ name: "", source }, 10);
    expect(source.absence).toBeUndefined();
    const untilSilent = async (absence: string) =>
      expect
        .poll(() => [source.read(new Float32Array(1920), () => {}), source.absence], { timeout: 60_000 })
        .toEqual([0, absence]);
    await untilSilent("source-silent");
    answer!.destroy();
    await untilSilent("source-away");
  });

  test("refuses what is no address", async () => {
    await expect(start("http://")).rejects.toMatchObject({ code: "station/bad-option" });
  });
});

test("plays the packets that another station sends by RIST", async () => {
  const port = await freePort();
  const stop = new AbortController();
  const input = await openNetworkInput(`rist://@127.0.0.1:${port}?buffer=100`, { signal: stop.signal });
  const sender = createSender({ links: [{ to: `rist://127.0.0.1:${port}` }], bufferMs: 100 });
  await sender.ready;
  open.push(input.source, sender);
  const made = packets(100);
  let next = 0;
  const timer = setInterval(() => {
    if (next < made.length) sender.send(made[next]!, next++ * 20_000);
  }, 10);
  const { loudest } = await listen(input, 15);
  clearInterval(timer);
  expect(loudest).toBeGreaterThan(0.3);
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1", () => {
      const { port } = socket.address();
      // RIST's Simple profile wants even ports; the Main profile takes any.
      socket.close(() => resolve(port % 2 === 0 ? port : port - 1));
    });
  });
}
