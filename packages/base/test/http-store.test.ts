import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { HttpStore } from "@longwave/base";
import { afterEach, describe, expect, test } from "vitest";

const content = Uint8Array.from({ length: 1000 }, (_, i) => i & 255);
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function serve(handle: RequestListener): Promise<string> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/data`;
}

const withRanges: RequestListener = (request, response) => {
  if (request.url !== "/data/a/b%20c") return response.writeHead(404).end();
  const range = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "");
  if (range === null) return response.writeHead(200, { "content-length": 1000 }).end(content);
  const start = Number(range[1]);
  const end = Math.min(1000, Number(range[2]) + 1);
  if (start >= 1000) return response.writeHead(416).end();
  return response
    .writeHead(206, { "content-range": `bytes ${start}-${end - 1}/1000` })
    .end(content.slice(start, end));
};

describe("HttpStore", () => {
  test("reads whole objects, ranges, ranges over the end and sizes", async () => {
    const store = new HttpStore(await serve(withRanges));
    expect(await store.get("a/b c")).toEqual(content);
    expect(await store.get("a/b c", { start: 10, end: 20 })).toEqual(content.slice(10, 20));
    expect(await store.get("a/b c", { start: 990, end: 2000 })).toEqual(content.slice(990));
    expect(await store.get("a/b c", { start: 1000, end: 1010 })).toEqual(new Uint8Array(0));
    expect((await store.head("a/b c"))?.size).toBe(1000);
  });

  test("an absent object is undefined, on private buckets too", async () => {
    const store = new HttpStore(await serve(withRanges));
    expect(await store.get("nothing")).toBeUndefined();
    const closed = new HttpStore(await serve((_, response) => response.writeHead(403).end()));
    expect(await closed.head("nothing")).toBeUndefined();
  });

  test("a server that ignores ranges is cut here, up to the limit", async () => {
    const url = await serve((_, response) => response.writeHead(200).end(content));
    expect(await new HttpStore(url).get("x", { start: 3, end: 5 })).toEqual(content.slice(3, 5));
    const strict = new HttpStore(url, { maxWholeBytes: 999 });
    await expect(strict.get("x", { start: 3, end: 5 })).rejects.toMatchObject({ code: "store/no-range" });
  });

  test("where a server hides the length of its answer, a range or the whole object tells it", async () => {
    const hidden: RequestListener = (request, response) =>
      request.method === "HEAD"
        ? response.writeHead(200, { etag: '"e"' }).end()
        : withRanges(request, response);
    const known = { key: "a/b c", size: 1000, etag: '"e"' };
    expect(await new HttpStore(await serve(hidden)).head("a/b c")).toEqual(known);
    const whole = await serve((request, response) =>
      response
        .writeHead(200, { etag: '"e"', "transfer-encoding": "chunked" })
        .end(request.method === "GET" ? content : ""),
    );
    expect(await new HttpStore(whole).head("a/b c")).toEqual(known);
  });

  test("a range that does not match what was asked for is refused", async () => {
    const url = await serve((_, response) =>
      response.writeHead(206, { "content-range": "bytes 0-1/9" }).end("ab"),
    );
    await expect(new HttpStore(url).get("x", { start: 3, end: 5 })).rejects.toMatchObject({
      code: "store/failed",
    });
  });

  test.each([
    ["bytes 3-4/9", "a", "sent 1"],
    ["bytes 3-4/9", "abc", "sent more"],
    ["bytes 3-8/9", "abcdef", "range bytes 3-8"],
    ["bytes 3-x/9", "ab", "range bytes 3-x"],
    ["bytes 3-3/9", "a", "range bytes 3-3"],
  ])("an answer of the range %s with %j is refused", async (told, body, reason) => {
    const url = await serve((_, response) => response.writeHead(206, { "content-range": told }).end(body));
    const error = new HttpStore(url).get("x", { start: 3, end: 5 });
    await expect(error).rejects.toMatchObject({
      code: "store/failed",
      message: expect.stringContaining(reason),
    });
  });

  test.each([204, 206, 416])(
    "%d as the answer to a request for a whole object is refused",
    async (status) => {
      const url = await serve((_, response) =>
        response.writeHead(status, { "content-range": "bytes 0-1/9" }).end(status === 206 ? "ab" : undefined),
      );
      await expect(new HttpStore(url).get("x")).rejects.toMatchObject({ code: "store/failed" });
    },
  );

  test("a whole object over the limit, and an answer that breaks off, are typed errors", async () => {
    const url = await serve((_, response) => response.writeHead(200).end(content));
    const small = new HttpStore(url, { maxObjectBytes: 999 });
    await expect(small.get("x")).rejects.toMatchObject({ code: "store/too-large" });
    expect(await new HttpStore(url, { maxObjectBytes: 1000 }).get("x")).toEqual(content);
    const broken = await serve((_, response) => {
      response.writeHead(200, { "content-length": 1000 }).write(content.subarray(0, 10));
      setImmediate(() => response.destroy());
    });
    await expect(new HttpStore(broken).get("x")).rejects.toMatchObject({ code: "store/failed" });
  });

  test("a server error, an unreachable server and an abort are told apart from absence", async () => {
    const broken = new HttpStore(await serve((_, response) => response.writeHead(500).end()));
    await expect(broken.get("x")).rejects.toMatchObject({ code: "store/failed", kind: "unavailable" });
    await expect(new HttpStore("http://127.0.0.1:1/").get("x")).rejects.toMatchObject({
      code: "store/failed",
    });
    const url = await serve(() => undefined);
    await expect(new HttpStore(url).get("x", undefined, AbortSignal.timeout(20))).rejects.toMatchObject({
      name: "TimeoutError",
    });
  });

  test("writing is refused with what to do", async () => {
    await expect(new HttpStore("http://127.0.0.1:1").put("x")).rejects.toMatchObject({
      code: "store/read-only",
    });
  });
});
