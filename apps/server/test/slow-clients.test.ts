import { connect, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { MemoryStore, VirtualClock } from "@longwave/base";
import { Catalog } from "@longwave/catalog";
import { OpusListeners, Scope, Station, type StationEvent } from "@longwave/station";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EventFollower } from "../src/event-follower.ts";
import { type RunningServer, startServer } from "../src/index.ts";

const block = new Float32Array(1920).fill(0.5);
/** A packet of 20 ms, far larger than real ones so that the buffers of the system are full soon. */
const packet = new Uint8Array(1275).fill(0xfc);
/** A place is lost after 300 blocks of which none was taken. */
const limits = { maxListeners: 4, maxQueuedBlocks: 20 };
const opusListeners = new OpusListeners("a test", limits);
let receive: (block: Float32Array, startFrame: number) => void = () => {};
/** Waits for clients as long as real ones do; has few places. */
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
  server = await startServer({ ...options, maxConnections: 32 });
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

/** A connection that has sent this text and reads nothing. */
function sendAndReadNothing(text: string, of: RunningServer = server): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(of.port, "127.0.0.1", () => {
      socket.pause();
      socket.on("error", () => {});
      socket.write(text, () => resolve(socket));
    });
  });
}

/** Asks for an endless answer and reads nothing of it. */
const askAndReadNothing = (path: string, of: RunningServer = server) =>
  sendAndReadNothing(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`, of);

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

describe("a client that follows the events", () => {
  const clients = () => metric("longwave_event_clients");
  const dropped = () => metric("longwave_event_clients_dropped_total");
  const happen = () => station.log.append({ type: "report.failed", reason: "a test" });

  test("and lags behind is cut off, counted, and its place is free again", async () => {
    const before = await dropped();
    const reader = (await fetch(`${server.url}v1/events?after=999999`)).body!.getReader();
    expect(await clients()).toBe(1);
    // Nothing is sent between these: all of them wait.
    for (let n = 0; n < 600; n++) happen();
    expect([await clients(), await dropped()]).toEqual([0, before + 1]);
    while (!(await reader.read()).done);
    const next = (await fetch(`${server.url}v1/events?after=999999`)).body!.getReader();
    expect(await clients()).toBe(1);
    await next.cancel();
    await expect.poll(clients, { timeout: 60_000 }).toBe(0);
    expect(await dropped()).toBe(before + 1);
  });

  test("and leaves after it was cut off gives its place back once", () => {
    const ends: boolean[] = [];
    let tell: (event: StationEvent) => void = () => {};
    const follower = new EventFollower(
      [],
      (take) => {
        tell = take;
        return () => {};
      },
      (isTooSlow) => void ends.push(isTooSlow),
    );
    for (let seq = 0; seq < 600; seq++) tell({ type: "report.failed", reason: "a test", seq } as never);
    follower.close();
    follower.close();
    expect(ends).toEqual([true]);
  });

  test("finds a place however often others asked with HEAD", async () => {
    for (let n = 0; n < 70; n++)
      expect((await fetch(`${server.url}v1/events`, { method: "HEAD" })).status).toBe(200);
    expect(await clients()).toBe(0);
  });
});

test("connections that never finish their header give way, those with a request do not", async () => {
  const stop = new AbortController();
  const listening = await fetch(`${server.url}v1/streams/studio-1/audio?format=pcm`, { signal: stop.signal });
  const before = await metric("longwave_http_shed_total");
  const open: Socket[] = [];
  // More than twice as many as there are places.
  for (let n = 0; n < 80; n++) open.push(await sendAndReadNothing("GET / HTTP/1.1\r\nHost: loc"));
  expect((await fetch(`${server.url}v1/health`)).status).toBe(200);
  expect((await metric("longwave_http_shed_total")) - before).toBeGreaterThanOrEqual(48);
  const reader = listening.body!.getReader();
  receive(block, 0);
  expect((await reader.read()).value!.length).toBeGreaterThan(0);
  for (const socket of open) socket.destroy();
  stop.abort();
});

test("a server that stops ends live sound and events properly", async () => {
  const ask = async (path: string) => (await fetch(server.url + path)).body!.getReader();
  const opus = await ask("v1/streams/studio-1/audio");
  const live = [
    await ask("v1/streams/studio-1/audio?format=wav"),
    await ask("v1/streams/studio-1/scope"),
    await ask("v1/events"),
  ];
  await opus.read();
  for (let n = 0; n < 7; n++) opusListeners.write(packet);
  const stuck = await sendAndReadNothing("GET / HTTP/1.1\r\n");
  // Nobody is cut off: with all this time, one that was not ended would hold the server up.
  const closed = server.close(3_600_000);
  const pages: Uint8Array[] = [];
  for (let page = await opus.read(); page.value !== undefined; page = await opus.read())
    pages.push(page.value);
  const bytes = Buffer.concat(pages);
  const last = bytes.lastIndexOf("OggS");
  // RFC 3533: bit 2 of the header type marks the last page of a stream.
  expect(bytes[last + 5]! & 4).toBe(4);
  for (const reader of live) while (!(await reader.read()).done);
  await closed;
  stuck.destroy();
});
