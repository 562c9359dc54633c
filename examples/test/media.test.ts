// Runs the examples of examples/media.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeAudioFile } from "@longwave/media/node";
import { repositoryPath } from "@longwave/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { toMono } from "../media/to-mono.ts";
import { webmToOgg } from "../media/webm-to-ogg.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "longwave-examples-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("a WebM recording becomes an Ogg file of the same length, and that becomes mono WAV", async () => {
  const ogg = join(folder, "copy.opus");
  const wav = join(folder, "mono.wav");
  expect(await webmToOgg(repositoryPath("packages/media/test/fixtures/stereo.webm"), ogg)).toBe(24_000);
  expect(await toMono(ogg, wav)).toBe(0.5);
  expect(await decodeAudioFile(wav)).toMatchObject({ sampleRate: 16_000, channels: 1, frames: 8000 });
});
