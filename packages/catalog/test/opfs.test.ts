import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { repositoryPath } from "@longwave/testkit";
import { chromium } from "playwright-core";
import { expect, test } from "vitest";
import { expectedOfDamage } from "./opfs-damage.ts";

const executablePath = "/usr/bin/chromium";

/** The page: the cases of every object store on the browser's own file system, and a catalog in it. */
const pageSource = `
import { OpfsStore } from "@longwave/base";
import { Catalog } from "@longwave/catalog";
import { melody } from "${repositoryPath("packages/catalog/test/signals.ts")}";
import { opfsDamage } from "${repositoryPath("packages/catalog/test/opfs-damage.ts")}";
import { listCase, readableObjects, readCases, writeCases } from "${repositoryPath("testkit/src/object-store-cases.ts")}";
let folders = 0;
const newStore = () => OpfsStore.open({ folder: "cases/" + folders++ });
window.runCases = async () => {
  // One case writes from a Buffer.
  window.Buffer = { from: (text) => new TextEncoder().encode(text) };
  const failed = [];
  const run = async (each, store) => {
    try { await each.run(store); } catch (error) { failed.push(each.name + ": " + error.message); }
  };
  for (const each of [...readCases, listCase]) {
    const store = await newStore();
    for (const [key, bytes] of readableObjects) await store.put(key, bytes);
    await run(each, store);
  }
  for (const each of writeCases) await run(each, await newStore());
  delete window.Buffer;
  return { failed, ran: folders };
};
window.race = async () => {
  const store = await OpfsStore.open({ folder: "race" });
  const puts = Array.from({ length: 20 }, (_, i) => store.put("k" + i, Uint8Array.of(1), { ifAbsent: true }));
  return (await Promise.allSettled(puts)).map(({ status }) => status === "fulfilled");
};
const open = async () => Catalog.open(await OpfsStore.open({ folder: "catalog" }));
window.enroll = async (seed) => {
  const catalog = await open();
  const { status } = await catalog.enroll({ id: "song " + seed }, { samples: melody(seed, 6), sampleRate: 8000 });
  return status;
};
window.compact = async () => (await open()).compact();
window.identify = async (seed) => {
  const samples = melody(seed, 6).subarray(12_000, 36_000);
  const { match } = await (await open()).identify({ samples, sampleRate: 8000 });
  return [match?.track.id, match?.offsetMs];
};
window.damage = async () => opfsDamage({ root: await navigator.storage.getDirectory(), options: {} });
window.ready = true;`;

/** What the cases use of node:assert. */
const assertSource = `
const same = (a, b) => JSON.stringify(plain(a)) === JSON.stringify(plain(b));
const plain = (v) => ArrayBuffer.isView(v) ? ["bytes", ...v] : v;
const fail = (a, b, m) => { throw new Error((m ?? "") + ": " + JSON.stringify(plain(a)) + " is not " + JSON.stringify(plain(b))); };
export default {
  equal: (a, b, m) => { if (a !== b) fail(a, b, m); },
  notEqual: (a, b, m) => { if (a === b) fail(a, b, m); },
  deepEqual: (a, b, m) => { if (!same(a, b)) fail(a, b, m); },
  rejects: async (work, { code }, m) => {
    try { await (typeof work === "function" ? work() : work); } catch (error) { if (error.code === code) return; fail(error.code + " " + error.message, code, m); }
    fail("no error", code, m);
  },
};`;

async function bundle(): Promise<string> {
  const { build } = await import("vite");
  const modules: Record<string, string> = { entry: pageSource, "node:assert/strict": assertSource };
  const result = await build({
    root: repositoryPath("packages/catalog"),
    configFile: false,
    logLevel: "error",
    resolve: { conditions: ["longwave-source", "module", "browser", "import", "default"] },
    plugins: [
      {
        name: "modules",
        enforce: "pre",
        resolveId: (id) => (id in modules ? `\0${id}` : undefined),
        load: (id) => modules[id.slice(1)],
      },
    ],
    build: { write: false, modulePreload: false, minify: false, rollupOptions: { input: "entry" } },
  });
  const [output] = (Array.isArray(result) ? result : [result]) as { output: { code?: string }[] }[];
  return output!.output[0]!.code!;
}

test.skipIf(!existsSync(executablePath))(
  "Chromium's own file system: every case of a store, two tabs at once, a catalog that outlives its page, and damage",
  { timeout: 120_000 },
  async () => {
    const script = await bundle();
    const server = createServer((request, response) => {
      const isScript = request.url === "/page.js";
      response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
      response.end(isScript ? script : '<!doctype html><script type="module" src="/page.js"></script>');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const browser = await chromium.launch({
      executablePath,
      args: ["--headless", "--no-sandbox", "--disable-gpu"],
    });
    try {
      const context = await browser.newContext();
      const openTab = async () => {
        const tab = await context.newPage();
        await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
        await tab.waitForFunction("window.ready === true");
        return tab;
      };
      const [first, second] = [await openTab(), await openTab()];
      expect(await first.evaluate("window.runCases()")).toEqual({ failed: [], ran: 11 });
      const [one, two] = (await Promise.all(
        [first, second].map((tab) => tab.evaluate("window.race()")),
      )) as boolean[][];
      for (let i = 0; i < 20; i++) expect([one![i], two![i]].filter(Boolean).length, `key ${i}`).toBe(1);
      const statuses = await Promise.all([
        first.evaluate("window.enroll(1)"),
        second.evaluate("window.enroll(2)"),
      ]);
      expect(statuses).toEqual(["added", "added"]);
      await first.close();
      const third = await openTab();
      expect(await third.evaluate("window.enroll(1)")).toBe("unchanged");
      await third.evaluate("window.compact()");
      await second.close();
      const [id, offsetMs] = (await third.evaluate("window.identify(2)")) as [string, number];
      expect(id).toBe("song 2");
      expect(Math.abs(offsetMs - 1500)).toBeLessThanOrEqual(20);
      expect(await third.evaluate("window.damage()")).toEqual(expectedOfDamage);
    } finally {
      await browser.close();
      server.close();
    }
  },
);
