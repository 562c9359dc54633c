import { createHash } from "node:crypto";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeWav } from "@longwave/media";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { writeRandomSpeechModel } from "../../../testkit/src/index.ts";
import { concatenate } from "../src/audio/concatenate.ts";
import { downloadModel } from "../src/node/download-model.ts";
import { openTts } from "../src/node/open-tts.ts";
import { verifyModel } from "../src/node/verify-model.ts";
import { addVoice, exportVoice } from "../src/node/voice-files.ts";
import { formatVoiceManifest, isNonCommercial, parseVoiceManifest } from "../src/voice/voice-manifest.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "longwave-tts-"));
  return () => rmSync(folder, { recursive: true });
});

describe("verifying a model", () => {
  test("passes every module and voice of a whole one", () => {
    writeRandomSpeechModel(folder);
    const checks = verifyModel(folder);
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(checks.map(({ name }) => name)).toContain("voice random");
    expect(checks.length).toBe(11);
  });

  test("names what is damaged", () => {
    writeRandomSpeechModel(folder);
    truncateSync(join(folder, "model.safetensors"), 100_000);
    writeFileSync(join(folder, "voices/random.safetensors"), "no voice at all");
    const failed = verifyModel(folder).filter(({ ok }) => !ok);
    expect(failed.map(({ name }) => name)).toEqual(["tensors", "voice random"]);
    expect(failed[0]!.detail).toMatch(/tts\/model-malformed/);
  });

  test("says in words that a folder, or its list of voices, is not there", async () => {
    expect(verifyModel(join(folder, "none"))).toEqual([
      { name: "configuration", ok: false, detail: expect.stringMatching(/^\S+config\.yaml does not exist$/) },
    ]);
    writeRandomSpeechModel(folder);
    rmSync(join(folder, "voices"), { recursive: true });
    const failed = verifyModel(folder).filter(({ ok }) => !ok);
    expect(failed.map(({ name, detail }) => `${name}: ${detail}`)).toEqual([
      expect.stringMatching(/^voice manifest: \S+manifest\.json does not exist$/),
    ]);
    const tts = await openTts({ model: folder, threads: 1 });
    await expect(concatenate(tts.speak("Hello"))).rejects.toMatchObject({
      code: "tts/voice-missing",
      message: expect.stringMatching(/has no voices/),
    });
    await tts.close();
  });
});

test("a recording becomes a voice that is added and spoken with", async () => {
  writeRandomSpeechModel(folder);
  const tone = Float32Array.from({ length: 32_000 }, (_, i) => 0.3 * Math.sin(i * 0.08));
  const out = join(folder, "mine.safetensors");
  // 2 s at 16 kHz: 25 frames of 80 ms and the row before the voice.
  expect(await exportVoice(folder, encodeWav(tone, { sampleRate: 16_000, channels: 1 }), out)).toBe(26);
  const info = { id: "mine", license: "CC-BY-NC-4.0" };
  addVoice(folder, info, out);
  expect(() => addVoice(folder, info, out)).toThrow(/appears twice/);
  expect(() => addVoice(folder, { ...info, id: "../up" }, out)).toThrow(/is no id/);
  const warnings: string[] = [];
  const tts = await openTts({
    model: folder,
    threads: 1,
    hooks: { log: (level, message) => void (level === "warn" && warnings.push(message)) },
  });
  const sampling = { framesAfterEos: 2, eosThreshold: -1e9 };
  expect((await concatenate(tts.speak("Hello", { voice: "mine", sampling }))).length).toBe(3840);
  expect(warnings.join()).toMatch(/not for commercial use/);
  await tts.close();
});

describe("a voice manifest", () => {
  const good = { id: "a", path: "a.safetensors", license: "CC0-1.0" };
  test("is read as it was written", () => {
    const voices = [{ ...good, language: "en" }];
    expect(parseVoiceManifest(formatVoiceManifest(voices))).toEqual(voices);
  });
  test.each([
    ["no JSON", "{"],
    ["another version", JSON.stringify({ version: 2, voices: [] })],
    ["no licence", JSON.stringify({ version: 1, voices: [{ id: "a", path: "a" }] })],
    ["a path upwards", JSON.stringify({ version: 1, voices: [{ ...good, path: "../a" }] })],
    ["an absolute path", JSON.stringify({ version: 1, voices: [{ ...good, path: "/etc/passwd" }] })],
    ["null", JSON.stringify({ version: 1, voices: [null] })],
  ])("with %s is refused", (_, text) => {
    expect(() => parseVoiceManifest(text)).toThrow(expect.objectContaining({ code: "tts/config-invalid" }));
  });
  test("licences that forbid commercial use are known", () => {
    expect(["CC-BY-NC-4.0", "cc-by-4.0", "NonCommercial"].map(isNonCommercial)).toEqual([true, false, true]);
  });
});

describe("downloading a model from a hub", () => {
  let server: Server;
  let endpoint = "";
  const files = new Map<string, Buffer>();
  let gate = false;
  let cutAfter: number | undefined;
  let lie = false;
  const requests: { path: string; range: string | undefined; token: string | undefined }[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      const path = request.url!;
      const { range, authorization } = request.headers;
      requests.push({ path, range, token: authorization });
      if (gate && path.startsWith("/kyutai/pocket-tts/")) return response.writeHead(401).end();
      const file = files.get(path.split("/").at(-1)!);
      if (file === undefined) return response.writeHead(404).end();
      const start = range === undefined ? 0 : Number(/bytes=(\d+)-/.exec(range)![1]);
      const sum = createHash("sha256").update(file).digest("hex");
      response.writeHead(start > 0 ? 206 : 200, {
        "content-length": file.length - start,
        // A connection that one test breaks is not taken up again by the next one.
        connection: "close",
        etag: `"${lie ? sum.replace(/./g, "0") : sum}"`,
      });
      if (cutAfter !== undefined && file.length > cutAfter) {
        response.write(file.subarray(start, cutAfter), () => setTimeout(() => response.destroy(), 20));
      } else response.end(file.subarray(start));
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());
  beforeEach(() => {
    gate = false;
    cutAfter = undefined;
    lie = false;
    requests.length = 0;
    files.clear();
    files.set("model.safetensors", Buffer.alloc(300_000, "weights"));
    files.set("tokenizer.model", Buffer.from("tokenizer"));
    files.set("alba.safetensors", Buffer.from("voice"));
  });
  // Comparing bytes one by one would take seconds.
  const isAsServed = (name: string) =>
    readFileSync(join(folder, "english", name)).equals(files.get(name) as Buffer);
  const get = (token?: string) => downloadModel({ outDirectory: folder, endpoint, token });

  test("fetches all files, then skips them by their sums", async () => {
    const first = await get("secret");
    expect(first).toMatchObject({
      hasCloning: true,
      skipped: [],
      fetched: ["model.safetensors", "tokenizer.model", "voices/alba.safetensors"],
    });
    expect(requests[0]).toMatchObject({
      token: "Bearer secret",
      path: expect.stringMatching(/\/kyutai\/pocket-tts\/resolve\/[0-9a-f]{40}\/languages\/english\/model/),
    });
    expect(isAsServed("model.safetensors")).toBe(true);
    const manifest = parseVoiceManifest(readFileSync(join(folder, "english/voices/manifest.json"), "utf8"));
    expect(manifest.map(({ id }) => id)).toEqual(["alba"]);
    requests.length = 0;
    expect((await get()).skipped.length).toBe(3);
    expect(requests).toEqual([]);
  });

  test("lists every voice with its own licence, and says beside it which may not be sold", async () => {
    for (const name of ["cosette", "rafael", "marius"]) files.set(`${name}.safetensors`, Buffer.from(name));
    const voices = ["marius", "cosette", "rafael"];
    const result = await downloadModel({ outDirectory: folder, endpoint, voices });
    expect(result.voices.map(({ license }) => license)).toEqual(["CC0-1.0", "CC-BY-NC-4.0", "unstated"]);
    await get();
    const text = readFileSync(join(folder, "english/voices/manifest.json"), "utf8");
    const manifest = parseVoiceManifest(text).filter(({ id }) => ["alba", ...voices].includes(id));
    expect(manifest.map(({ id, license }) => [id, license]).sort()).toEqual([
      ["alba", "CC-BY-4.0"],
      ["cosette", "CC-BY-NC-4.0"],
      ["marius", "CC0-1.0"],
      ["rafael", "unstated"],
    ]);
    const readme = readFileSync(join(folder, "english/voices/README.md"), "utf8");
    expect(readme).toMatch(/cosette \| CC-BY-NC-4\.0 \| \*\*no\*\*/);
    expect(readme).toMatch(/rafael \| unstated \| ask/);
  });

  test("refuses a voice that is not published, before anything is fetched", async () => {
    const asked = downloadModel({ outDirectory: folder, endpoint, voices: ["albo"] });
    await expect(asked).rejects.toMatchObject({ code: "tts/voice-unknown", message: /Did you mean alba/ });
    expect(requests).toEqual([]);
  });

  test("takes the weights of another repository, the rest from the publisher", async () => {
    await downloadModel({ outDirectory: folder, endpoint, repository: "someone/mirror" });
    expect(requests.map(({ path }) => path.split("/resolve/")[0])).toEqual([
      "/someone/mirror",
      "/kyutai/pocket-tts-without-voice-cloning",
      "/kyutai/pocket-tts-without-voice-cloning",
    ]);
    expect(requests[0]!.path).toMatch(/\/resolve\/main\/languages\/english\/model\.safetensors$/);
    const crooked = downloadModel({ outDirectory: folder, endpoint, repository: "../up" });
    await expect(crooked).rejects.toMatchObject({ code: "tts/option-invalid" });
  });

  test("takes the weights without cloning where the others are gated", async () => {
    gate = true;
    expect(await get()).toMatchObject({ hasCloning: false });
  });

  test("goes on where a transfer broke off", async () => {
    cutAfter = 100_000;
    const partial = () => {
      const name = readdirSync(join(folder, "english")).find((each) => each.endsWith(".part"));
      return name === undefined ? 0 : statSync(join(folder, "english", name)).size;
    };
    // How much arrives before the connection breaks is up to the system: break it until something did.
    for (let attempt = 0; attempt < 50; attempt++) {
      await expect(get()).rejects.toMatchObject({ code: "tts/download-failed" });
      if (partial() > 0) break;
    }
    expect(partial()).toBeGreaterThan(0);
    expect(existsSync(join(folder, "english/model.safetensors"))).toBe(false);
    cutAfter = undefined;
    requests.length = 0;
    await get();
    expect(requests[0]!.range).toMatch(/^bytes=[1-9]\d*-$/);
    expect(isAsServed("model.safetensors")).toBe(true);
  });

  test("never uses a file with the wrong sum, said or locked", async () => {
    lie = true;
    await expect(get()).rejects.toMatchObject({ code: "tts/checksum-mismatch" });
    expect(readdirSync(join(folder, "english"))).not.toContain("model.safetensors");
    lie = false;
    await get();
    writeFileSync(join(folder, "english/model.safetensors"), "tampered");
    files.set("model.safetensors", Buffer.from("something else"));
    await expect(get()).rejects.toMatchObject({ code: "tts/checksum-mismatch" });
  });

  test("says what is not there, and that French needs 24 layers", async () => {
    files.delete("tokenizer.model");
    await expect(get()).rejects.toThrow(/answered 404/);
    await expect(downloadModel({ model: "french", outDirectory: folder, endpoint })).rejects.toThrow(
      /"french"; French exists only with 24 layers: french_24l\./,
    );
  });
});
