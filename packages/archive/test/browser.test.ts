import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Archive } from "@longwave/archive";
import { MemoryStore } from "@longwave/base";
import { createSeekableDecoder } from "@longwave/opus";
import { repositoryPath } from "@longwave/testkit";
import { chromium } from "playwright-core";
import { expect, test } from "vitest";
import { openOggSource } from "../src/ogg-source.ts";
import { tonePackets } from "./tone-packets.ts";

const executablePath = "/usr/bin/chromium";

/** A reader thread, as an application would write it. */
const workerSource = `
import { HttpStore } from "@longwave/base";
import { Archive, serveReads } from "@longwave/archive";
import { createSeekableDecoder } from "@longwave/opus";
serveReads(self, () => Archive.open(new HttpStore(location.origin + "/store"), { decoder: createSeekableDecoder }));`;

/** The page: clips through a pool of two workers, and one through stock zarrita with our codec. */
const pageSource = `
import { codecName, createChunkCodec, ReadPool } from "@longwave/archive";
import { createSeekableDecoder } from "@longwave/opus";
import * as zarr from "zarrita";
const hex = (digest) => [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const sha256 = async (view) => hex(await crypto.subtle.digest("SHA-256", view));
window.readClips = async (requests) => {
  const pool = new ReadPool(() => new Worker("/worker.js", { type: "module" }), 2);
  const digests = [];
  for await (const clip of pool.readMany(requests)) digests.push(await sha256(clip.pcm));
  pool.close();
  return digests;
};
window.readZarr = async (from, to) => {
  zarr.registry.set(codecName, async () => createChunkCodec(createSeekableDecoder));
  const store = new zarr.FetchStore(location.origin + "/store/rec/r/pcm", { useSuffixRequest: true });
  const array = await zarr.open.v3(store, { kind: "array" });
  const { data } = await zarr.get(array, [zarr.slice(from, to), null]);
  return sha256(data);
};`;

/** The files of a bundle by their names; the entry is `name`. */
async function bundle(name: string, source: string): Promise<[string, string][]> {
  const { build } = await import("vite");
  const result = await build({
    root: repositoryPath("packages/archive"),
    configFile: false,
    logLevel: "error",
    plugins: [
      {
        name: "entry",
        resolveId: (id) => (id === "entry" ? "\0entry" : undefined),
        load: (id) => (id === "\0entry" ? source : undefined),
      },
    ],
    build: {
      write: false,
      modulePreload: false,
      minify: false,
      rollupOptions: {
        input: "entry",
        output: { format: "es", entryFileNames: name, chunkFileNames: `[name]-[hash]-${name}` },
      },
    },
  });
  const [output] = (Array.isArray(result) ? result : [result]) as {
    output: { fileName: string; code?: string }[];
  }[];
  return output!.output.map((each) => [each.fileName, each.code ?? ""]);
}

test.skipIf(!existsSync(executablePath))(
  "Chromium reads the same bits: a pool of workers over HTTP ranges, and stock zarrita",
  { timeout: 60_000 },
  async () => {
    const store = new MemoryStore();
    const archive = await Archive.open(store, { decoder: createSeekableDecoder });
    await archive.import(await openOggSource(await tonePackets(900)), { id: "r", chunkFrames: 192_000 });
    await archive.consolidate();
    const scripts = new Map([
      ...(await bundle("worker.js", workerSource)),
      ...(await bundle("page.js", pageSource)),
    ]);
    const server = createServer(async (request, response) => {
      const key = decodeURIComponent(request.url!.slice(1));
      const script = scripts.get(key);
      if (script !== undefined) {
        response.setHeader("content-type", "text/javascript").end(script);
        return;
      }
      if (!key.startsWith("store/")) {
        const html = '<!doctype html><script type="module" src="/page.js"></script>';
        response.setHeader("content-type", "text/html").end(html);
        return;
      }
      const bytes = await store.get(key.slice("store/".length));
      if (bytes === undefined) {
        response.writeHead(404).end();
        return;
      }
      const range = /bytes=(\d*)-(\d*)/.exec(request.headers.range ?? "");
      if (range === null) {
        response.setHeader("content-length", bytes.length).end(request.method === "HEAD" ? undefined : bytes);
        return;
      }
      const suffix = range[1] === "";
      const start = suffix ? bytes.length - Number(range[2]) : Number(range[1]);
      const end = suffix ? bytes.length : Math.min(bytes.length, Number(range[2]) + 1);
      response.writeHead(206, { "content-range": `bytes ${start}-${end - 1}/${bytes.length}` });
      response.end(bytes.subarray(start, end));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const browser = await chromium.launch({
      executablePath,
      args: ["--headless", "--no-sandbox", "--disable-gpu"],
    });
    try {
      const tab = await browser.newPage();
      tab.on("pageerror", (error) => console.error(error));
      await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      await tab.waitForFunction("window.readZarr !== undefined");
      const requests = Array.from({ length: 8 }, (_, i) => ({
        id: "r",
        from: i * 100_000 + 37,
        to: i * 100_000 + 9000,
      }));
      const found = await tab.evaluate(`window.readClips(${JSON.stringify(requests)})`);
      const expected = [];
      for (const { from, to } of requests) expected.push(sha256((await archive.read("r", { from, to })).pcm));
      expect(found).toEqual(expected);
      const int16 = (await archive.read("r", { from: 190_000, to: 195_000, as: "int16" })).pcm;
      expect(await tab.evaluate("window.readZarr(190000, 195000)")).toBe(sha256(int16));
    } finally {
      await browser.close();
      server.close();
    }
  },
);

function sha256(view: Float32Array | Int16Array): string {
  return createHash("sha256")
    .update(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
    .digest("hex");
}
