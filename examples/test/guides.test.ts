// Runs the snippets of the guides that say so, in an empty folder with the files that they speak of.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { DirectoryStore } from "@longwave/base/node";
import { Catalog } from "@longwave/catalog";
import { encodeWav, OggOpusWriter, plainOpusHead } from "@longwave/media";
import { OpusEncoder } from "@longwave/opus";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { listSnippets, snippetsOf } from "../../scripts/snippets.mjs";

const examples = fileURLToPath(new URL("..", import.meta.url));
/** Below the examples, so that imports are found; of this run alone, so that several may share a checkout. */
const sources = mkdtempSync(join(examples, ".guides-"));
const folder = mkdtempSync(join(tmpdir(), "longwave-guides-"));
const before = process.cwd();
const running = listSnippets().filter((snippet) => snippet.runs);

/** What a guide's running snippet has to print, where it is worth more than that it ends. */
const printed: Record<string, unknown[][]> = {
  "docs/guide/monitor-station.md": [[expect.any(Number), "song", expect.closeTo(1, 2)]],
  "docs/guide/deduplicate-library.md": [[["excerpt", "song"]]],
  "docs/guide/search-from-page.md": [["First"]],
};

/** A web server of the folder's files with ranges; a page's addresses without an origin go there. */
const server = createServer((request, response) => {
  let bytes: Buffer;
  try {
    bytes = readFileSync(join(folder, "www", decodeURIComponent(request.url!)));
  } catch {
    return void response.writeHead(404).end();
  }
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  const part = range === null ? bytes : bytes.subarray(Number(range[1]), Number(range[2]) + 1);
  const headers = {
    "content-length": part.length,
    ...(range !== null && { "content-range": `bytes ${range[1]}-${range[2]}/${bytes.length}` }),
  };
  response.writeHead(range === null ? 200 : 206, headers);
  response.end(request.method === "HEAD" ? undefined : part);
});

beforeAll(async () => {
  const tone = Float32Array.from({ length: 2 * 48_000 }, (_, i) => Math.sin(i / 20) / 4);
  const melody = notes(10);
  const form = { sampleRate: 48_000, channels: 1 };
  writeFileSync(join(folder, "song.wav"), encodeWav(melody, form));
  writeFileSync(join(folder, "excerpt.wav"), encodeWav(melody.subarray(3 * 48_000, 8 * 48_000), form));
  const pieces: Uint8Array[] = [];
  const writer = new OggOpusWriter((bytes) => void pieces.push(bytes.slice()), {
    head: plainOpusHead(1, 312),
    serial: 1,
  });
  using encoder = new OpusEncoder({ channels: 1, bitrateBps: 32_000 });
  const packet = new Uint8Array(1500);
  for (let at = 0; at < tone.length; at += 960) {
    writer.write(packet.slice(0, encoder.encode(tone.subarray(at, at + 960), packet)));
  }
  writer.finish();
  writeFileSync(join(folder, "talk.opus"), Buffer.concat(pieces));
  const catalog = await Catalog.open(new DirectoryStore(join(folder, "www", "catalog")));
  await catalog.enroll({ id: "a1", title: "First" }, { samples: melody, ...form });
  await catalog.compact();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { fetch } = globalThis;
  vi.stubGlobal("fetch", (address: string | URL, init?: RequestInit) =>
    fetch(new URL(address, origin), init),
  );
  process.chdir(folder);
});

/** Decaying notes of changing pitch, 48 kHz: a song to be recognised. */
function notes(seconds: number): Float32Array {
  return Float32Array.from({ length: seconds * 48_000 }, (_, i) => {
    const note = Math.floor(i / 9600);
    const since = (i % 9600) / 48_000;
    const frequency = 220 * 2 ** (((note * note * 7 + 3 * note) % 25) / 12);
    let value = 0;
    for (let k = 1; k <= 4; k++) value += Math.sin(2 * Math.PI * frequency * k * since) / k;
    return 0.2 * value * Math.exp(-6 * since);
  });
}

afterAll(() => {
  vi.unstubAllGlobals();
  server.close();
  process.chdir(before);
  rmSync(folder, { recursive: true, force: true });
  rmSync(sources, { recursive: true, force: true });
});

test("there are snippets that run", () => expect(running.length).toBeGreaterThan(6));

describe.each(running)("$document:$line", ({ document, line, given, code }) => {
  test("runs", async () => {
    const file = join(sources, `${basename(document, ".md")}-${line}.ts`);
    writeFileSync(file, `export {};\n${given}\n${code}`);
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    try {
      await import(/* @vite-ignore */ file);
      if (document in printed) expect(log.mock.calls).toEqual(printed[document]);
    } finally {
      log.mockRestore();
    }
  });
});

test("what is given for a snippet stands in a comment in front of it", () => {
  const markdown =
    "text\n<!-- run, given: const a = 1;\nconst b = 2; -->\n```ts\nf(a);\n```\n\n```ts\ng();\n```\n";
  expect(snippetsOf("x.md", markdown)).toEqual([
    { document: "x.md", line: 5, runs: true, given: "const a = 1; const b = 2;", code: "f(a);\n" },
    { document: "x.md", line: 9, runs: false, given: "", code: "g();\n" },
  ]);
});
