import { MemoryStore, VirtualClock } from "@longwave/base";
import { Catalog } from "@longwave/catalog";
import {
  blockUs,
  enrollRepertoire,
  makeRepertoire,
  Reception,
  Scope,
  Station,
  songProgramme,
} from "@longwave/station";
import { beforeAll, describe, expect, test } from "vitest";
import { type AppOptions, createApp } from "../src/index.ts";

const clock = new VirtualClock();
const catalog = await Catalog.open(new MemoryStore());
const repertoire = makeRepertoire(7, 1);
const scope = new Scope();
const reception = new Reception(7);
const station = new Station({
  id: "studio-1",
  programme: "a test",
  clock,
  source: songProgramme(repertoire, 7),
  path: reception,
  catalog,
  sinks: [scope],
  onPeak: (atMs, hz, decibels) => scope.addPeak(atMs, hz, decibels),
});
const host = {
  version: "0.0.0",
  stations: new Map([["studio-1", { station, scope, reception }]]),
  catalog,
  notReady: () => undefined as string | undefined,
};
const options: AppOptions = {
  host,
  token: undefined,
  loopback: true,
  corsOrigins: [],
  consoleDirectory: undefined,
};
const app = createApp(options);
const base = "http://localhost";

async function play(seconds: number): Promise<void> {
  for (let i = 0; i < seconds * 50; i++) {
    clock.runUntil(clock.nowUs() + blockUs);
    await station.settle();
  }
}

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

  test("streams a WAV header and then sound", async () => {
    const response = await app.request(`${base}/v1/streams/studio-1/audio`);
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
    for (const bad of ["{}", "no json", "[]", JSON.stringify({ ...good, gainDb: 99 })]) {
      expect((await put(bad)).status, bad).toBe(400);
    }
    expect(reception.settings).toEqual(good);
    expect((await put("x".repeat(70_000))).status).toBe(413);
  });

  test("lists the catalog in pages", async () => {
    const page = async (query: string) => app.request(`${base}/v1/catalog/tracks${query}`);
    expect((await (await page("?limit=1")).json()) as object).toMatchObject({ total: 1 });
    expect((await page("?limit=0")).status).toBe(400);
    expect((await page("?offset=x")).status).toBe(400);
  });

  test("gives metrics that a collector can read", async () => {
    const text = await (await app.request(`${base}/v1/metrics`)).text();
    expect(text).toMatch(/^# TYPE longwave_stream_listeners gauge$/m);
    for (const line of text.trim().split("\n"))
      expect(line).toMatch(/^(# (HELP|TYPE) \S+ .+|[a-z_]+(\{.*\})? -?[\d.e+-]+)$/);
  });

  test("is not ready while something is missing", async () => {
    const busy = createApp({ ...options, host: { ...host, notReady: () => "enrolling" } });
    const response = await busy.request(`${base}/v1/ready`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ ready: false, waitingFor: "enrolling" });
  });
});

describe("the guard", () => {
  const token = "a-token-of-twenty-ch";
  const guarded = createApp({ ...options, token, loopback: false });

  test("wants the token everywhere but for health, readiness and version", async () => {
    for (const path of ["/v1/health", "/v1/ready", "/v1/version"]) {
      expect((await guarded.request(base + path)).status, path).toBe(200);
    }
    for (const path of ["/v1/streams", "/v1/events", "/v1/catalog/tracks", "/v1/metrics"]) {
      const response = await guarded.request(base + path);
      expect(response.status, path).toBe(401);
      expect(response.headers.get("www-authenticate")).toContain("Bearer");
    }
  });

  test("takes the right token only", async () => {
    const ask = (value: string) =>
      guarded.request(`${base}/v1/streams`, { headers: { authorization: value } });
    expect((await ask(`Bearer ${token}`)).status).toBe(200);
    for (const wrong of ["Bearer x", token, `Basic ${token}`, `Bearer ${token}x`]) {
      expect((await ask(wrong)).status, wrong).toBe(401);
    }
  });

  test("does not answer on loopback under a foreign name", async () => {
    expect((await app.request("http://rebound.example/v1/streams")).status).toBe(403);
    expect((await app.request("http://127.0.0.1:7373/v1/streams")).status).toBe(200);
    expect((await app.request("http://[::1]:7373/v1/streams")).status).toBe(200);
  });

  test("lets no foreign page change anything", async () => {
    const put = (origin: string) =>
      app.request(`${base}/v1/streams/studio-1/reception`, {
        method: "PUT",
        headers: { origin },
        body: JSON.stringify({ gainDb: 0, noiseDb: null, lowHz: 0, highHz: 24_000 }),
      });
    expect((await put("https://elsewhere.example")).status).toBe(403);
    expect((await put("http://localhost")).status).toBe(200);
  });
});
