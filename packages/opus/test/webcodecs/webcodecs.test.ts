// @longwave/opus/webcodecs by itself. That states, errors and time stamps are those of a browser is shown beside Chromium by
// `npm run conformance -- opus-webcodecs`.
import { describe, expect, test, vi } from "vitest";
import { OpusDecoder, OpusEncoder } from "../../src/index.ts";
import {
  AudioData,
  AudioDecoder,
  type AudioDecoderConfig,
  AudioEncoder,
  type AudioEncoderConfig,
  type AudioSampleFormat,
  EncodedAudioChunk,
} from "../../src/webcodecs/index.ts";

const stereo: AudioEncoderConfig = {
  codec: "opus",
  sampleRate: 48_000,
  numberOfChannels: 2,
  bitrate: 64_000,
};

const samples = (frames: number, channels = 2) =>
  Float32Array.from(
    { length: frames * channels },
    (_, i) => 0.4 * Math.sin(Math.floor(i / channels) / (7 + (i % channels))),
  );

function sound(frames: number, timestamp = 0, channels = 2, sampleRate = 48_000): AudioData {
  const data = samples(frames, channels);
  return new AudioData({
    format: "f32",
    sampleRate,
    numberOfFrames: frames,
    numberOfChannels: channels,
    timestamp,
    data,
  });
}

async function encodeAll(config: AudioEncoderConfig, input: readonly AudioData[]) {
  const chunks: EncodedAudioChunk[] = [];
  let decoderConfig: AudioDecoderConfig | undefined;
  const encoder = new AudioEncoder({
    output: (chunk, metadata) => {
      chunks.push(chunk);
      decoderConfig ??= metadata.decoderConfig;
    },
    error: (error) => {
      throw error;
    },
  });
  encoder.configure(config);
  for (const data of input) encoder.encode(data);
  await encoder.flush();
  encoder.close();
  return { chunks, decoderConfig: decoderConfig! };
}

async function decodeAll(
  config: AudioDecoderConfig,
  chunks: readonly EncodedAudioChunk[],
): Promise<AudioData[]> {
  const output: AudioData[] = [];
  const decoder = new AudioDecoder({
    output: (data) => output.push(data),
    error: (error) => {
      throw error;
    },
  });
  decoder.configure(config);
  for (const chunk of chunks) decoder.decode(chunk);
  await decoder.flush();
  decoder.close();
  return output;
}

function bytesOf(chunk: EncodedAudioChunk): Uint8Array {
  const bytes = new Uint8Array(chunk.byteLength);
  chunk.copyTo(bytes);
  return bytes;
}

function floatsOf(data: AudioData): Float32Array {
  const pcm = new Float32Array(data.numberOfFrames * data.numberOfChannels);
  data.copyTo(pcm, { planeIndex: 0 });
  return pcm;
}

test("packets are those of OpusEncoder with the same settings, however the sound is cut", async () => {
  const opus = {
    application: "voip",
    signal: "voice",
    frameDuration: 40_000,
    complexity: 4,
    useinbandfec: true,
    packetlossperc: 15,
  } as const;
  const whole = samples(9600);
  const pieces = [0, 100, 2020, 5000, 9600].map((at, i, cuts) =>
    whole.subarray(2 * at, 2 * (cuts[i + 1] ?? at)),
  );
  const input = pieces
    .filter((piece) => piece.length > 0)
    .map(
      (data) =>
        new AudioData({
          format: "f32",
          sampleRate: 48_000,
          numberOfFrames: data.length / 2,
          numberOfChannels: 2,
          timestamp: 0,
          data,
        }),
    );
  const { chunks } = await encodeAll({ ...stereo, bitrateMode: "constant", opus }, input);
  using encoder = new OpusEncoder({
    application: "voip",
    signal: "voice",
    complexity: 4,
    inbandFec: 1,
    packetLossPercent: 15,
    bitrateBps: 64_000,
    vbr: false,
  });
  const packet = new Uint8Array(7656);
  for (let at = 0; at < 5; at++) {
    const bytes = encoder.encode(whole.subarray(at * 3840, (at + 1) * 3840), packet);
    expect(bytesOf(chunks[at]!)).toEqual(packet.slice(0, bytes));
  }
  // One more, for the look-ahead.
  expect(chunks.map(({ timestamp, duration }) => [timestamp, duration])).toEqual(
    [0, 1, 2, 3, 4, 5].map((i) => [40_000 * i, 40_000]),
  );
});

test("with the header, what comes out begins where the input began", async () => {
  const { chunks, decoderConfig } = await encodeAll({ ...stereo, opus: { format: "ogg" } }, [sound(4800)]);
  const output = await decodeAll(decoderConfig, chunks);
  expect(output.map(({ timestamp, numberOfFrames }) => [timestamp, numberOfFrames]).slice(0, 3)).toEqual([
    [0, 648],
    [13_500, 960],
    [33_500, 960],
  ]);
  using decoder = new OpusDecoder();
  const pcm = new Float32Array(1920);
  expect(decoder.decode(bytesOf(chunks[0]!), pcm)).toBe(960);
  expect(floatsOf(output[0]!)).toEqual(pcm.subarray(2 * 312));
});

test("output has the time of its chunk, gaps included", async () => {
  const { chunks } = await encodeAll(stereo, [sound(1920)]);
  const moved = chunks.map(
    (chunk, i) => new EncodedAudioChunk({ type: "key", timestamp: i * 1e6, data: bytesOf(chunk) }),
  );
  const output = await decodeAll({ codec: "opus", sampleRate: 48_000, numberOfChannels: 2 }, moved);
  expect(output.map(({ timestamp }) => timestamp)).toEqual([0, 1e6, 2e6]);
});

test("a header with a mapping decodes more than two channels", async () => {
  const { chunks } = await encodeAll({ ...stereo, numberOfChannels: 1 }, [sound(960, 0, 1)]);
  const packet = bytesOf(chunks[0]!);
  // Two mono streams: the first packet tells its length (RFC 6716 appendix B).
  const length = packet.length - 1;
  const size = length < 252 ? [length] : [252 + (length & 3), (length - 252 - (length & 3)) >> 2];
  const joined = Uint8Array.from([packet[0]!, ...size, ...packet.subarray(1), ...packet]);
  const head = [..."OpusHead"].map((letter) => letter.charCodeAt(0));
  const description = Uint8Array.from([...head, 1, 3, 0, 0, 0x80, 0xbb, 0, 0, 0, 0, 255, 2, 0, 0, 255, 1]);
  const chunk = new EncodedAudioChunk({ type: "key", timestamp: 0, data: joined });
  const [data] = await decodeAll({ codec: "opus", sampleRate: 48_000, numberOfChannels: 3, description }, [
    chunk,
  ]);
  expect(data!.numberOfChannels).toBe(3);
  const pcm = floatsOf(data!);
  for (let i = 0; i < 960; i++) {
    expect(pcm[3 * i + 1]).toBe(0);
    expect(pcm[3 * i]).toBe(pcm[3 * i + 2]);
  }
});

describe("bad use", () => {
  test("a frame duration that Opus has not is a TypeError, also where Chromium takes it", async () => {
    const config = { ...stereo, opus: { frameDuration: 15_000 } };
    await expect(AudioEncoder.isConfigSupported(config)).rejects.toThrow(TypeError);
  });

  test("what cannot be encoded is not supported, with the reason", async () => {
    for (const change of [
      { sampleRate: 44_100 },
      { numberOfChannels: 6 },
      { bitrate: 100 },
      { codec: "aac" },
    ]) {
      const errors: DOMException[] = [];
      const encoder = new AudioEncoder({ output: () => undefined, error: (error) => errors.push(error) });
      encoder.configure({ ...stereo, ...change });
      await expect(encoder.flush()).rejects.toMatchObject({ name: "NotSupportedError" });
      expect(encoder.state).toBe("closed");
      expect(errors[0]!.message).toContain(String(Object.values(change)[0]));
    }
  });

  test("a full queue refuses more and keeps what it has", async () => {
    let packets = 0;
    const encoder = new AudioEncoder({ output: () => packets++, error: () => undefined, maxQueueSize: 5 });
    encoder.configure(stereo);
    const data = sound(960);
    for (let i = 0; i < 4; i++) encoder.encode(data);
    const full = expect.objectContaining({ name: "QuotaExceededError" });
    expect(() => encoder.encode(data)).toThrow(full);
    await expect(encoder.flush()).rejects.toEqual(full);
    await new Promise(setImmediate);
    await encoder.flush();
    expect(packets).toBe(5); // four, and one for the look-ahead
    encoder.close();
  });

  test("a chunk that is no Opus closes the decoder, and the error names the cause", async () => {
    const errors: DOMException[] = [];
    const decoder = new AudioDecoder({ output: () => undefined, error: (error) => errors.push(error) });
    decoder.configure({ codec: "opus", sampleRate: 48_000, numberOfChannels: 2 });
    decoder.decode(new EncodedAudioChunk({ type: "key", timestamp: 0, data: Uint8Array.of(255) }));
    await expect(decoder.flush()).rejects.toMatchObject({ name: "EncodingError" });
    expect(errors).toMatchObject([{ cause: { code: "opus/invalid-packet" } }]);
    expect(() => decoder.close()).toThrow(expect.objectContaining({ name: "InvalidStateError" }));
  });
});

test("work waits for the schedule that was given, and dequeue tells of it", async () => {
  const tasks: (() => void)[] = [];
  let packets = 0;
  let told = 0;
  const encoder = new AudioEncoder({
    output: () => packets++,
    error: () => undefined,
    schedule: (task) => tasks.push(task),
  });
  encoder.addEventListener("dequeue", () => told++);
  encoder.configure(stereo);
  encoder.encode(sound(1920));
  await new Promise(setImmediate);
  expect([packets, encoder.encodeQueueSize]).toEqual([0, 1]);
  while (tasks.length > 0) tasks.shift()!();
  expect([packets, encoder.encodeQueueSize, told]).toEqual([2, 0, 1]);
  encoder.close();
});

test("works where the names of an AudioWorklet are missing", async () => {
  for (const name of ["DOMException", "queueMicrotask", "structuredClone"]) vi.stubGlobal(name, undefined);
  try {
    const { chunks } = await encodeAll(stereo, [sound(960)]);
    expect(chunks.length).toBe(2);
    const decoder = new AudioDecoder({ output: () => undefined, error: () => undefined });
    await expect(decoder.flush()).rejects.toMatchObject({ name: "InvalidStateError" });
    const data = samples(10);
    new AudioData({
      format: "f32",
      sampleRate: 48_000,
      numberOfFrames: 10,
      numberOfChannels: 2,
      timestamp: 0,
      data,
      transfer: [data.buffer],
    });
    expect(data.length).toBe(20); // copied
  } finally {
    vi.unstubAllGlobals();
  }
});

test("a new configuration puts out what the old one held, and reset forgets it", async () => {
  const kept: number[] = [];
  const encoder = new AudioEncoder({
    output: ({ duration }) => kept.push(duration!),
    error: () => undefined,
  });
  encoder.configure(stereo);
  encoder.encode(sound(480));
  encoder.configure({ ...stereo, opus: { frameDuration: 10_000 } });
  encoder.encode(sound(480));
  await encoder.flush();
  expect(kept).toEqual([20_000, 10_000, 10_000]);
  encoder.encode(sound(480));
  encoder.reset();
  encoder.configure(stereo);
  await encoder.flush();
  expect(kept.length).toBe(3);
  encoder.close();
});

describe("AudioData", () => {
  const scale = { u8: 128, s16: 32_768, s32: 2_147_483_648, f32: 1 } as const;
  const formats = Object.keys(scale).flatMap((kind) => [kind, `${kind}-planar`]) as AudioSampleFormat[];

  test("converts between all formats, interleaved and planar", () => {
    // Multiples of 1/128 are exact in every format.
    const values = Float32Array.from({ length: 24 }, (_, i) => (((i * 37) % 255) - 127) / 128);
    const source = new AudioData({
      format: "f32",
      sampleRate: 48_000,
      numberOfFrames: 12,
      numberOfChannels: 2,
      timestamp: 0,
      data: values,
    });
    const planes = (data: AudioData, format: AudioSampleFormat): ArrayBuffer => {
      const count = format.endsWith("planar") ? 2 : 1;
      const size = data.allocationSize({ planeIndex: 0, format });
      const all = new Uint8Array(size * count);
      for (let planeIndex = 0; planeIndex < count; planeIndex++) {
        data.copyTo(all.subarray(planeIndex * size), { planeIndex, format });
      }
      return all.buffer;
    };
    for (const from of formats) {
      const middle = new AudioData({
        format: from,
        sampleRate: 48_000,
        numberOfFrames: 12,
        numberOfChannels: 2,
        timestamp: 0,
        data: planes(source, from),
      });
      for (const to of formats) {
        const last = new AudioData({
          format: to,
          sampleRate: 48_000,
          numberOfFrames: 12,
          numberOfChannels: 2,
          timestamp: 0,
          data: planes(middle, to),
        });
        expect(new Float32Array(planes(last, "f32")), `${from} to ${to}`).toEqual(values);
      }
    }
  });

  test("clips, rounds, and takes NaN for silence", () => {
    const data = Float32Array.of(2, -2, Number.NaN, 0.5 / 32_768, -1.5 / 32_768, 1);
    const audio = new AudioData({
      format: "f32",
      sampleRate: 8000,
      numberOfFrames: 6,
      numberOfChannels: 1,
      timestamp: 0,
      data,
    });
    const shorts = new Int16Array(6);
    audio.copyTo(shorts, { planeIndex: 0, format: "s16" });
    expect([...shorts]).toEqual([32_767, -32_768, 0, 1, -1, 32_767]);
  });

  test("a clone keeps the samples when the original is closed; a transferred buffer is taken over", () => {
    const data = samples(10);
    const expected = data.slice();
    const audio = new AudioData({
      format: "f32",
      sampleRate: 48_000,
      numberOfFrames: 10,
      numberOfChannels: 2,
      timestamp: 5,
      data,
      transfer: [data.buffer],
    });
    expect(data.length).toBe(0);
    const twin = audio.clone();
    audio.close();
    expect(floatsOf(twin)).toEqual(expected);
    expect(twin.timestamp).toBe(5);
  });
});
