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
let server: RunningServer;

beforeAll(async () => {
  const station = new Station({
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
  server = await startServer({
    host: {
      version: "0",
      stations: new Map([["studio-1", { station, scope: new Scope(), opusListeners }]]),
      notReady: () => undefined,
    },
    port: 0,
    token: undefined,
    consoleDirectory: undefined,
    stalledMs: 400,
  });
});
afterAll(() => server?.close(0));

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${server.url}v1/metrics`)).text();
  return Number(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, "m").exec(text)?.[1]);
}

/** Asks for an endless answer and reads nothing of it. */
function askAndReadNothing(path: string): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(server.port, "127.0.0.1", () => {
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
    test(`has a bounded queue of ${format}, loses its place and then its connection, and is counted`, async () => {
      const before = {
        places: await metric("longwave_listeners_dropped_total"),
        blocks: await metric("longwave_listener_dropped_blocks_total"),
        connections: await metric("longwave_http_stalled_total"),
      };
      const socket = await askAndReadNothing(`/v1/streams/studio-1/audio?format=${format}`);
      await expect.poll(() => metric("longwave_stream_listeners"), { timeout: 60_000 }).toBe(1);
      // What the system takes in its buffers is more than the queue; everybody else is answered meanwhile.
      while ((await metric("longwave_stream_listeners")) > 0) {
        for (let turn = 0; turn < 50; turn++) {
          for (let i = 0; i < 10; i++) push();
          await setImmediate();
        }
      }
      expect(await metric("longwave_listeners_dropped_total")).toBe(before.places + 1);
      const missed = (await metric("longwave_listener_dropped_blocks_total")) - before.blocks;
      expect(missed).toBeGreaterThanOrEqual(280);
      await expect
        .poll(() => metric("longwave_http_stalled_total"), { timeout: 60_000 })
        .toBe(before.connections + 1);
      socket.destroy();
    });
  }

  test("gives its place back at once when it hangs up", async () => {
    const gone = await askAndReadNothing("/v1/streams/studio-1/audio?format=pcm");
    await expect.poll(() => metric("longwave_stream_listeners"), { timeout: 60_000 }).toBe(1);
    const before = await metric("longwave_listeners_dropped_total");
    gone.destroy();
    // Nothing needs to be sent for it to be noticed.
    await expect.poll(() => metric("longwave_stream_listeners"), { timeout: 60_000 }).toBe(0);
    expect(await metric("longwave_listeners_dropped_total")).toBe(before);
  });
});

test("a client that waits for sound, or reads slowly, keeps its connection", async () => {
  const before = await metric("longwave_http_stalled_total");
  const stop = new AbortController();
  const answer = await fetch(`${server.url}v1/streams/studio-1/audio?format=pcm`, { signal: stop.signal });
  const reader = answer.body!.getReader();
  // Four times as long as a client may be stuck.
  for (let n = 0; n < 16; n++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    receive(block, 0);
    expect((await reader.read()).value!.length).toBeGreaterThan(0);
  }
  expect(await metric("longwave_http_stalled_total")).toBe(before);
  expect(await metric("longwave_stream_listeners")).toBe(1);
  stop.abort();
});
