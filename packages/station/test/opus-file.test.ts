import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OggOpusWriter, plainOpusHead } from "@longwave/media";
import { decodeAudioFile } from "@longwave/media/node";
import { OpusEncoder } from "@longwave/opus";
import { fileDecoders } from "@longwave/station/node";
import { expect, test } from "vitest";

test("an Opus file is decoded by our own codec, without any other program", async () => {
  const folder = mkdtempSync(join(tmpdir(), "longwave-station-"));
  const file = join(folder, "tone.opus");
  using encoder = new OpusEncoder({ channels: 2, bitrateBps: 64_000, application: "lowdelay" });
  const pieces: Uint8Array[] = [];
  const sink = (bytes: Uint8Array) => void pieces.push(bytes.slice());
  const writer = new OggOpusWriter(sink, { head: plainOpusHead(2, encoder.lookahead), serial: 1 });
  const packet = new Uint8Array(1276);
  for (let block = 0; block < 100; block++) {
    const pcm = Float32Array.from({ length: 1920 }, (_, i) => 0.3 * Math.sin((block * 960 + (i >> 1)) / 30));
    writer.write(packet.slice(0, encoder.encode(pcm, packet)));
  }
  writer.finish();
  writeFileSync(file, Buffer.concat(pieces));
  const { pcm, channels } = await decodeAudioFile(file, { decoders: fileDecoders, ffmpeg: false });
  expect(pcm.length / channels).toBe(96_000 - encoder.lookahead);
  let power = 0;
  for (const value of pcm) power += value * value;
  expect(Math.sqrt(power / pcm.length)).toBeCloseTo(0.3 / Math.SQRT2, 2);
  rmSync(folder, { recursive: true });
});
