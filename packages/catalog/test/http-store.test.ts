import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { MemoryStore } from "@longwave/base";
import { extract } from "@longwave/fingerprint";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Catalog, HttpStore } from "../src/index.ts";
import { melody } from "./signals.ts";

const sampleRate = 8000;
const store = new MemoryStore();
let server: Server;
let base: string;
let withRanges = true;
let bytesSent = 0;

/** A web server of static files with ranges, over the objects of `store`. */
beforeAll(async () => {
  const catalog = await Catalog.open(store);
  for (let i = 0; i < 40; i++) {
    await catalog.enroll({ id: `t${i}` }, extract("mark-v1", melody(600 + i, 30), { sampleRate }));
  }
  await catalog.compact();
  server = createServer(async (request, response) => {
    const key = decodeURIComponent(request.url!.slice("/catalog/".length));
    if (key.startsWith("broken")) return void response.writeHead(500).end();
    if (key.startsWith("halved")) {
      response.writeHead(200, { "content-length": 1000 });
      return void response.write(new Uint8Array(500), () => response.destroy());
    }
    const bytes = await store.get(key);
    if (bytes === undefined) return void response.writeHead(404).end();
    const found = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "");
    const [from, to] =
      found !== null && withRanges ? [Number(found[1]), Number(found[2]) + 1] : [0, bytes.length];
    const part = bytes.subarray(from, to);
    const isPart = found !== null && withRanges;
    response.writeHead(isPart ? 206 : 200, {
      "content-length": part.length,
      etag: `"${bytes.length}"`,
      ...(isPart && { "content-range": `bytes ${from}-${from + part.length - 1}/${bytes.length}` }),
    });
    if (request.method === "HEAD") return void response.end();
    bytesSent += part.length;
    response.end(part);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/catalog`;
});

afterAll(() => new Promise((resolve) => server.close(resolve)));

describe("HttpStore", () => {
  test("searches a catalog on a plain web server", async () => {
    const catalog = await Catalog.open(new HttpStore(base), { readOnly: true });
    expect(catalog.size).toBe(40);
    const { match } = await catalog.identify({ samples: melody(617, 30).slice(80_000, 120_000), sampleRate });
    expect(match?.track.id).toBe("t17");
    await expect(catalog.enroll({ id: "x" }, { samples: melody(1, 5), sampleRate })).rejects.toMatchObject({
      code: "catalog/read-only",
    });
  });

  test("reads less than the segment to open it and to look up a few hashes", async () => {
    bytesSent = 0;
    const reader = await Catalog.open(new HttpStore(base), { readOnly: true });
    const whole = reader.storage.segmentBytes;
    expect(whole).toBeGreaterThan(60_000);
    expect(bytesSent).toBeLessThan(whole / 2);
  });

  test("takes whole objects from a server without ranges up to a limit", async () => {
    withRanges = false;
    try {
      expect((await Catalog.open(new HttpStore(base), { readOnly: true })).size).toBe(40);
      const small = new HttpStore(base, { maxWholeBytes: 1000 });
      await expect(Catalog.open(small, { readOnly: true })).rejects.toMatchObject({
        code: "store/no-range",
      });
    } finally {
      withRanges = true;
    }
  });

  test("answers typed errors for a missing catalog, a failing and an absent server", async () => {
    const open = (address: string) => Catalog.open(new HttpStore(address), { readOnly: true });
    await expect(open(`${base}/nowhere`)).rejects.toMatchObject({ code: "catalog/missing" });
    await expect(open(`${base}/broken`)).rejects.toMatchObject({ code: "store/failed" });
    await expect(open("http://127.0.0.1:1/")).rejects.toMatchObject({ code: "store/failed" });
  });

  test("answers a typed error for an answer that breaks off", async () => {
    const halved = new HttpStore(`${base}/halved`);
    await expect(halved.get("x")).rejects.toMatchObject({ code: "store/failed", kind: "unavailable" });
    await expect(halved.get("x", { start: 0, end: 1000 })).rejects.toMatchObject({ code: "store/failed" });
    const stopped = new AbortController();
    const asked = halved.get("x", undefined, stopped.signal);
    stopped.abort(new Error("enough"));
    await expect(asked).rejects.toThrow("enough");
  });
});
