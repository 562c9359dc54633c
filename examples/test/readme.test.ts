// Runs the five snippets of the README, in their order, in an empty folder with the files that they speak of.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SeededRandom } from "@longwave/base";
import { encodeWav, OggOpusWriter, plainOpusHead } from "@longwave/media";
import { createEncoder } from "libopus-wasm";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

const examples = fileURLToPath(new URL("..", import.meta.url));
const readme = readFileSync(join(examples, "../README.md"), "utf8");
const snippets = [...readme.matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1]!);
const folder = mkdtempSync(join(tmpdir(), "longwave-readme-"));
const before = process.cwd();

beforeAll(async () => {
  const random = new SeededRandom(3);
  const notes = Array.from({ length: 80 }, () => 200 * 2 ** (random.below(30) / 12));
  const song = Float32Array.from({ length: 20 * 8000 }, (_, i) => {
    const note = notes[Math.floor(i / 2000)]!;
    return (
      0.3 * Math.sin((2 * Math.PI * note * i) / 8000) + 0.1 * Math.sin((2 * Math.PI * note * 2.5 * i) / 8000)
    );
  });
  writeFileSync(join(folder, "song.wav"), encodeWav(song, { sampleRate: 8000, channels: 1 }));
  const excerpt = song.slice(6 * 8000, 14 * 8000).map((value) => value + 0.05 * (random.next() - 0.5));
  writeFileSync(join(folder, "excerpt.wav"), encodeWav(excerpt, { sampleRate: 8000, channels: 1 }));

  const encoder = await createEncoder({ channels: 2, bitrate: 64_000 });
  const pieces: Uint8Array[] = [];
  const writer = new OggOpusWriter((bytes) => void pieces.push(bytes.slice()), {
    head: plainOpusHead(2, 312),
    serial: 1,
  });
  for (let packet = 0; packet < 100; packet++) {
    writer.write(
      encoder.encodeFloat(
        Float32Array.from({ length: 1920 }, (_, i) => Math.sin((packet * 960 + (i >> 1)) / 20) / 4),
      ),
    );
  }
  writer.finish();
  encoder.free();
  writeFileSync(join(folder, "talk.opus"), Buffer.concat(pieces));
  process.chdir(folder);
});

afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true, force: true });
  rmSync(join(examples, ".readme"), { recursive: true, force: true });
});

/** What a snippet prints, a line each. */
async function printed(number: number): Promise<string[]> {
  mkdirSync(join(examples, ".readme"), { recursive: true });
  const file = join(examples, ".readme", `snippet-${number}.ts`);
  writeFileSync(file, snippets[number]!);
  const lines: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((...values) => void lines.push(values.join(" ")));
  try {
    await import(/* @vite-ignore */ file);
  } finally {
    log.mockRestore();
  }
  return lines;
}

describe("the README", () => {
  test("has five snippets", () => expect(snippets).toHaveLength(5));

  test("finds the song and the place in it", async () => {
    const [line = ""] = await printed(0);
    const [id, offsetMs] = line.split(" ");
    expect(id).toBe("song");
    expect(Math.abs(Number(offsetMs) - 6000)).toBeLessThan(50);
  });

  test("decodes Opus and conceals a loss", async () => {
    const [frames] = (await printed(1))[0]!.split(" ");
    expect(Number(frames)).toBe(101 * 960);
  });

  test("reads a part of the archive exactly", async () => expect(await printed(2)).toEqual(["48000 true"]));

  test("carries a packet over two links", async () => expect(await printed(3)).toEqual(["sound"]));

  test("speaks", async () => expect(await printed(4)).toEqual(["true"]));
});
