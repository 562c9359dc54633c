import { connect, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { MemoryStore, VirtualClock } from "@longwave/base";
import { Catalog } from "@longwave/catalog";
import { OpusListeners, Scope, Station } from "@longwave/station";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningServer, startServer } from "../src/index.ts";

const block = new Float32Array(1920).fill(0.5);
/** A packet of 20 ms, far larger than real ones so that the buffers of the system are full soon. */
const packet = new Uint8Array(1275).fill(0xfc);
/** A place is lost after 300 blocks of which none was taken. */
const limits = { maxListeners: 4, maxQueuedBlocks: 20 };
const opusListeners = new OpusListeners("a test", limits);
let receive: (block: Float32Array, startFrame: number) => void = () => {};
/** Waits for clients as long as real ones do. */
let server: RunningServer;
/** Gives a connection up after 400 ms. */
let strict: RunningServer;
let station: Station;

beforeAll(async () => {
  station = new Station({
    id: "studio-1",
    programme: "a test",
    clock: new VirtualClock(),
    source: { read: () => 0, ended: false, close: async () => {} },
    path: {
      send: () => {},
      onReceive: (handler) => {
        receive = handler;
      },
      close: async () => {},
    },
    limits,
    catalog: await Catalog.open(new MemoryStore(), { profile: "wang-v1" }),
  });
  const options = {
    host: {
      version: "0",
      stations: new Map([["studio-1", { station, scope: new Scope(), opusListeners }]]),
      notReady: () => undefined,
    },
    port: 0,
    token: undefined,
    consoleDirectory: undefined,
  };
  server = await startServer(options);
  strict = await startServer({ ...options, stalledMs: 400 });
});
afterAll(async () => {
  await server?.close(0);
  await strict?.close(0);
});

const listeners = () => station.status().listeners + opusListeners.count;

async function metric(name: string, of: RunningServer = server): Promise<number> {
  const text = await (await fetch(`${of.url}v1/metrics`)).text();
  return Number(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, "m").exec(text)?.[1]);
}

/** Asks for an endless answer and reads nothing of it. */
function askAndReadNothing(path: string, of: RunningServer = server): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(of.port, "127.0.0.1", () => {
      socket.pause();
      socket.on("error", () => {});
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`, () => resolve(socket));
    });
  });
}

describe("a listener that reads nothing", () => {
  for (const [format, push] of [
    ["pcm", () => receive(block, 0)],
    ["opus", () => opusListeners.write(packet)],
  ] as const) {
    test(`has a bounded queue of ${format}, loses its place when that is full for long, and is counted`, async () => {
      const before = {
        places: await metric("longwave_listeners_dropped_total"),
        blocks: await metric("longwave_listener_dropped_blocks_total"),
      };
      const socket = await askAndReadNothing(`/v1/streams/studio-1/audio?format=${format}`);
      await expect.poll(listeners, { timeout: 60_000 }).toBe(1);
      // What the system takes in its buffers is more than the queue.
      while (listeners() > 0) {
        for (let i = 0; i < 10; i++) push();
        await setImmediate();
      }
      expect(await metric("longwave_listeners_dropped_total")).toBe(before.places + 1);
      const missed = (await metric("longwave_listener_dropped_blocks_total")) - before.blocks;
      expect(missed).toBeGreaterThanOrEqual(280);
      socket.destroy();
    });
  }

  test("loses its connection, and others do not", async () => {
    const socket = await askAndReadNothing("/v1/streams/studio-1/audio?format=pcm", strict);
    await expect.poll(listeners, { timeout: 60_000 }).toBe(1);
    while ((await metric("longwave_http_stalled_total", strict)) === 0) {
      for (let turn = 0; turn < 20; turn++) {
        for (let i = 0; i < 10; i++) receive(block, 0);
        await setImmediate();
      }
    }
    await expect.poll(listeners, { timeout: 60_000 }).toBe(0);
    socket.destroy();

    // Waiting for sound is not the same as taking none: four times as long.
    const stop = new AbortController();
    const answer = await fetch(`${strict.url}v1/streams/studio-1/audio?format=pcm`, { signal: stop.signal });
    const reader = answer.body!.getReader();
    for (let n = 0; n < 4; n++) {
      await new Promise((resolve) => setTimeout(resolve, 400));
      receive(block, 0);
      expect((await reader.read()).value!.length).toBeGreaterThan(0);
    }
    expect(await metric("longwave_http_stalled_total", strict)).toBe(1);
    stop.abort();
    await expect.poll(listeners, { timeout: 60_000 }).toBe(0);
  });

  test("gives its place back at once when it hangs up", async () => {
    const gone = await askAndReadNothing("/v1/streams/studio-1/audio?format=pcm");
    await expect.poll(listeners, { timeout: 60_000 }).toBe(1);
    const before = await metric("longwave_listeners_dropped_total");
    gone.destroy();
    // Nothing needs to be sent for it to be noticed.
    await expect.poll(listeners, { timeout: 60_000 }).toBe(0);
    expect(await metric("longwave_listeners_dropped_total")).toBe(before);
  });
});
