import { createHash } from "node:crypto";
import { MemoryStore, VirtualClock } from "@longwave/base";
import { ArchiveRecorder, composeSong, OpusCodec, SongRenderer, StationArchive } from "@longwave/station";
import { beforeAll, describe, expect, test } from "vitest";
import { createApp } from "../src/index.ts";

const clock = new VirtualClock();
const store = new MemoryStore();
const archive = await StationArchive.open(store, { clock, place: "memory" });
const recorder = new ArchiveRecorder({
  archive,
  stream: "studio-1",
  clock,
  codec: "Opus",
  playedAtUs: (frame) => (frame * 1e6) / 48_000,
  onEvent: () => {},
});
const app = createApp({
  host: { version: "0.0.0", stations: new Map(), archive, notReady: () => undefined },
  token: undefined,
  loopback: true,
  corsOrigins: [],
  consoleDirectory: undefined,
});
const get = (path: string, headers: Record<string, string> = {}) =>
  app.request(`http://localhost/v1/archive${path}`, { headers });
const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());

let id = "";
beforeAll(async () => {
  const codec = new OpusCodec();
  const block = new Float32Array(1920);
  const song = new SongRenderer(composeSong(7, 0));
  for (let i = 0; i < 300; i++) {
    song.read(block);
    codec.encode(block, (packet) => recorder.write(packet, block, i * 960));
    clock.runUntil(clock.nowUs() + 20_000);
    await recorder.settle();
  }
  await recorder.close();
  const { recordings } = (await (await get("")).json()) as { recordings: { id: string }[] };
  id = recordings[0]!.id;
});

describe("archive over HTTP", () => {
  test("says what there is and when it was recorded", async () => {
    const { recordings, temporary } = (await (await get("?stream=studio-1")).json()) as {
      temporary: boolean;
      recordings: { frames: number; spans: { startMs: number }[] }[];
    };
    expect(temporary).toBe(false);
    expect(recordings[0]!.frames).toBe(300 * 960 - 312);
    expect(recordings[0]!.spans[0]!.startMs).toBe(Date.parse("2026-01-01T00:00:00Z"));
    expect(((await (await get("?stream=else")).json()) as { recordings: unknown[] }).recordings).toEqual([]);
  });

  test("gives the same samples by frames, seconds and wall-clock time", async () => {
    const byFrames = await bytesOf(await get(`/${id}?from=96000&to=144000`));
    expect(byFrames.equals(await bytesOf(await get(`/${id}?from=2s&to=3.0s`)))).toBe(true);
    const wall = "from=2026-01-01T00:00:02Z&to=2026-01-01T00:00:03Z";
    expect(byFrames.equals(await bytesOf(await get(`/${id}?${wall}`)))).toBe(true);
    expect(byFrames.length).toBeGreaterThan(192_000);
  });

  test("answers every range of bytes with those bytes, in WAV and in Opus", async () => {
    for (const format of ["wav", "opus"]) {
      const path = `/${id}?from=100000&to=200001&format=${format}`;
      const whole = await bytesOf(await get(path));
      const size = whole.length;
      for (const [from, to] of [
        [0, 9],
        [0, size - 1],
        [43, 90],
        [79, 80],
        [81, 5002],
        [size - 7, size - 1],
      ] as const) {
        const response = await get(path, { range: `bytes=${from}-${to}` });
        expect(response.status).toBe(206);
        expect(response.headers.get("content-range")).toBe(`bytes ${from}-${to}/${size}`);
        const part = await bytesOf(response);
        expect(part.equals(whole.subarray(from, to + 1)), `${format} ${from}-${to}`).toBe(true);
      }
      const last = await get(path, { range: "bytes=-100" });
      expect((await bytesOf(last)).equals(whole.subarray(size - 100))).toBe(true);
      const open = await get(path, { range: `bytes=${size - 50}-` });
      expect((await bytesOf(open)).equals(whole.subarray(size - 50))).toBe(true);
      const beyond = await get(path, { range: `bytes=${size}-` });
      expect([beyond.status, beyond.headers.get("content-range")]).toEqual([416, `bytes */${size}`]);
      expect((await get(path, { range: "bytes=1-2,5-6" })).status).toBe(200);
      expect((await get(path, { range: "seconds=1-2" })).status).toBe(200);
    }
  });

  test("refuses what makes no sense with a problem report", async () => {
    for (const [query, status] of [
      ["from=5&to=1", 400],
      ["from=0&to=99999999999", 400],
      ["from=x", 400],
      ["from=-1", 400],
      ["format=mp3", 400],
    ] as const) {
      const response = await get(`/${id}?${query}`);
      expect(response.status, query).toBe(status);
      expect(response.headers.get("content-type")).toBe("application/problem+json");
    }
    for (const path of ["/nowhere", "/nowhere/info", "/nowhere/peaks", "/nowhere/proof", "/%2e%2e%2fx"]) {
      expect((await get(path)).status, path).toBe(404);
    }
    for (const columns of ["0", "5000", "x"]) {
      expect((await get(`/${id}/peaks?columns=${columns}`)).status).toBe(400);
    }
  });

  test("gives one file of what was recorded between two moments, and refuses what makes no sense", async () => {
    const export_ = (query: string, headers = {}) =>
      app.request(`http://localhost/v1/streams/studio-1/archive?${query}`, { headers });
    const range = "from=2026-01-01T00:00:02Z&to=2026-01-01T00:00:03Z";
    const whole = await bytesOf(await export_(range));
    expect(whole.equals(await bytesOf(await get(`/${id}?from=2s&to=3s`)))).toBe(true);
    const part = await export_(range, { range: "bytes=1000-1999" });
    expect(part.status).toBe(206);
    expect((await bytesOf(part)).equals(whole.subarray(1000, 2000))).toBe(true);
    const opus = await bytesOf(await export_(`${range}&format=opus`));
    const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
    const proof = await app.request(`http://localhost/v1/streams/studio-1/proof?${range}`);
    expect(await proof.json()).toMatchObject({
      format: "longwave-stream-proof",
      frames: 48_000,
      wav: { bytes: whole.length, sha256: sha256(whole) },
      opus: { bytes: opus.length, sha256: sha256(opus) },
      gaps: [],
      signature: null,
    });
    expect(opus.subarray(0, 4).toString()).toBe("OggS");
    for (const [query, status] of [
      ["from=2026-01-01T00:00:02Z", 400],
      ["from=2026-01-01T00:00:03Z&to=2026-01-01T00:00:02Z", 400],
      ["from=2027-01-01T00:00:00Z&to=2027-01-01T00:00:02Z", 400],
      ["from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z", 413],
      [`${range}&format=mp3`, 400],
    ] as const) {
      const refused = await export_(query);
      expect(refused.status, query).toBe(status);
      expect(refused.headers.get("content-type")).toBe("application/problem+json");
    }
  });

  test("lets an export keep its place until its last byte, and no longer", async () => {
    const ask = () =>
      app.request(
        "http://localhost/v1/streams/studio-1/archive?from=2026-01-01T00:00:02Z&to=2026-01-01T00:00:03Z",
      );
    const open: Response[] = [];
    for (let n = 0; n < 16; n++) {
      open.push(await ask());
      expect(open[n]!.status).toBe(200);
    }
    const refused = await ask();
    expect([refused.status, await refused.json()]).toEqual([
      503,
      expect.objectContaining({ code: "server/busy" }),
    ]);
    // One is read to its end, one is left.
    await open.pop()!.arrayBuffer();
    open.push(await ask());
    expect((await ask()).status).toBe(503);
    await open.pop()!.body!.cancel();
    open.push(await ask());
    expect((await ask()).status).toBe(503);
    for (const each of open) await each.body?.cancel();
    for (let n = 0; n < 40; n++) {
      const head = await app.request(
        "http://localhost/v1/streams/studio-1/archive?from=2026-01-01T00:00:02Z&to=2026-01-01T00:00:03Z",
        { method: "HEAD" },
      );
      expect([head.status, head.headers.get("content-type")]).toEqual([200, "audio/wav"]);
    }
    const last = await ask();
    expect(last.status).toBe(200);
    await last.body?.cancel();
  });

  test("answers HEAD with the length of the whole, ranges or not", async () => {
    const head = await app.request(`http://localhost/v1/archive/${id}?from=0&to=960`, {
      method: "HEAD",
      headers: { range: "bytes=0-9" },
    });
    const whole = await bytesOf(await get(`/${id}?from=0&to=960`));
    expect([head.status, head.headers.get("content-length")]).toEqual([200, String(whole.length)]);
    expect(head.body).toBeNull();
  });

  test("gives an outline of as many columns as asked for", async () => {
    const outline = (await (await get(`/${id}/peaks?columns=37`)).json()) as { peak: number[] };
    expect(outline.peak).toHaveLength(37);
    expect(Math.max(...outline.peak)).toBeGreaterThan(50);
  });

  test("saves under a name that says what it is", async () => {
    const response = await get(`/${id}?from=0&to=960&download=1`);
    expect(response.headers.get("content-disposition")).toBe(`attachment; filename="${id}_0-960.wav"`);
    await response.body?.cancel();
  });
});
