import { MemoryStore, VirtualClock } from "@longwave/base";
import { decodeAudioBytes } from "@longwave/media";
import { createSeekableDecoder } from "@longwave/opus";
import { beforeAll, expect, test } from "vitest";
import {
  ArchiveRecorder,
  composeSong,
  exportOpus,
  exportWav,
  exportWavBytes,
  OpusCodec,
  planExport,
  SongRenderer,
  StationArchive,
} from "../src/index.ts";
import { fileDecoders } from "../src/node/file-decoders.ts";

const rate = 48_000;
const zeroNs = 1_767_225_600_000_000_000n;
const atNs = (seconds: number) => zeroNs + BigInt(Math.round(seconds * 1e9));
const packets: Uint8Array[] = [];
let archive: StationArchive;

/** Recordings of 4 s each; 10 s of sound, a pause of 3 s, 3 s of sound. */
beforeAll(async () => {
  const clock = new VirtualClock();
  archive = await StationArchive.open(new MemoryStore(), { clock, place: "a test" });
  const codec = new OpusCodec();
  const song = new SongRenderer(composeSong(7, 0));
  const block = new Float32Array(1920);
  for (const seconds of [10, 3]) {
    const originUs = clock.nowUs();
    const recorder = new ArchiveRecorder({
      archive,
      stream: "studio-1",
      clock,
      codec: "Opus",
      playedAtUs: (frame) => originUs + (frame * 1e6) / rate,
      onEvent: () => {},
      recordingFrames: 4 * rate,
    });
    for (let n = 0; n < seconds * 50; n++) {
      song.read(block);
      codec.encode(block, (packet) => {
        packets.push(packet.slice());
        recorder.write(packet, block, n * 960);
      });
      clock.runUntil(clock.nowUs() + 20_000);
      await recorder.settle();
    }
    await recorder.close();
    clock.runUntil(clock.nowUs() + 3e6);
  }
});

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const piece of pieces) parts.push(piece.slice());
  return new Uint8Array(Buffer.concat(parts));
}

/** The samples of a WAV file; its data chunk is the last. */
function samplesOf(wav: Uint8Array): Int16Array {
  const data = Buffer.from(wav).indexOf("data") + 8;
  return new Int16Array(wav.slice(data).buffer);
}

/** Everything that was sent before the pause, decoded in one go. */
function decodedWhole(): Float32Array {
  const decoder = createSeekableDecoder({ channels: 2, gainQ8: 0 }, "opus-1");
  const pcm = new Float32Array(500 * 1920);
  for (const [i, packet] of packets.slice(0, 500).entries()) decoder.decode(packet, pcm.subarray(i * 1920));
  decoder.close();
  return pcm.subarray(312 * 2);
}

test("a piece over the ends of recordings is the sound without a seam", async () => {
  const plan = await planExport(archive, "studio-1", atNs(2.5), atNs(9));
  expect(plan.pieces.length).toBeGreaterThanOrEqual(3);
  let end = 0;
  for (const { at, start, end: stop } of plan.pieces) {
    expect(at).toBe(end);
    end = at + stop - start;
  }
  expect(end).toBe(6.5 * rate);
  const wav = await collect(exportWav(archive, plan));
  expect(wav.length).toBe(exportWavBytes(plan.frames));
  const samples = samplesOf(wav);
  const whole = decodedWhole().subarray(2 * 2.5 * rate);
  let worst = 0;
  for (let i = 0; i < samples.length; i++) worst = Math.max(worst, Math.abs(samples[i]! / 32768 - whole[i]!));
  expect(worst).toBeLessThan(2e-3);
});

test("what was not recorded is silence of the right length, and Opus leaves it out", async () => {
  const plan = await planExport(archive, "studio-1", atNs(8), atNs(14));
  const wav = await collect(exportWav(archive, plan));
  const samples = samplesOf(wav);
  const loudest = (from: number, to: number) => {
    let most = 0;
    for (let i = Math.round(2 * from * rate); i < 2 * to * rate; i++)
      most = Math.max(most, Math.abs(samples[i]!));
    return most;
  };
  expect(loudest(0.1, 1.9)).toBeGreaterThan(500);
  expect(loudest(2.01, 4.99)).toBe(0);
  expect(loudest(5.1, 5.9)).toBeGreaterThan(500);
  const recorded = plan.pieces.reduce((sum, { start, end }) => sum + end - start, 0);
  const opus = await decodeAudioBytes(await collect(exportOpus(archive, plan)), {
    sampleRate: rate,
    channels: 2,
    decoders: fileDecoders,
  });
  expect(opus.pcm.length / 2).toBe(recorded);
});

test("nothing there, and more than 6 h, are refused", async () => {
  await expect(planExport(archive, "studio-1", atNs(100), atNs(101))).rejects.toMatchObject({
    code: "station/nothing-recorded",
  });
  await expect(planExport(archive, "studio-1", atNs(0), atNs(6 * 3600 + 1))).rejects.toMatchObject({
    code: "station/range-too-long",
  });
});
