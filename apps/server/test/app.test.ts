import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeWav } from "@longwave/media";
import { enrollRepertoire } from "@longwave/station";
import { beforeAll, describe, expect, test } from "vitest";
import { createApp } from "../src/index.ts";
import {
  app,
  archive,
  base,
  bond,
  catalog,
  excerpt,
  host,
  options,
  opusListeners,
  play,
  reception,
  recorder,
  repertoire,
  scope,
  station,
} from "./app-world.ts";
import { guardTests } from "./guard-tests.ts";
import { openapiTests } from "./openapi-tests.ts";

beforeAll(async () => {
  await enrollRepertoire(catalog, repertoire);
  station.start();
  await play(8);
});

describe("the API", () => {
  test("says what is on air and what was heard", async () => {
    const { streams } = (await (await app.request(`${base}/v1/streams`)).json()) as {
      streams: { onAir: { id: string }; heard: { track: string } }[];
    };
    expect(streams).toHaveLength(1);
    expect(streams[0]?.onAir.id).toBe("song-01");
    expect(streams[0]?.heard.track).toBe("song-01");
  });

  test("answers what is not there with a problem report", async () => {
    for (const path of ["/v1/streams/nowhere", "/v1/nothing", "/nothing", "/v1/streams/nowhere/audio"]) {
      const response = await app.request(base + path);
      expect(response.status, path).toBe(404);
      expect(response.headers.get("content-type")).toBe("application/problem+json");
      expect(((await response.json()) as { code: string }).code).toBe("server/not-found");
    }
  });

  test("streams the received packets as Ogg Opus that begins at once", async () => {
    const response = await app.request(`${base}/v1/streams/studio-1/audio`);
    expect(response.headers.get("content-type")).toBe("audio/ogg");
    const reader = response.body!.getReader();
    const head = (await reader.read()).value!;
    expect(new TextDecoder("latin1").decode(head)).toMatch(/^OggS.*OpusHead.*OggS.*OpusTags/s);
    const next = reader.read();
    await play(0.12);
    expect(new TextDecoder("latin1").decode((await next).value)).toMatch(/^OggS/);
    expect(opusListeners.count).toBe(1);
    await reader.cancel();
    expect(opusListeners.count).toBe(0);
  });

  test("streams a WAV header and then sound", async () => {
    const response = await app.request(`${base}/v1/streams/studio-1/audio?format=wav`);
    expect(response.headers.get("content-type")).toBe("audio/wav");
    const reader = response.body!.getReader();
    const head = (await reader.read()).value!;
    expect(new TextDecoder().decode(head.subarray(0, 4))).toBe("RIFF");
    const next = reader.read();
    await play(0.1);
    expect((await next).value!.length).toBe(960 * 4);
    expect(station.status().listeners).toBe(1);
    await reader.cancel();
    expect(station.status().listeners).toBe(0);
  });

  test("begins the picture with its form and the last seconds", async () => {
    const response = await app.request(`${base}/v1/streams/studio-1/scope`);
    const reader = response.body!.getReader();
    const form = (await reader.read()).value!;
    expect(new TextDecoder().decode(form.subarray(0, 4))).toBe("LWSC");
    const rows = form[5]!;
    const history = (await reader.read()).value!;
    let columns = 0;
    let peaks = 0;
    for (let at = 0; at < history.length; ) {
      if (history[at] === 1) columns++;
      else peaks++;
      at += history[at] === 1 ? 7 + rows : 8;
    }
    expect(columns).toBeGreaterThan(200);
    expect(peaks).toBeGreaterThan(50);
    await reader.cancel();
  });

  test("sends past events and new ones, and resumes after the last that a client saw", async () => {
    const read = async (headers: Record<string, string>) => {
      const response = await app.request(`${base}/v1/events?stream=studio-1`, { headers });
      const reader = response.body!.getReader();
      const text = new TextDecoder().decode((await reader.read()).value);
      await reader.cancel();
      return [...text.matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1]));
    };
    const all = await read({});
    expect(all[0]).toBe(0);
    const resumed = await read({ "last-event-id": "1" });
    expect(resumed[0]).toBe(2);
    expect(resumed.at(-1)).toBe(all.at(-1));
  });

  test("changes the reception, and refuses settings out of range", async () => {
    const put = (body: string) =>
      app.request(`${base}/v1/streams/studio-1/reception`, { method: "PUT", body });
    const good = { gainDb: -6, noiseDb: null, lowHz: 100, highHz: 5000 };
    expect(await (await put(JSON.stringify(good))).json()).toEqual(good);
    expect(reception.settings).toEqual(good);
    const unknown = { ...good, colour: "red" };
    for (const bad of [
      "{}",
      "no json",
      "[]",
      JSON.stringify({ ...good, gainDb: 99 }),
      JSON.stringify(unknown),
    ]) {
      expect((await put(bad)).status, bad).toBe(400);
    }
    expect(reception.settings).toEqual(good);
    expect((await put("x".repeat(70_000))).status).toBe(413);
  });

  test("answers HEAD for every address without opening anything", async () => {
    const { paths } = (await (await app.request(`${base}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, { responses: Record<string, { content?: object }> }>>;
    };
    for (const [path, { get }] of Object.entries(paths)) {
      if (
        get === undefined ||
        path.startsWith("/v1/archive/") ||
        path.endsWith("/archive") ||
        path.endsWith("/proof")
      )
        continue;
      const url = base + path.replace("{id}", "studio-1");
      const response = await app.request(url, { method: "HEAD" });
      expect([response.status, response.body], path).toEqual([200, null]);
      const types = Object.keys(Object.values(get.responses)[0]!.content ?? {});
      if (types.length > 0) expect(response.headers.get("content-type"), path).toContain(types[0]);
    }
    expect([station.status().listeners, opusListeners.count, scope.viewers]).toEqual([0, 0, 0]);
    // More of them than there are places.
    for (const path of ["/v1/events", "/v1/streams/studio-1/audio", "/v1/streams/studio-1/scope"]) {
      for (let n = 0; n < 70; n++)
        expect((await app.request(base + path, { method: "HEAD" })).status, path).toBe(200);
      const response = await app.request(base + path);
      expect(response.status, path).toBe(200);
      await response.body!.cancel();
    }
    expect((await app.request(`${base}/v1/events?after=x`, { method: "HEAD" })).status).toBe(400);
  });

  test("says the truth about the kinds of sound that an address gives", async () => {
    const { paths } = (await (await app.request(`${base}/openapi.json`)).json()) as {
      paths: Record<
        string,
        Record<string, { responses: Record<string, { content: Record<string, unknown> }> }>
      >;
    };
    const types = (path: string, method: string) =>
      Object.keys(paths[path]![method]!.responses["200"]!.content);
    const audio: string[] = [];
    for (const format of ["opus", "wav", "pcm"]) {
      const response = await app.request(`${base}/v1/streams/studio-1/audio?format=${format}`);
      audio.push(response.headers.get("content-type")!);
      await response.body!.cancel();
    }
    expect(types("/v1/streams/{id}/audio", "get")).toEqual(audio);
    const archived: string[] = [];
    for (const format of ["wav", "opus"]) {
      const response = await app.request(`${base}/v1/archive/${recorder.recording!}?format=${format}`);
      archived.push(response.headers.get("content-type")!);
      await response.body!.cancel();
    }
    expect(types("/v1/archive/{id}", "get")).toEqual(archived);
    expect(types("/v1/streams/{id}/archive", "get")).toEqual(archived);
  });

  test("sets the encoder on air, and the packets follow", async () => {
    const put = (body: object) =>
      app.request(`${base}/v1/streams/studio-1/encoder`, { method: "PUT", body: JSON.stringify(body) });
    const reader = (await app.request(`${base}/v1/streams/studio-1/audio`)).body!.getReader();
    await reader.read();
    const secondBytes = async () => {
      let bytes = 0;
      for (let i = 0; i < 10; i++) {
        const page = reader.read();
        await play(0.1);
        bytes += (await page).value!.length;
      }
      return bytes;
    };
    const before = await secondBytes();
    expect(await (await put({ bitrateBps: 24_000 })).json()).toEqual({ bitrateBps: 24_000, complexity: 5 });
    // The receiver's buffer still holds packets of before.
    await play(1.2);
    for (let i = 0; i < 12; i++) await reader.read();
    expect(await secondBytes()).toBeLessThan(before / 2);
    await reader.cancel();
    for (const bad of [{ bitrateBps: 1 }, { complexity: 11 }, { bitrateBps: "x" }, { colour: 1 }]) {
      expect((await put(bad)).status, JSON.stringify(bad)).toBe(400);
    }
    expect((await put({ bitrateBps: 96_000 })).status).toBe(200);
  });

  test("puts a text on air and says how it went", async () => {
    const path = `${base}/v1/streams/studio-1/announcements`;
    const post = (body: object) => app.request(path, { method: "POST", body: JSON.stringify(body) });
    expect(await (await post({ text: "Good evening." })).json()).toMatchObject({
      engine: "formant",
      state: "waiting",
      problem: null,
    });
    await play(3);
    const { announcements } = (await (await app.request(path)).json()) as {
      announcements: { state: string; lengthMs: number }[];
    };
    expect(announcements[0]).toMatchObject({ state: "done" });
    expect(announcements[0]!.lengthMs).toBeGreaterThan(300);
    for (const [body, status] of [
      [{}, 400],
      [{ text: "" }, 400],
      [{ text: "x", voice: "nobody" }, 404],
      [{ text: "x", colour: 1 }, 400],
      [{ text: "x".repeat(5000) }, 413],
    ] as const) {
      expect((await post(body)).status, JSON.stringify(body).slice(0, 60)).toBe(status);
    }
  });

  test("cuts and impairs a link, says so in the log, and refuses what a link has not", async () => {
    const put = (id: string, body: object) =>
      app.request(`${base}/v1/links/${id}`, { method: "PUT", body: JSON.stringify(body) });
    expect(await (await put("lte", { cut: true, loss: 0.2 })).json()).toMatchObject({
      cut: true,
      setLoss: 0.2,
    });
    expect(await (await put("lte", { cut: false })).json()).toMatchObject({ cut: false, setLoss: 0.2 });
    expect(station.log.since(-1).filter((event) => event.type === "link.changed")).toHaveLength(2);
    expect((await put("moon", { cut: true })).status).toBe(404);
    for (const bad of [{ loss: 2 }, { cut: "yes" }, { colour: "red" }]) {
      expect((await put("lte", bad)).status, JSON.stringify(bad)).toBe(400);
    }
  });

  test("tells what the links did, a sample a second", async () => {
    const read = async () =>
      (await (await app.request(`${base}/v1/streams/studio-1/links/history`)).json()) as {
        everyMs: number;
        links: { id: string; sentBps: number[]; rttMs: (number | null)[]; cut: boolean[] }[];
      };
    const before = await read();
    await play(3);
    const after = await read();
    expect(after.everyMs).toBe(1000);
    expect(after.links.map(({ id }) => id)).toEqual(["lte", "dsl"]);
    expect(after.links[0]!.sentBps.length).toBe((before.links[0]?.sentBps.length ?? 0) + 3);
    for (const { sentBps, rttMs, cut } of after.links) {
      expect(sentBps.at(-1)).toBeGreaterThan(10_000);
      expect(rttMs).toHaveLength(sentBps.length);
      expect(cut.at(-1)).toBe(false);
    }
  });

  test("lists the catalog in pages", async () => {
    const page = async (query: string) => app.request(`${base}/v1/catalog/tracks${query}`);
    expect((await (await page("?limit=1")).json()) as object).toMatchObject({ total: 1 });
    expect((await page("?limit=0")).status).toBe(400);
    expect((await page("?offset=x")).status).toBe(400);
  });

  test("shows the job queue, where there is one", async () => {
    const failed = await (await app.request(`${base}/v1/jobs?state=failed`)).json();
    expect(failed).toMatchObject({
      jobs: [{ id: "enroll-2", track: "a", failure: { message: "no sound" }, worker: null }],
      counts: { running: 1 },
    });
    for (const query of ["state=lost", "limit=0", "limit=x", "limit=501"])
      expect((await app.request(`${base}/v1/jobs?${query}`)).status, query).toBe(400);
    const { jobs: _, ...without } = host;
    const none = await createApp({ ...options, host: without }).request(`${base}/v1/jobs`);
    expect(await none.json()).toMatchObject({ configured: false, jobs: [], counts: { waiting: 0 } });
  });

  test("gives metrics that a collector can read", async () => {
    const text = await (await app.request(`${base}/v1/metrics`)).text();
    expect(text).toMatch(/^# TYPE longwave_stream_listeners gauge$/m);
    for (const line of text.trim().split("\n"))
      expect(line).toMatch(/^(# (HELP|TYPE) \S+ .+|[a-z_]+(\{.*\})? -?[\d.e+-]+)$/);
  });

  test("says what does not work and why, without what would let somebody in", async () => {
    const away =
      "PostgreSQL failed: postgres://radio:geheim@db:5432/radio?password=geheim does not answer.\nTwice.";
    const broken: typeof host = Object.create(host, {
      catalog: { value: Object.create(catalog, { away: { value: away } }) },
      archive: { value: Object.create(archive, { delivery: { value: { away: "x".repeat(9000) } } }) },
      jobs: { value: { ...host.jobs, away: "NATS is not there: token=geheim." } },
      stations: {
        value: new Map([
          [
            "studio-1",
            {
              ...host.stations.get("studio-1")!,
              bond: Object.create(bond, {
                status: {
                  value: () => ({
                    ...bond.status(),
                    arrival: { state: "impaired", sinceMs: 0, concealedBlocks: 50 },
                  }),
                },
              }),
            },
          ],
        ]),
      },
    });
    const degraded = createApp({ ...options, host: broken });
    const health = (await (await degraded.request(`${base}/v1/health`)).json()) as {
      degraded: string[];
      parts: { part: string; stream: string | null; says: string; reason: string }[];
    };
    expect(health).toMatchObject({ status: "degraded" });
    expect(health.parts.map(({ part, stream }) => [part, stream])).toEqual([
      ["archive", null],
      ["catalog", null],
      ["jobs", null],
      ["sound", "studio-1"],
    ]);
    expect(health.degraded).toEqual(health.parts.map(({ says }) => says));
    const [store, db, queue, sound] = health.parts;
    expect(store!.reason.length).toBeLessThanOrEqual(300);
    expect(db!.reason).toBe("PostgreSQL failed: postgres://db:5432/radio does not answer. Twice.");
    expect(queue!.reason).toBe("NATS is not there: token=…");
    expect(sound).toMatchObject({
      says: "Sound of studio-1 is lost again and again.",
      reason: expect.stringMatching(/: 1\.0 s of the last [\d.]+ s were concealed\.$/),
    });
    const text = await (await degraded.request(`${base}/v1/metrics`)).text();
    expect(text).toContain("longwave_degraded_parts 4\n");
    expect(text).toContain('longwave_sound_impaired{stream="studio-1"} 1\n');
    // Where a token is needed, only who has it learns the reasons.
    const token = "a-token-of-twenty-ch";
    const guarded = createApp({ ...options, host: broken, token, loopback: false });
    for (const [headers, reason] of [
      [{}, null],
      [{ authorization: `Bearer ${token}` }, db!.reason],
    ] as const) {
      const answer = await (await guarded.request(`${base}/v1/health`, { headers })).json();
      expect((answer as typeof health).parts[1]).toMatchObject({ part: "catalog", reason });
    }
  });

  test("is not ready while something is missing", async () => {
    const busy = createApp({ ...options, host: { ...host, notReady: () => "enrolling" } });
    const response = await busy.request(`${base}/v1/ready`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ ready: false, waitingFor: "enrolling", degraded: [] });
  });
});

test("what is not recorded or enrolled is named until it is, and the station is ready all the same", async () => {
  const failures: { recording?: string; enrolment?: string } = {};
  const failing = Object.create(host, {
    stations: {
      value: new Map([
        [
          "studio-1",
          {
            ...host.stations.get("studio-1")!,
            recorder: Object.create(recorder, {
              failure: { get: () => failures.recording },
              recording: { value: undefined },
              droppedBlocks: { value: 0 },
            }),
            enrolmentFailure: () => failures.enrolment,
          },
        ],
      ]),
    },
  }) as typeof host;
  const shown = createApp({ ...options, host: failing });
  const ask = async (path: string) => (await shown.request(base + path)).json();
  const count = async () =>
    /^longwave_degraded_parts (\d+)$/m.exec(await (await shown.request(`${base}/v1/metrics`)).text())?.[1];
  expect(await ask("/v1/health")).toMatchObject({ status: "ok", degraded: [] });
  expect(await count()).toBe("0");
  failures.recording = "The disk is full.";
  failures.enrolment = "The disk is full, too.";
  expect(await ask("/v1/health")).toMatchObject({
    status: "degraded",
    parts: [
      {
        part: "catalog",
        stream: "studio-1",
        says: "Songs of studio-1 cannot be enrolled: they are not recognised.",
        reason: "The disk is full, too.",
      },
      {
        part: "archive",
        stream: "studio-1",
        says: "Nothing is recorded of studio-1.",
        reason: "The disk is full.",
      },
    ],
  });
  expect(await ask("/v1/ready")).toMatchObject({
    ready: true,
    waitingFor: null,
    degraded: [/./, /./].map((any) => expect.stringMatching(any)),
  });
  expect(await count()).toBe("2");
  delete failures.recording;
  delete failures.enrolment;
  expect(await ask("/v1/health")).toMatchObject({ status: "ok", degraded: [] });
  expect(await count()).toBe("0");
});

test("serves the console as it was at the start, also while it is built anew", async () => {
  const directory = mkdtempSync(join(tmpdir(), "longwave-console-"));
  mkdirSync(join(directory, "assets"));
  writeFileSync(join(directory, "index.html"), "<title>Longwave</title>");
  writeFileSync(join(directory, "assets", "index-1.js"), "start()");
  writeFileSync(join(directory, "secret.txt"), "not served");
  const pages = createApp({ ...options, consoleDirectory: directory });
  rmSync(directory, { recursive: true });
  const page = await pages.request(`${base}/`);
  expect([page.status, page.headers.get("content-type"), page.headers.get("cache-control")]).toEqual([
    200,
    "text/html; charset=utf-8",
    "no-cache",
  ]);
  expect(page.headers.get("content-security-policy")).toContain("default-src 'self'");
  expect(await page.text()).toBe("<title>Longwave</title>");
  const script = await pages.request(`${base}/assets/index-1.js`);
  expect([await script.text(), script.headers.get("cache-control")]).toEqual([
    "start()",
    "public, max-age=31536000, immutable",
  ]);
  for (const path of ["/secret.txt", "/assets", "/assets/%2e%2e%2findex.html", "/assets/none.js"])
    expect((await pages.request(base + path)).status, path).toBe(404);
});

describe("identify", () => {
  const ask = (body: Uint8Array | string) =>
    app.request(`${base}/v1/identify`, { method: "POST", body: body as Uint8Array<ArrayBuffer> });

  test("finds the recording and the place that a clip comes from, and explains it", async () => {
    const response = await ask(excerpt());
    expect(response.status).toBe(200);
    const answer = (await response.json()) as {
      match: { track: string; offsetMs: number };
      scatter: [number, number][];
      truncated: boolean;
    };
    expect(answer.truncated).toBe(false);
    expect(answer.match.track).toBe("song-01");
    expect(Math.abs(answer.match.offsetMs - 20_000)).toBeLessThanOrEqual(16);
    const onTheLine = answer.scatter.filter(([clip, track]) => Math.abs(track - clip - 20_000) <= 32);
    expect(onTheLine.length).toBeGreaterThan(100);
  });

  test("asks with what is there of a file that was cut, and says so", async () => {
    const clip = excerpt();
    // 2.7 h: far more than a clip may last.
    const bytes = new DataView(clip.buffer);
    bytes.setUint32(Buffer.from(clip).indexOf("data") + 4, 0x7000_0000, true);
    const response = await ask(clip);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ match: { track: "song-01" }, truncated: true });
  });

  test("says why there is no answer", async () => {
    const silence = encodeWav(new Float32Array(8000 * 4), { sampleRate: 8000, channels: 1, encoding: "s16" });
    const answer = (await (await ask(silence)).json()) as { match: unknown; reason: string };
    expect(answer.match).toBeNull();
    expect(answer.reason).toMatch(/silence|no-peaks/);
  });

  test("refuses what is no sound with the status that fits", async () => {
    expect((await ask("")).status).toBe(422);
    expect((await ask("this is text, not sound")).status).toBe(415);
    const large = new Request(`${base}/v1/identify`, {
      method: "POST",
      body: "x",
      headers: { "content-length": "99999999" },
    });
    expect((await app.request(large)).status).toBe(413);
  });
});

guardTests();
openapiTests();
