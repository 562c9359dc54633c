// Real Opus streams of every kind that matters to random access, made at test time: our own signals through the encoder of
// npm libopus-wasm (libopus 1.6.1).
import { SeededRandom } from "@longwave/base";
import { Application, Bandwidth, createEncoder, type EncoderOptions, Signal } from "libopus-wasm";

/** What a stream is made of; the archive's `PacketItem`. */
export type StreamItem =
  | { readonly type: "segment"; readonly head: StreamHead }
  | { readonly type: "packet"; readonly data: Uint8Array }
  | { readonly type: "loss"; readonly frames: number };

/** An Opus header of one or two channels; `OpusHead` of `@longwave/media`. */
export interface StreamHead {
  readonly channels: number;
  readonly preSkip: number;
  readonly inputSampleRate: number;
  readonly gainQ8: number;
  readonly family: number;
  readonly streams: number;
  readonly coupled: number;
  readonly mapping: Uint8Array;
}

type SignalKind = "music" | "organ" | "speech" | "pauses" | "edge";

export interface StreamKind {
  readonly name: string;
  readonly signal: SignalKind;
  readonly channels: 1 | 2;
  readonly encoder: EncoderOptions;
  readonly frameSize?: number;
  readonly gainQ8?: number;
  readonly preSkip?: number;
  /** One packet in so many is lost. */
  readonly lossEvery?: number;
  /** Maximum bandwidth changes every so many packets, so that the mode does. */
  readonly switchEvery?: number;
}

const celt = { application: Application.RestrictedLowDelay } as const;
const silk = {
  application: Application.Voip,
  signal: Signal.Voice,
  maxBandwidth: Bandwidth.Wideband,
} as const;

export const streamKinds: readonly StreamKind[] = [
  { name: "CELT music 64k stereo", signal: "music", channels: 2, encoder: { ...celt, bitrate: 64_000 } },
  {
    name: "CELT 160k constant rate",
    signal: "music",
    channels: 1,
    encoder: { ...celt, bitrate: 160_000, vbr: false },
  },
  { name: "CELT organ", signal: "organ", channels: 1, encoder: { ...celt, bitrate: 64_000 } },
  { name: "SILK organ", signal: "organ", channels: 1, encoder: { ...silk, bitrate: 20_000 } },
  {
    name: "SILK speech narrow band",
    signal: "speech",
    channels: 1,
    encoder: { ...silk, maxBandwidth: Bandwidth.Narrowband, bitrate: 12_000 },
  },
  { name: "SILK speech wide band", signal: "speech", channels: 1, encoder: { ...silk, bitrate: 16_000 } },
  { name: "SILK speech stereo", signal: "speech", channels: 2, encoder: { ...silk, bitrate: 28_000 } },
  {
    name: "SILK 60 ms with FEC",
    signal: "speech",
    channels: 1,
    encoder: { ...silk, bitrate: 20_000, fec: true, packetLossPercent: 20 },
    frameSize: 2880,
  },
  {
    name: "pauses with DTX",
    signal: "pauses",
    channels: 1,
    encoder: { ...silk, bitrate: 16_000, dtx: true },
  },
  {
    name: "hybrid",
    signal: "speech",
    channels: 1,
    encoder: { application: Application.Voip, signal: Signal.Voice, bitrate: 32_000 },
  },
  {
    name: "automatic modes",
    signal: "pauses",
    channels: 2,
    encoder: { application: Application.Audio, bitrate: 24_000 },
  },
  {
    name: "forced switching",
    signal: "music",
    channels: 1,
    encoder: { application: Application.Voip, bitrate: 24_000 },
    switchEvery: 70,
  },
  {
    name: "CELT 2.5 ms",
    signal: "music",
    channels: 2,
    encoder: { ...celt, bitrate: 96_000 },
    frameSize: 120,
  },
  {
    name: "CELT 60 ms",
    signal: "music",
    channels: 2,
    encoder: { application: Application.Audio, signal: Signal.Music, bitrate: 96_000 },
    frameSize: 2880,
  },
  {
    name: "edge signals",
    signal: "edge",
    channels: 1,
    encoder: { application: Application.Audio, bitrate: 32_000 },
  },
  {
    name: "losses, gain and a long pre-skip",
    signal: "speech",
    channels: 1,
    encoder: { application: Application.Voip, bitrate: 24_000 },
    lossEvery: 37,
    gainQ8: -700,
    preSkip: 3000,
  },
];

/** What a logger of speech would record for a day: 60 ms packets, cheap to make and to decode. */
export const loggerKind: StreamKind = {
  name: "speech logger 60 ms",
  signal: "pauses",
  channels: 1,
  encoder: { ...silk, maxBandwidth: Bandwidth.Narrowband, bitrate: 14_000 },
  frameSize: 2880,
};

/** The items of a stream of about `seconds`. */
export async function opusStream(kind: StreamKind, seconds: number): Promise<StreamItem[]> {
  const frameSize = kind.frameSize ?? 960;
  const encoder = await createEncoder({ channels: kind.channels, complexity: 5, ...kind.encoder, frameSize });
  const random = new SeededRandom(kind.name.length, 77);
  const head: StreamHead = {
    channels: kind.channels,
    preSkip: kind.preSkip ?? encoder.getLookahead(),
    inputSampleRate: 48_000,
    gainQ8: kind.gainQ8 ?? 0,
    family: 0,
    streams: 1,
    coupled: kind.channels - 1,
    mapping: Uint8Array.from({ length: kind.channels }, (_, i) => i),
  };
  const items: StreamItem[] = [{ type: "segment", head }];
  const make = signals[kind.signal](new SeededRandom(kind.name.length * 1000));
  const pcm = new Float32Array(frameSize * kind.channels);
  const count = Math.ceil((seconds * 48_000) / frameSize);
  for (let packet = 0; packet < count; packet++) {
    for (let i = 0; i < frameSize; i++) {
      const t = packet * frameSize + i;
      for (let c = 0; c < kind.channels; c++) pcm[i * kind.channels + c] = make(t - 31 * c);
    }
    if (kind.switchEvery !== undefined && packet % kind.switchEvery === 0) {
      const odd = (packet / kind.switchEvery) % 2 === 1;
      encoder.setMaxBandwidth(odd ? Bandwidth.Wideband : Bandwidth.Fullband);
      encoder.setSignal(odd ? Signal.Voice : Signal.Music);
    }
    const data = Uint8Array.from(encoder.encodeFloat(pcm, { frameSize }));
    const lost = kind.lossEvery !== undefined && random.below(kind.lossEvery) === 0;
    items.push(lost ? { type: "loss", frames: frameSize } : { type: "packet", data });
  }
  encoder.free();
  return items;
}

/** Each makes a function of time in samples; they are called with slowly rising times only. */
const signals: Record<SignalKind, (random: SeededRandom) => (t: number) => number> = {
  music: (random) => {
    const notes = Array.from({ length: 64 }, () => 110 * 2 ** (random.below(36) / 12));
    return (t) => {
      const beat = Math.floor(t / 12_000);
      const within = Math.max(0, (t - beat * 12_000) / 12_000);
      let value = 0.05 * Math.sin(t * t * 1e-7) * (1 - within);
      for (let voice = 0; voice < 3; voice++) {
        const frequency = notes[(beat * (voice + 1) + voice * 7) & 63]!;
        value += 0.2 * Math.sin((2 * Math.PI * frequency * t) / 48_000) * Math.exp(-3 * within);
      }
      return value;
    };
  },
  organ: () => (t) => {
    let value = 0;
    for (const frequency of [130.81, 164.81, 196, 261.63]) {
      for (let k = 1; k <= 5; k++) value += (0.09 / k) * Math.sin((2 * Math.PI * frequency * k * t) / 48_000);
    }
    return value;
  },
  speech: (random) => speech(random, false),
  pauses: (random) => speech(random, true),
  edge: (random) => (t) => {
    const part = Math.floor(t / 96_000) % 5;
    if (part === 0) return 0;
    if (part === 1) return t % 9600 === 0 ? 1 : 0;
    if (part === 2) return 0.5;
    if (part === 3) return 1.5 * Math.sin(t / 20);
    return random.next() - 0.5;
  },
};

/** A pulse train through two moving resonators, with unvoiced stretches; with pauses if asked for. */
function speech(random: SeededRandom, pauses: boolean): (t: number) => number {
  const state = [0, 0, 0, 0];
  let phase = 0;
  return (t) => {
    const syllable = Math.floor(t / 9600);
    const mood = (syllable * 2_654_435_761) >>> 0;
    const silent = pauses && (syllable >> 4) % 3 !== 0;
    const voiced = mood % 5 !== 0;
    phase += (100 + (mood % 90) + 20 * Math.sin(t / 7000)) / 48_000;
    const pulse = phase >= 1;
    if (pulse) phase -= 1;
    const source = silent ? 0 : voiced ? (pulse ? 0.9 : 0) : 0.05 * (random.next() - 0.5);
    let value = source;
    for (let k = 0; k < 2; k++) {
      const omega = (2 * Math.PI * (k === 0 ? 300 + (mood % 500) : 1200 + (mood % 1300))) / 48_000;
      const out = value + 1.96 * Math.cos(omega) * state[2 * k]! - 0.9604 * state[2 * k + 1]!;
      state[2 * k + 1] = state[2 * k]!;
      state[2 * k] = out;
      value = out * 0.3;
    }
    return value + 0.0002 * (random.next() - 0.5);
  };
}
