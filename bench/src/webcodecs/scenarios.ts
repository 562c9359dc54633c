// What a program can do with WebCodecs audio, told as plain values: names of errors, states, durations, time stamps. The same
// functions run in Chromium with its own classes and here with ours.

/** The classes under test; the types are the browser's, which ours have the shape of. */
export interface WebCodecs {
  readonly AudioEncoder: typeof AudioEncoder;
  readonly AudioDecoder: typeof AudioDecoder;
  readonly AudioData: typeof AudioData;
  readonly EncodedAudioChunk: typeof EncodedAudioChunk;
}

type Scenario = (codecs: WebCodecs) => Promise<unknown>;

const stereo = { codec: "opus", sampleRate: 48_000, numberOfChannels: 2, bitrate: 64_000 };
const mono = { ...stereo, numberOfChannels: 1 };

/** Name of what a call throws, or what it gives. */
async function attempt(action: () => unknown): Promise<unknown> {
  try {
    const value = await action();
    return value === undefined ? "fine" : value;
  } catch (error) {
    return `throws ${(error as Error).name}`;
  }
}

function tone(
  { AudioData }: WebCodecs,
  frames: number,
  timestamp: number,
  { channels = 2, sampleRate = 48_000, format = "f32" as AudioSampleFormat } = {},
): AudioData {
  const samples = Float32Array.from(
    { length: frames * channels },
    (_, i) => 0.3 * Math.sin(Math.floor(i / channels) / (9 + (i % channels))),
  );
  const data = format.startsWith("s16") ? Int16Array.from(samples, (value) => value * 32_767) : samples;
  return new AudioData({
    format,
    sampleRate,
    numberOfChannels: channels,
    numberOfFrames: frames,
    timestamp,
    data,
  });
}

/** Stereo, pre-skip 312. */
const opusHead = Uint8Array.from([
  ...[..."OpusHead"].map((letter) => letter.charCodeAt(0)),
  ...[1, 2, 56, 1, 0x80, 0xbb, 0, 0, 0, 0, 0],
]);

interface Told {
  readonly chunks: EncodedAudioChunk[];
  readonly events: unknown[];
}

function newEncoder(codecs: WebCodecs): { encoder: AudioEncoder; told: Told } {
  const told: Told = { chunks: [], events: [] };
  const encoder = new codecs.AudioEncoder({
    output: (chunk, metadata) => {
      told.chunks.push(chunk);
      const config = metadata?.decoderConfig;
      told.events.push([
        chunk.type,
        chunk.timestamp,
        chunk.duration,
        config && [
          config.codec,
          config.sampleRate,
          config.numberOfChannels,
          config.description && (config.description as ArrayBuffer).byteLength,
        ],
      ]);
    },
    error: (error) => told.events.push(`error ${error.name}`),
  });
  return { encoder, told };
}

function newDecoder(codecs: WebCodecs): { decoder: AudioDecoder; events: unknown[] } {
  const events: unknown[] = [];
  const decoder = new codecs.AudioDecoder({
    output: (data) => {
      const { numberOfFrames, numberOfChannels, sampleRate, timestamp, duration } = data;
      events.push([numberOfFrames, numberOfChannels, sampleRate, timestamp, duration]);
      data.close();
    },
    error: (error) => events.push(`error ${error.name}`),
  });
  return { decoder, events };
}

/** Lets callbacks run that no promise waits for. */
const rest = () => new Promise((resolve) => setTimeout(resolve, 150));

async function encoded(codecs: WebCodecs, config: AudioEncoderConfig, frames = 4800): Promise<Told> {
  const { encoder, told } = newEncoder(codecs);
  encoder.configure(config);
  encoder.encode(tone(codecs, frames, 0, { channels: config.numberOfChannels }));
  await encoder.flush();
  encoder.close();
  return told;
}

const opusConfigs: Record<string, unknown>[] = [
  {},
  { format: "mp4" },
  { signal: "music", application: "lowdelay" },
  { signal: "loud" },
  { frameDuration: 2500 },
  { frameDuration: 60_000 },
  { frameDuration: 120_000 },
  { complexity: 0 },
  { complexity: 11 },
  { packetlossperc: 100, useinbandfec: true, usedtx: true },
  { packetlossperc: 101 },
];

const audioConfigs: Record<string, unknown>[] = [
  stereo,
  mono,
  { codec: "opus", sampleRate: 48_000, numberOfChannels: 2 },
  { ...stereo, bitrate: 6000 },
  { ...stereo, bitrate: 5999 },
  { ...stereo, bitrate: 510_000 },
  { ...stereo, bitrate: 510_001 },
  { ...stereo, bitrateMode: "constant" },
  { ...stereo, bitrateMode: "variable" },
  { ...stereo, bitrateMode: "quantizer" },
  { ...stereo, sampleRate: 16_000 },
  { ...stereo, sampleRate: 8000 },
  { ...stereo, codec: "vorbis-nonsense" },
  { ...stereo, codec: "Opus" },
  { ...stereo, codec: "" },
  { ...stereo, sampleRate: 0 },
  { ...stereo, numberOfChannels: 0 },
  { sampleRate: 48_000, numberOfChannels: 2 },
  { codec: "opus", numberOfChannels: 2 },
  { codec: "opus", sampleRate: 48_000 },
];

export const scenarios: Record<string, Scenario> = {
  "constructors ask for both callbacks": async ({ AudioEncoder, AudioDecoder }) => {
    const none = undefined as unknown as AudioEncoderInit & AudioDecoderInit;
    const half = { output: () => undefined } as unknown as AudioEncoderInit & AudioDecoderInit;
    return [
      await attempt(() => new AudioEncoder(none)),
      await attempt(() => new AudioEncoder(half)),
      await attempt(() => new AudioDecoder(none)),
      await attempt(() => new AudioDecoder(half)),
    ];
  },

  "configurations that are supported": async ({ AudioEncoder }) => {
    const answers = [];
    for (const config of audioConfigs) {
      answers.push(
        await attempt(async () => {
          const { supported, config: kept } = await AudioEncoder.isConfigSupported(
            config as unknown as AudioEncoderConfig,
          );
          return [supported, kept?.codec, kept?.sampleRate, kept?.numberOfChannels, kept?.bitrate];
        }),
      );
    }
    return answers;
  },

  "Opus options that are supported": async ({ AudioEncoder }) => {
    const answers = [];
    for (const opus of opusConfigs) {
      const config = { ...stereo, opus } as AudioEncoderConfig;
      answers.push(await attempt(async () => (await AudioEncoder.isConfigSupported(config)).supported));
    }
    return answers;
  },

  "decoder configurations that are supported": async ({ AudioDecoder }) => {
    const answers = [];
    for (const config of audioConfigs) {
      answers.push(
        await attempt(async () => {
          const { supported } = await AudioDecoder.isConfigSupported(config as unknown as AudioDecoderConfig);
          return supported;
        }),
      );
    }
    return answers;
  },

  "configure refuses what is not valid at once, what is not supported later": async (codecs) => {
    const answers = [];
    for (const config of [
      { ...stereo, codec: "" },
      { ...stereo, sampleRate: 0 },
      { ...stereo, opus: { complexity: 11 } },
      { ...stereo, codec: "vorbis-nonsense" },
      { ...stereo, bitrate: 1 },
    ]) {
      const { encoder, told } = newEncoder(codecs);
      const answer = await attempt(() => encoder.configure(config as AudioEncoderConfig));
      await rest();
      answers.push([answer, encoder.state, told.events]);
    }
    return answers;
  },

  "encoder states": async (codecs) => {
    const { encoder } = newEncoder(codecs);
    const answers: unknown[] = [encoder.state, encoder.encodeQueueSize];
    const data = tone(codecs, 960, 0);
    answers.push(await attempt(() => encoder.encode(data)), await attempt(() => encoder.flush()));
    answers.push(await attempt(() => encoder.reset()), encoder.state);
    encoder.configure(stereo);
    answers.push(encoder.state);
    encoder.encode(data);
    answers.push(await attempt(() => encoder.flush()), encoder.encodeQueueSize);
    encoder.reset();
    answers.push(encoder.state, await attempt(() => encoder.flush()));
    encoder.close();
    answers.push(encoder.state, await attempt(() => encoder.close()), await attempt(() => encoder.reset()));
    answers.push(await attempt(() => encoder.configure(stereo)), await attempt(() => encoder.encode(data)));
    return answers;
  },

  "a closed AudioData is refused": async (codecs) => {
    const { encoder } = newEncoder(codecs);
    encoder.configure(stereo);
    const data = tone(codecs, 960, 0);
    data.close();
    return [await attempt(() => encoder.encode(data)), encoder.state];
  },

  "reset ends what waits": async (codecs) => {
    const { encoder } = newEncoder(codecs);
    encoder.configure(stereo);
    encoder.encode(tone(codecs, 48_000, 0));
    const flushed = attempt(() => encoder.flush());
    encoder.reset();
    const first = await flushed;
    encoder.configure(stereo);
    encoder.encode(tone(codecs, 48_000, 0));
    const second = attempt(() => encoder.flush());
    encoder.close();
    return [first, await second, encoder.state];
  },

  "twenty milliseconds of whatever comes": async (codecs) => {
    const { encoder, told } = newEncoder(codecs);
    encoder.configure(stereo);
    let frames = 0;
    for (const length of [480, 100, 4800, 960, 1000, 3220]) {
      encoder.encode(tone(codecs, length, Math.round((frames * 1e6) / 48_000)));
      frames += length;
    }
    await encoder.flush();
    return told.events;
  },

  "a time stamp that does not start at 0": async (codecs) => {
    const { encoder, told } = newEncoder(codecs);
    encoder.configure(mono);
    encoder.encode(tone(codecs, 1920, 5_000_003, { channels: 1 }));
    await encoder.flush();
    return told.events;
  },

  "a tail that fills no packet": async (codecs) => (await encoded(codecs, stereo, 1000)).events,

  "every frame duration": async (codecs) => {
    const answers = [];
    for (const frameDuration of [2500, 5000, 10_000, 40_000, 60_000, 120_000]) {
      const config = { ...stereo, opus: { frameDuration } } as AudioEncoderConfig;
      answers.push((await encoded(codecs, config, 11_520)).events);
    }
    return answers;
  },

  "16 kHz, 16 bit, voice": async (codecs) => {
    const { encoder, told } = newEncoder(codecs);
    const config = { ...mono, sampleRate: 16_000, opus: { application: "voip", signal: "voice" } };
    encoder.configure(config as AudioEncoderConfig);
    encoder.encode(tone(codecs, 640, 0, { channels: 1, sampleRate: 16_000, format: "s16" }));
    await encoder.flush();
    return told.events;
  },

  "time stamps that jump": async (codecs) => {
    const { encoder, told } = newEncoder(codecs);
    encoder.configure(stereo);
    encoder.encode(tone(codecs, 1440, 0));
    encoder.encode(tone(codecs, 1440, 1_000_000));
    encoder.encode(tone(codecs, 960, 500_000));
    await encoder.flush();
    return told.events;
  },

  "more sound after a flush": async (codecs) => {
    const { encoder, told } = newEncoder(codecs);
    encoder.configure(stereo);
    encoder.encode(tone(codecs, 960, 0));
    await encoder.flush();
    await encoder.flush();
    encoder.encode(tone(codecs, 960, 700_000));
    await encoder.flush();
    encoder.configure(mono);
    encoder.encode(tone(codecs, 960, 0, { channels: 1 }));
    await encoder.flush();
    return told.events;
  },

  "sound that does not fit the configuration": async (codecs) => {
    const answers = [];
    for (const other of [{ channels: 1 }, { sampleRate: 24_000 }]) {
      const { encoder, told } = newEncoder(codecs);
      encoder.configure(stereo);
      encoder.encode(tone(codecs, 960, 0, other));
      answers.push(await attempt(() => encoder.flush()));
      await rest();
      answers.push(encoder.state, told.events);
    }
    return answers;
  },

  "decoding what was encoded": async (codecs) => {
    const answers = [];
    for (const config of [stereo, mono]) {
      const { chunks } = await encoded(codecs, config, 9600);
      const { decoder, events } = newDecoder(codecs);
      decoder.configure({ codec: "opus", sampleRate: 48_000, numberOfChannels: config.numberOfChannels });
      for (const chunk of chunks) decoder.decode(chunk);
      await decoder.flush();
      answers.push(decoder.state, events);
    }
    return answers;
  },

  "decoding with the Ogg header": async (codecs) => {
    const { chunks } = await encoded(codecs, stereo, 9600);
    const { decoder, events } = newDecoder(codecs);
    decoder.configure({ codec: "opus", sampleRate: 48_000, numberOfChannels: 2, description: opusHead });
    for (const chunk of chunks) decoder.decode(chunk);
    await decoder.flush();
    return events;
  },

  "chunks whose time stamps jump": async (codecs) => {
    const answers = [];
    for (const description of [undefined, opusHead]) {
      const { chunks } = await encoded(codecs, stereo, 4800);
      const { decoder, events } = newDecoder(codecs);
      const config = { codec: "opus", sampleRate: 48_000, numberOfChannels: 2 };
      decoder.configure(description === undefined ? config : { ...config, description });
      for (const [index, chunk] of chunks.entries()) {
        const data = new Uint8Array(chunk.byteLength);
        chunk.copyTo(data);
        const timestamp = 1_000_000 * index;
        decoder.decode(new codecs.EncodedAudioChunk({ type: "key", timestamp, data }));
      }
      await decoder.flush();
      answers.push(events);
    }
    return answers;
  },

  "decoding to another rate or number of channels than the stream's": async (codecs) => {
    const answers = [];
    for (const other of [{ sampleRate: 16_000 }, { numberOfChannels: 1 }]) {
      const { chunks } = await encoded(codecs, stereo, 4800);
      const { decoder, events } = newDecoder(codecs);
      decoder.configure({ codec: "opus", sampleRate: 48_000, numberOfChannels: 2, ...other });
      for (const chunk of chunks) decoder.decode(chunk);
      await attempt(() => decoder.flush());
      answers.push(events);
    }
    return answers;
  },

  "a header that cannot be": async (codecs) => {
    const { decoder, events } = newDecoder(codecs);
    const config = { codec: "opus", sampleRate: 48_000, numberOfChannels: 2, description: new Uint8Array(5) };
    const answer = await attempt(() => decoder.configure(config));
    await rest();
    return [answer, decoder.state, events];
  },

  "decoder states": async (codecs) => {
    const { chunks } = await encoded(codecs, stereo);
    const { decoder } = newDecoder(codecs);
    const config = { codec: "opus", sampleRate: 48_000, numberOfChannels: 2 };
    const answers: unknown[] = [decoder.state, decoder.decodeQueueSize];
    answers.push(await attempt(() => decoder.decode(chunks[0]!)), await attempt(() => decoder.flush()));
    decoder.configure(config);
    answers.push(decoder.state);
    decoder.decode(chunks[0]!);
    answers.push(await attempt(() => decoder.flush()), decoder.decodeQueueSize);
    decoder.reset();
    answers.push(decoder.state, await attempt(() => decoder.flush()));
    decoder.close();
    answers.push(decoder.state, await attempt(() => decoder.close()), await attempt(() => decoder.reset()));
    answers.push(
      await attempt(() => decoder.configure(config)),
      await attempt(() => decoder.decode(chunks[0]!)),
    );
    return answers;
  },

  "a stream starts with a key chunk": async (codecs) => {
    const { chunks } = await encoded(codecs, stereo);
    const { decoder, events } = newDecoder(codecs);
    decoder.configure({ codec: "opus", sampleRate: 48_000, numberOfChannels: 2 });
    const bytes = new Uint8Array(chunks[0]!.byteLength);
    chunks[0]!.copyTo(bytes);
    const delta = new codecs.EncodedAudioChunk({ type: "delta", timestamp: 0, data: bytes });
    const answers: unknown[] = [await attempt(() => decoder.decode(delta))];
    decoder.decode(chunks[0]!);
    answers.push(await attempt(() => decoder.decode(delta)));
    await decoder.flush();
    answers.push(await attempt(() => decoder.decode(delta)), decoder.state);
    return [answers, events.length];
  },

  "a chunk that is no Opus": async (codecs) => {
    const { decoder, events } = newDecoder(codecs);
    decoder.configure({ codec: "opus", sampleRate: 48_000, numberOfChannels: 2 });
    // Code 3 without its count byte.
    decoder.decode(new codecs.EncodedAudioChunk({ type: "key", timestamp: 0, data: Uint8Array.of(255) }));
    const answer = await attempt(() => decoder.flush());
    await rest();
    return [answer, decoder.state, events];
  },

  EncodedAudioChunk: async ({ EncodedAudioChunk }) => {
    const data = Uint8Array.of(1, 2, 3, 4);
    const chunk = new EncodedAudioChunk({ type: "key", timestamp: -7, duration: 20_000, data });
    data[0] = 9;
    const copy = new Uint8Array(6);
    chunk.copyTo(copy);
    const make = (init: Record<string, unknown>) =>
      attempt(() => typeof new EncodedAudioChunk(init as unknown as EncodedAudioChunkInit));
    return [
      [chunk.type, chunk.timestamp, chunk.duration, chunk.byteLength, [...copy]],
      new EncodedAudioChunk({ type: "delta", timestamp: 1, data }).duration,
      await attempt(() => chunk.copyTo(new Uint8Array(3))),
      await make({ type: "keyframe", timestamp: 0, data }),
      await make({ type: "key", data }),
      await make({ type: "key", timestamp: 0 }),
    ];
  },

  AudioData: async ({ AudioData }) => {
    const data = Float32Array.from({ length: 20 }, (_, i) => i / 32);
    const init: AudioDataInit = {
      format: "f32",
      sampleRate: 44_100,
      numberOfChannels: 2,
      numberOfFrames: 10,
      timestamp: -3,
      data,
    };
    const audio = new AudioData(init);
    const told = (each: AudioData) => [
      each.format,
      each.sampleRate,
      each.numberOfFrames,
      each.numberOfChannels,
      each.duration,
      each.timestamp,
    ];
    const answers: unknown[] = [told(audio)];
    for (const options of [
      { planeIndex: 0 },
      { planeIndex: 1 },
      { planeIndex: 0, format: "f32-planar" },
      { planeIndex: 1, format: "f32-planar" },
      { planeIndex: 2, format: "f32-planar" },
      { planeIndex: 0, frameOffset: 4 },
      { planeIndex: 0, frameOffset: 4, frameCount: 3 },
      { planeIndex: 0, frameOffset: 4, frameCount: 7 },
      { planeIndex: 0, frameOffset: 10 },
      { planeIndex: 0, format: "s16" },
      { planeIndex: 0, format: "u8-planar" },
    ] as AudioDataCopyToOptions[]) {
      answers.push(await attempt(() => audio.allocationSize(options)));
    }
    const plane = new Float32Array(10);
    audio.copyTo(plane, { planeIndex: 1, format: "f32-planar" });
    answers.push([...plane]);
    const shorts = new Int16Array(6);
    audio.copyTo(shorts, { planeIndex: 0, frameOffset: 2, frameCount: 3, format: "s16" });
    answers.push([...shorts]);
    answers.push(await attempt(() => audio.copyTo(new Float32Array(3), { planeIndex: 0 })));
    const twin = audio.clone();
    audio.close();
    answers.push(told(audio), told(twin), await attempt(() => audio.clone()));
    answers.push(await attempt(() => audio.copyTo(plane, { planeIndex: 0 })));
    answers.push(await attempt(() => audio.allocationSize({ planeIndex: 0 })));
    for (const wrong of [
      { numberOfFrames: 11 },
      { numberOfFrames: 0 },
      { numberOfChannels: 0 },
      { format: "f64" },
      { data: undefined },
    ]) {
      answers.push(
        await attempt(() => typeof new AudioData({ ...init, ...wrong } as unknown as AudioDataInit)),
      );
    }
    return answers;
  },

  "the queue empties and says so": async (codecs) => {
    const { encoder } = newEncoder(codecs);
    encoder.configure(stereo);
    let dequeued = 0;
    encoder.ondequeue = () => dequeued++;
    for (let i = 0; i < 5; i++) encoder.encode(tone(codecs, 960, i * 20_000));
    const waiting = encoder.encodeQueueSize;
    await encoder.flush();
    await rest();
    return [waiting > 0, encoder.encodeQueueSize, dequeued > 0];
  },
};
