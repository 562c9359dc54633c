import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { ModelStore } from "../src/browser/model-store.ts";

/** The origin's private file system in memory: what of it the store uses, exclusive handles included. */
class FakeFile {
  bytes = new Uint8Array(0);
  isOpen = false;

  async createSyncAccessHandle() {
    if (this.isOpen) throw new DOMException("locked", "NoModificationAllowedError");
    this.isOpen = true;
    return {
      read: (target: Uint8Array, { at }: { at: number }) => {
        const piece = this.bytes.subarray(at, at + target.length);
        target.set(piece);
        return piece.length;
      },
      write: (piece: Uint8Array, { at }: { at: number }) => {
        const wider = new Uint8Array(Math.max(this.bytes.length, at + piece.length));
        wider.set(this.bytes);
        wider.set(piece, at);
        this.bytes = wider;
        return piece.length;
      },
      truncate: (size: number) => {
        const cut = new Uint8Array(size);
        cut.set(this.bytes.subarray(0, size));
        this.bytes = cut;
      },
      getSize: () => this.bytes.length,
      flush: () => {},
      close: () => {
        this.isOpen = false;
      },
    };
  }

  async getFile() {
    return new Blob([this.bytes]);
  }
}

const files = new Map<string, FakeFile>();
const folder = {
  async getDirectoryHandle() {
    return folder;
  },
  async getFileHandle(name: string, options?: { create: boolean }) {
    if (!files.has(name) && options?.create !== true) throw new DOMException("none", "NotFoundError");
    if (!files.has(name)) files.set(name, new FakeFile());
    return files.get(name)!;
  },
  async *keys() {
    yield* [...files.keys()];
  },
  async removeEntry(name: string) {
    files.delete(name);
  },
};

describe("the browser's model store", () => {
  const weights = Buffer.from(Uint8Array.from({ length: 200_000 }, (_, i) => i % 251));
  let server: Server;
  let url = "";
  let cutAfter: number | undefined;
  let etag = '"one"';
  const ranges: (string | undefined)[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      ranges.push(request.headers.range);
      if (request.url !== "/weights") return response.writeHead(404).end();
      const isRest = request.headers.range !== undefined && request.headers["if-range"] === etag;
      const start = isRest ? Number(/\d+/.exec(request.headers.range!)![0]) : 0;
      response.writeHead(isRest ? 206 : 200, { etag, "content-length": weights.length - start });
      if (cutAfter === undefined) return response.end(weights.subarray(start));
      response.write(weights.subarray(start, cutAfter), () => response.destroy());
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/weights`;
  });
  afterAll(() => server.close());
  beforeEach(() => {
    files.clear();
    ranges.length = 0;
    cutAfter = undefined;
    etag = '"one"';
    vi.stubGlobal("navigator", { storage: { getDirectory: async () => folder } });
  });
  afterEach(() => vi.unstubAllGlobals());

  /** Breaks transfers off until something of one has arrived: how much does is the system's business. */
  async function breakOff(store: ModelStore): Promise<void> {
    cutAfter = 100_000;
    for (let attempt = 0; attempt < 50; attempt++) {
      await expect(store.get(url)).rejects.toMatchObject({ code: "tts/download-failed" });
      if ([...files.values()].some(({ bytes }) => bytes.length > 1000)) break;
    }
    cutAfter = undefined;
    ranges.length = 0;
  }

  test("fetches a file once and reads any part of it", async () => {
    const store = await ModelStore.open("models");
    expect(store.isKept).toBe(true);
    expect(weights.equals(await store.bytes(url))).toBe(true);
    const again = await (await ModelStore.open("models")).get(url);
    const part = new Uint8Array(1000);
    again.readInto(part, 5000);
    expect(weights.subarray(5000, 6000).equals(part)).toBe(true);
    expect(() => again.readInto(part, weights.length - 999)).toThrow(RangeError);
    again.close();
    expect(ranges).toEqual([undefined]);
    await store.clear();
    expect(files.size).toBe(0);
  });

  test("goes on where a transfer broke off", async () => {
    const store = await ModelStore.open("models");
    await breakOff(store);
    expect(weights.equals(await store.bytes(url))).toBe(true);
    expect(ranges[0]).toMatch(/^bytes=[1-9]\d*-$/);
  });

  test("starts anew where the server has another version by then", async () => {
    const store = await ModelStore.open("models");
    await breakOff(store);
    for (const file of files.values()) if (file.bytes.length > 1000) file.bytes.fill(7);
    etag = '"two"';
    expect(weights.equals(await store.bytes(url))).toBe(true);
  });

  test("reads into memory where another tab holds the file, and where nothing can be stored", async () => {
    const store = await ModelStore.open("models");
    await store.bytes(url);
    for (const file of files.values()) file.isOpen = true;
    expect(weights.equals(await store.bytes(url))).toBe(true);
    const none = await ModelStore.open(undefined);
    expect(none.isKept).toBe(false);
    expect(weights.equals(await none.bytes(url))).toBe(true);
  });

  test("refuses what is too large or not there, and keeps no such file", async () => {
    const store = await ModelStore.open("models");
    const failed = { code: "tts/download-failed" };
    await expect(store.get(url, { maxBytes: 1000 })).rejects.toMatchObject(failed);
    await expect(store.get(`${url}/nothing`)).rejects.toMatchObject({ ...failed, message: /404/ });
    expect(weights.equals(await store.bytes(url))).toBe(true);
  });
});
