import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MediaError, openOpusFile, plainOpusHead, WebmOpusWriter } from "@longwave/media";
import { OpusEncoder } from "@longwave/opus";
import { expect, test } from "vitest";

const hasFfmpeg = spawnSync("ffmpeg", ["-version"]).status === 0;

function written(packets: readonly Uint8Array[], trimEnd = 0, gapBefore = -1): Uint8Array {
  const pieces: Uint8Array[] = [];
  const writer = new WebmOpusWriter((bytes) => pieces.push(bytes), plainOpusHead(2, 312));
  for (const [i, packet] of packets.entries()) {
    if (i === gapBefore) writer.gap(4800);
    writer.write(packet, i === packets.length - 1 ? trimEnd : 0);
  }
  writer.finish();
  return new Uint8Array(Buffer.concat(pieces));
}

/** CELT packets of 20 and 2.5 ms whose bytes tell them apart. */
const packets = Array.from({ length: 900 }, (_, n) =>
  Uint8Array.from({ length: 3 + (n % 300) }, (_, i) =>
    i === 0 ? (n % 7 === 3 ? 0xe4 : 0xfc) : (n * 31 + i) & 255,
  ),
);

test("gives back every packet, the pre-skip and the trimmed end", async () => {
  const reader = await openOpusFile(written(packets, 77));
  const found: Uint8Array[] = [];
  let heard = 0;
  for await (const { data, frames, skipStart, trimEnd } of reader.packets()) {
    found.push(data);
    heard += frames - skipStart - trimEnd;
  }
  expect(reader.links[0]!.head).toMatchObject({ channels: 2, preSkip: 312 });
  expect(found).toEqual(packets);
  const total = packets.reduce((sum, each) => sum + (each[0] === 0xe4 ? 120 : 960), 0);
  expect(heard).toBe(total - 312 - 77);
  expect(reader.report).toMatchObject({ truncated: false, damagedBytes: 0, gaps: 0 });
});

test("tells its length in milliseconds where that is known in front", () => {
  const pieces: Uint8Array[] = [];
  new WebmOpusWriter((bytes) => pieces.push(bytes), plainOpusHead(1, 312), 72_024);
  const file = Buffer.concat(pieces);
  // Duration: identifier, size of 8 in four bytes, a double.
  const at = file.indexOf(Buffer.of(0x44, 0x89, 0x10, 0, 0, 8));
  expect(file.readDoubleBE(at + 6)).toBe(1500.5);
  expect(Buffer.from(written(packets)).indexOf(Buffer.of(0x44, 0x89, 0x10, 0, 0, 8))).toBe(-1);
});

test("what was lost shows as a gap of its length", async () => {
  const reader = await openOpusFile(
    written(
      packets.filter((each) => each[0] === 0xfc),
      0,
      400,
    ),
  );
  let gap = 0;
  for await (const packet of reader.packets()) gap += packet.gapBefore;
  expect(gap).toBe(4800);
});

test("refuses what is no packet, a trim beyond it, and more after the end", () => {
  const writer = new WebmOpusWriter(() => undefined, plainOpusHead(1, 0));
  expect(() => writer.write(new Uint8Array(0))).toThrow(MediaError);
  expect(() => writer.write(Uint8Array.of(0xf8, 1, 2), 961)).toThrow("961");
  writer.finish();
  expect(() => writer.write(Uint8Array.of(0xf8, 1, 2))).toThrow("finished");
});

test.skipIf(!hasFfmpeg)("ffmpeg finds the same length in it", () => {
  using encoder = new OpusEncoder({ channels: 2, bitrateBps: 64_000 });
  const pcm = new Float32Array(1920);
  const real = Array.from({ length: 120 }, (_, n) => {
    for (let i = 0; i < pcm.length; i++) pcm[i] = (((n * 1920 + i) * 37) % 401) / 500 - 0.4;
    const bytes = new Uint8Array(1500);
    return bytes.slice(0, encoder.encode(pcm, bytes));
  });
  const folder = mkdtempSync(join(tmpdir(), "longwave-webm-"));
  try {
    writeFileSync(join(folder, "a.webm"), written(real, 500));
    const arguments_ = [
      "-v",
      "error",
      "-i",
      join(folder, "a.webm"),
      "-f",
      "s16le",
      "-c:a",
      "pcm_s16le",
      "pipe:1",
    ];
    const { stdout, stderr } = spawnSync("ffmpeg", arguments_, { maxBuffer: 1 << 26 });
    expect(stderr.toString()).toBe("");
    expect(stdout.length / 4).toBe(120 * 960 - 312 - 500);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
