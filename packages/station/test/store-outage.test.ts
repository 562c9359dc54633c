import { Archive } from "@longwave/archive";
import { MemoryStore, type ObjectStore, type PutCondition, S3Store, VirtualClock } from "@longwave/base";
import { createSeekableDecoder } from "@longwave/opus";
import { type FakeS3, startFakeS3 } from "@longwave/testkit";
import { afterEach, describe, expect, test } from "vitest";
import {
  ArchiveRecorder,
  OpusCodec,
  StationArchive,
  type StationEventBody,
  WriteBehindStore,
} from "../src/index.ts";

let service: FakeS3 | undefined;
afterEach(async () => {
  await service?.close();
  service = undefined;
});

/** A recorder in front of object storage, and everything that it was given. */
async function recordInto(store: ObjectStore, { startUs = 0 } = {}) {
  const clock = new VirtualClock();
  clock.runUntil(startUs);
  const behind = new WriteBehindStore(store, {
    clock,
    retryUs: 500_000,
    // The service answers in real time, which this clock knows nothing of.
    timeoutUs: 1e12,
  });
  const events: StationEventBody[] = [];
  const archive = await StationArchive.open(behind, {
    clock,
    place: "a bucket",
    delivery: behind,
    ownsStreams: false,
  });
  archive.onDelivery(({ away }) =>
    events.push(
      away === undefined ? { type: "archive.delivered" } : { type: "archive.delayed", reason: away },
    ),
  );
  const codec = new OpusCodec();
  const recorder = new ArchiveRecorder({
    archive,
    stream: "studio-1",
    clock,
    codec: codec.name,
    playedAtUs: (frame) => startUs + Math.round((frame * 1e6) / 48_000),
    onEvent: (event) => events.push(event),
  });
  const block = new Float32Array(2 * 960);
  let frame = 0;
  const play = async (seconds: number) => {
    for (let i = 0; i < seconds * 50; i++) {
      for (let k = 0; k < block.length; k++) block[k] = 0.3 * Math.sin((frame + (k >> 1)) * 0.03);
      codec.encode(block, (packet) => recorder.write(packet, block, frame));
      frame += 960;
      clock.runUntil(clock.nowUs() + 20_000);
      await recorder.settle();
    }
  };
  /** Lets the time go on until everything is written. */
  const deliver = async () => {
    let done = false;
    void behind.settle().then(() => {
      done = true;
    });
    while (!done) {
      clock.runUntil(clock.nowUs() + 100_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { clock, behind, archive, recorder, events, play, deliver };
}

/** Every sample and every hash of the one recording of a store, from a fresh look at it. */
async function verifyOnly(store: ObjectStore) {
  const archive = await Archive.open(store, { decoder: createSeekableDecoder });
  const infos = await archive.list();
  expect(infos).toHaveLength(1);
  expect((await archive.verify(infos[0]!.id, "decode")).findings).toEqual([]);
  archive.close();
  return infos[0]!;
}

describe("a station whose object storage goes away", () => {
  test("goes on, can be listened to, and has lost nothing when the storage is back", async () => {
    service = await startFakeS3();
    const { endpoint, bucket, credentials } = service;
    const s3 = () => new S3Store({ endpoint, bucket, credentials, clock: new VirtualClock(), attempts: 1 });
    const { archive, recorder, events, play, deliver, behind } = await recordInto(s3());
    await play(4);
    await deliver();
    service.goAway();
    await play(25);
    expect(events.filter(({ type }) => type === "archive.delayed")).toHaveLength(1);
    expect(behind.delivery.pendingBytes).toBeGreaterThan(50_000);
    const [recording] = await archive.recordings();
    const { frames, id } = recording!.info;
    expect(frames).toBeGreaterThan(27 * 48_000);
    const { report } = await archive.archive.read(id, { from: frames - 48_000, to: frames });
    expect(report.exact).toBe(true);
    service.comeBack();
    await play(3);
    await deliver();
    expect(behind.delivery).toEqual({ away: undefined, pendingObjects: 0, pendingBytes: 0 });
    await recorder.close();
    await deliver();
    expect(events.map(({ type }) => type)).toEqual([
      "archive.started",
      "archive.delayed",
      "archive.delivered",
      "archive.completed",
    ]);
    const info = await verifyOnly(s3());
    expect(info).toMatchObject({ packets: 32 * 50, frames: 32 * 48_000 - 312, counts: { lost: 0 } });
    expect(info.anchors).toHaveLength(1);
  });

  test("takes back what somebody else has taken over, and says so", async () => {
    service = await startFakeS3();
    const { endpoint, bucket, credentials } = service;
    const s3 = () => new S3Store({ endpoint, bucket, credentials, clock: new VirtualClock(), attempts: 1 });
    const { archive, events, play, deliver } = await recordInto(s3());
    await play(3);
    await deliver();
    service.goAway();
    await play(3);
    service.comeBack();
    const other = await Archive.open(s3(), { decoder: createSeekableDecoder });
    const { id } = (await archive.recordings())[0]!.info;
    await (await other.append(id, { takeOver: true })).close();
    await deliver();
    await play(3);
    await deliver();
    expect(events.find(({ type }) => type === "archive.failed")).toMatchObject({ recording: id });
    expect((await other.verify(id, "decode")).findings).toEqual([]);
    other.close();
  });
});

/** Fails everything while `broken`; notes what is written. */
class FailingStore extends MemoryStore {
  broken = false;
  readonly written: string[] = [];
  override async put(key: string, bytes: Uint8Array, condition?: PutCondition) {
    if (this.broken) throw new Error("the cable is out");
    this.written.push(key);
    return super.put(key, bytes, condition);
  }
}

describe("a station whose object storage is away at the start", () => {
  test("goes on air, says it, and goes on with its recording when the storage answers", async () => {
    service = await startFakeS3();
    const { endpoint, bucket, credentials } = service;
    const s3 = () => new S3Store({ endpoint, bucket, credentials, clock: new VirtualClock(), attempts: 1 });
    const before = await recordInto(s3());
    await before.play(3);
    await before.recorder.close();
    await before.deliver();

    service.goAway();
    const { archive, recorder, events, play, deliver } = await recordInto(s3(), {
      startUs: 60_000_000,
    });
    expect(archive.delivery?.away).toContain(endpoint);
    expect(() => archive.archive).toThrow(/cannot be reached/);
    await expect(archive.recordings()).rejects.toMatchObject({
      code: "station/archive-away",
      kind: "unavailable",
    });
    await play(3);
    expect(events.map(({ type }) => type)).toEqual(["archive.failed"]);
    service.comeBack();
    // The recorder tries again every 10 s.
    await play(12);
    await deliver();
    expect(archive.delivery).toEqual({ away: undefined, pendingObjects: 0, pendingBytes: 0 });
    expect((await archive.recordings()).map(({ info }) => info.state)).toEqual(["recording"]);
    await recorder.close();
    await deliver();
    expect(events.map(({ type }) => type)).toEqual([
      "archive.failed",
      "archive.continued",
      "archive.recovered",
      "archive.completed",
    ]);
    expect((await verifyOnly(s3())).anchors).toHaveLength(2);
  });

  test("something else in the bucket is refused when it shows, and never written over", async () => {
    service = await startFakeS3();
    const { endpoint, bucket, credentials, log } = service;
    const s3 = () => new S3Store({ endpoint, bucket, credentials, clock: new VirtualClock(), attempts: 1 });
    const root = { zarr_format: 3, node_type: "group", attributes: { longwave_archive: { version: 99 } } };
    await s3().put("zarr.json", new TextEncoder().encode(JSON.stringify(root)));
    service.goAway();
    const { archive, events, play } = await recordInto(s3());
    service.comeBack();
    const writes = log.filter((line) => line.startsWith("PUT")).length;
    await play(12);
    await expect(archive.recordings()).rejects.toMatchObject({ code: "archive/version" });
    expect(events.map(({ type }) => type)).toEqual(["archive.failed"]);
    expect(log.filter((line) => line.startsWith("PUT"))).toHaveLength(writes);
  });
});

describe("writing behind", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);

  test("keeps the order, writes an object once, and shows at once what waits", async () => {
    const clock = new VirtualClock();
    const store = new FailingStore();
    await store.put("old", bytes("old"));
    const behind = new WriteBehindStore(store, { clock });
    store.broken = true;
    await behind.put("a", bytes("1"));
    await behind.put("b", bytes("2"));
    await behind.put("a", bytes("333"));
    await behind.delete("old");
    await new Promise((resolve) => setImmediate(resolve));
    expect(behind.delivery).toEqual({ away: "Error: the cable is out", pendingObjects: 3, pendingBytes: 4 });
    expect(await behind.get("a", { start: 1, end: 9 })).toEqual(bytes("33"));
    expect(await behind.head("old")).toBeUndefined();
    const listed: string[] = [];
    for await (const { key, size } of behind.list("")) listed.push(`${key} ${size}`);
    expect(listed).toEqual(["a 3", "b 1"]);
    store.broken = false;
    store.written.length = 0;
    clock.runUntil(5_000_000);
    await behind.settle();
    expect(store.written).toEqual(["b", "a"]);
    expect(await store.get("old")).toBeUndefined();
  });

  test("takes no more than its limit, and says at the end what could not be written", async () => {
    const clock = new VirtualClock();
    const store = new FailingStore();
    store.broken = true;
    const behind = new WriteBehindStore(store, { clock, maxPendingBytes: 10 });
    await behind.put("a", bytes("12345678"));
    await expect(behind.put("b", bytes("123"))).rejects.toMatchObject({ code: "store/failed" });
    await behind.put("a", bytes("1234567890"));
    const closed = behind.close(1_000_000);
    clock.runUntil(2_000_000);
    await expect(closed).rejects.toThrow(/1 objects \(1 KB\) could not be written/);
  });

  test("a store that does not answer is away", async () => {
    const clock = new VirtualClock();
    const store = new MemoryStore();
    store.put = (_key, _bytes, _condition, signal?: AbortSignal) =>
      new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
    const behind = new WriteBehindStore(store, { clock, timeoutUs: 1_000_000 });
    await behind.put("a", bytes("1"));
    await new Promise((resolve) => setImmediate(resolve));
    clock.runUntil(1_500_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(behind.delivery.away).toBe("The store does not answer.");
  });
});
