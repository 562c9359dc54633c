import { connect } from "node:net";
import { MemoryStore } from "@longwave/base";
import { Catalog } from "@longwave/catalog";
import { encodeWav } from "@longwave/media";
import { StationError } from "@longwave/station";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningServer, startServer } from "../src/index.ts";

let server: RunningServer;
/** What is taken for a fault of the server. */
const faults: unknown[] = [];

beforeAll(async () => {
  const catalog = await Catalog.open(new MemoryStore());
  const away = () =>
    Promise.reject(new StationError("station/jobs-unavailable", "unavailable", "The queue is away."));
  server = await startServer({
    host: {
      version: "0",
      stations: new Map(),
      catalog,
      jobs: { list: away, counts: away },
      notReady: () => undefined,
    },
    address: "127.0.0.1",
    port: 0,
    token: undefined,
    corsOrigins: ["https://radio.example"],
    consoleDirectory: undefined,
    onError: (error) => void faults.push(error),
  });
});
afterAll(() => server?.close(0));

/** Sends bytes as they are and gives what came back until the server closed. */
function raw(text: string | Uint8Array, options: { readonly leave?: boolean } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, "127.0.0.1");
    let answer = "";
    socket.setEncoding("latin1").on("data", (piece: string) => {
      answer += piece;
    });
    socket.once("close", () => resolve(answer));
    socket.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "ECONNRESET" && error.code !== "EPIPE") reject(error);
    });
    socket.write(text, () => {
      if (options.leave === true) socket.destroy();
    });
  });
}

/** What everybody else still gets. */
async function expectAlive(): Promise<void> {
  expect((await fetch(`${server.url}v1/health`)).status).toBe(200);
}

describe("a server that is treated badly goes on", () => {
  test("bytes that are no HTTP, headers without end, an address of 20 kB", async () => {
    expect(await raw("\x16\x03\x01\x02\x00 hello\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 /);
    const flood = `GET / HTTP/1.1\r\nHost: localhost\r\n${"X-Name: value\r\n".repeat(4000)}\r\n`;
    expect(await raw(flood)).toMatch(/^HTTP\/1\.1 431 /);
    expect(await raw(`GET /${"a".repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 4\d\d /,
    );
    expect(await raw("GET /v1/health HTTP/1.1\r\nConnection: close\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 /);
    await expectAlive();
  });

  test("a client that leaves in the middle of its upload", async () => {
    const head = "POST /v1/identify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n";
    for (let i = 0; i < 8; i++) await raw(`${head}RIFF${"x".repeat(1000)}`, { leave: true });
    const silence = encodeWav(new Float32Array(8000), { sampleRate: 8000, channels: 1, encoding: "s16" });
    // The places of those that left are free again.
    await expect
      .poll(
        async () => {
          const body = silence as Uint8Array<ArrayBuffer>;
          return (await fetch(`${server.url}v1/identify`, { method: "POST", body })).status;
        },
        { timeout: 60_000 },
      )
      .toBe(200);
    // That is not our fault, and is counted as what it is; some of them came while both places were taken.
    const count = async () =>
      /^longwave_http_requests_total\{route="POST \/v1\/identify",status="499"\} (\d+)$/m.exec(
        await (await fetch(`${server.url}v1/metrics`)).text(),
      )?.[1];
    await expect.poll(count, { timeout: 60_000 }).toMatch(/^[1-8]$/);
    expect(await (await fetch(`${server.url}v1/metrics`)).text()).not.toMatch(/status="500"/);
    expect(faults).toEqual([]);
  });

  test("a Host that is no name is refused with a problem report", async () => {
    const answer = await raw("GET /v1/health HTTP/1.1\r\nHost: local host\r\nConnection: close\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toMatch(/content-type: application\/problem\+json/i);
    expect(answer).toMatch(/"code":"server\/bad-request"/);
    expect(faults).toEqual([]);
  });

  test("an upload that is larger than it says, or does not say", async () => {
    const piece = "x".repeat(1 << 20);
    const chunk = `100000\r\n${piece}\r\n`;
    const head = "POST /v1/identify HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    const answer = await raw(`${head}${chunk.repeat(33)}0\r\n\r\n`, { leave: false });
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toMatch(/server\/body-too-large/);
    await expectAlive();
  });

  test("a service behind one route that is away", async () => {
    const response = await fetch(`${server.url}v1/jobs`);
    expect([response.status, response.headers.get("content-type")]).toEqual([
      503,
      "application/problem+json",
    ]);
    expect(await response.json()).toMatchObject({
      code: "station/jobs-unavailable",
      detail: "The queue is away.",
    });
    expect((await fetch(`${server.url}v1/catalog/tracks`)).status).toBe(200);
  });

  test("paths that try to leave the tree, methods that are not there", async () => {
    for (const path of [
      "/../../etc/passwd",
      "/%2e%2e/%2e%2e/etc/passwd",
      "/v1/archive/..%2f..%2fetc",
      "/v1/%00",
    ]) {
      const answer = await raw(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      expect(answer, path).toMatch(/^HTTP\/1\.1 4\d\d /);
      expect(answer, path).not.toMatch(/root:/);
    }
    for (const [method, path, allow] of [
      ["DELETE", "v1/health", "GET, HEAD, OPTIONS"],
      ["GET", "v1/identify", "OPTIONS, POST"],
      ["PATCH", "v1/catalog/tracks", "GET, HEAD, OPTIONS, POST"],
      ["POST", "v1/catalog/tracks/x", "DELETE, OPTIONS"],
      ["PUT", "openapi.json", "GET, HEAD, OPTIONS"],
    ] as const) {
      const answer = await fetch(server.url + path, { method });
      expect([answer.status, answer.headers.get("allow")], path).toEqual([405, allow]);
      expect(await answer.json()).toMatchObject({ code: "server/method-not-allowed", status: 405 });
    }
    const asked = await fetch(`${server.url}v1/catalog/tracks`, { method: "OPTIONS" });
    expect([asked.status, asked.headers.get("allow")]).toEqual([204, "GET, HEAD, OPTIONS, POST"]);
    expect((await fetch(`${server.url}v1/nothing`, { method: "OPTIONS" })).status).toBe(404);
    expect((await fetch(`${server.url}v1/nothing`, { method: "DELETE" })).status).toBe(404);
    expect((await fetch(`${server.url}v1/health`, { method: "HEAD" })).status).toBe(200);
  });
});

describe("pages of other origins", () => {
  const ask = (origin: string, method = "GET") =>
    fetch(`${server.url}v1/catalog/tracks`, {
      method,
      headers: { origin, "access-control-request-method": "PUT" },
    });

  test("may call where they are on the list, and nobody else", async () => {
    const known = await ask("https://radio.example");
    expect(known.headers.get("access-control-allow-origin")).toBe("https://radio.example");
    expect(known.headers.get("vary")).toBe("origin");
    expect(known.headers.get("access-control-expose-headers")).toMatch(/content-range/);
    const asked = await ask("https://radio.example", "OPTIONS");
    expect([asked.status, asked.headers.get("access-control-allow-methods")]).toEqual([
      204,
      expect.stringMatching(/PUT/),
    ]);
    const unknown = await ask("https://elsewhere.example");
    expect(unknown.headers.get("access-control-allow-origin")).toBeNull();
    const refused = await ask("https://elsewhere.example", "OPTIONS");
    expect([refused.status, await refused.json()]).toEqual([
      403,
      expect.objectContaining({ code: "server/forbidden" }),
    ]);
  });
});
