import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeWav, OggOpusWriter, plainOpusHead } from "@longwave/media";
import { OpusEncoder } from "@longwave/opus";
import { repositoryPath } from "@longwave/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";

// Inside the repository, so that programs of the guides find the packages.
const cache = repositoryPath("node_modules/.cache");
let folder = "";

beforeAll(() => {
  mkdirSync(cache, { recursive: true });
  folder = mkdtempSync(join(cache, "guide-"));
  const program = `#!/bin/sh\nexec "${process.execPath}" "${repositoryPath("apps/cli/dist/main.js")}" "$@"\n`;
  writeFileSync(join(folder, "longwave"), program);
  chmodSync(join(folder, "longwave"), 0o755);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Code blocks of a guide, in order. Those that begin with `// name.mjs` are files. */
function blocks(guide: string): { language: string; code: string }[] {
  const text = readFileSync(repositoryPath(`docs/guide/${guide}`), "utf8");
  return [...text.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, language, code]) => ({
    language: language!,
    code: code!,
  }));
}

/** Runs the guide's commands in one shell, in a folder with these files. */
function follow(
  guide: string,
  files: Readonly<Record<string, Uint8Array>>,
  environment: object = {},
): string {
  const place = mkdtempSync(join(folder, "work-"));
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(place, name), bytes);
  let script = "set -euo pipefail\n";
  for (const { language, code } of blocks(guide)) {
    if (language === "sh") script += `${code}\n`;
    if (language === "js") writeFileSync(join(place, /^\/\/ (\S+)/.exec(code)![1]!), code);
  }
  const run = spawnSync("/bin/bash", ["-c", script], {
    cwd: place,
    env: { ...process.env, ...environment, NODE_OPTIONS: "", PATH: `${folder}:${process.env["PATH"]}` },
  });
  expect(run.stderr.toString()).toBe("");
  expect(run.status).toBe(0);
  return run.stdout.toString();
}

function tone(frames: number, period: number): Float32Array {
  return Float32Array.from({ length: frames }, (_, i) =>
    Math.fround(0.3 * Math.sin((2 * Math.PI * i) / period)),
  );
}

function wav(sampleRate: number, seconds: number, timestamp: string): Uint8Array {
  const text = `GUANO|Version: 1.0\nTimestamp: ${timestamp}\nLoc Position: 52.1 13.4\n`;
  const trailingChunks = [{ id: "guan", bytes: new TextEncoder().encode(text) }];
  return encodeWav(tone(sampleRate * seconds, sampleRate / 700), { sampleRate, channels: 1, trailingChunks });
}

function opus(seconds: number, period: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  const writer = new OggOpusWriter((bytes) => pieces.push(bytes.slice()), {
    head: plainOpusHead(1, 312),
    serial: period,
  });
  const encoder = new OpusEncoder({ channels: 1, bitrateBps: 32_000, complexity: 0 });
  const packet = new Uint8Array(1276);
  const pcm = tone(960 * 50 * seconds, period);
  for (let at = 0; at < pcm.length; at += 960) {
    const bytes = encoder.encode(pcm.subarray(at, at + 960), packet);
    writer.write(packet.subarray(0, bytes));
  }
  encoder.close();
  writer.finish(pcm.length - 312);
  return Buffer.concat(pieces);
}

const hasBash = existsSync("/bin/bash");

test.skipIf(!hasBash)("the guide for field recordings runs as written", { timeout: 300_000 }, () => {
  const out = follow("archive-bioacoustics.md", {
    "night.wav": wav(48_000, 5, "2026-05-01T21:30:00+02:00"),
    "bats.wav": wav(384_000, 0.25, "2026-05-01T22:00:00+02:00"),
  });
  expect(out).toContain("expand 8/1");
  expect(out).toContain("40 clips");
  expect(out).toContain("clips/clip-4.wav");
});

test.skipIf(!hasBash)("the guide for a broadcast logger runs as written", { timeout: 300_000 }, () => {
  const ago = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().replace(/\.\d+/, "");
  const files = {
    "old.opus": opus(2, 90),
    "first.opus": opus(40, 91),
    "second.opus": opus(2, 92),
    "more.opus": opus(3, 93),
  };
  const out = follow("archive-logger.md", files, { FIFTY_DAYS_AGO: ago(50), YESTERDAY: ago(1) });
  expect(out).toContain("2 segments");
  expect(out).toContain("removed ");
});
