import type { Random } from "@longwave/base";
import {
  bandPass,
  muLaw,
  peakOf,
  pinkNoise,
  reverb,
  rms,
  scaled,
  varispeed,
  whiteNoise,
  withNoise,
} from "./degrade.js";
import { stretch, throughCodec } from "./tools.js";

/** What is needed to degrade a recording. */
export interface Surroundings {
  readonly random: Random;
  /** Several voices at once, at least `count` samples. */
  babble(count: number): Float32Array;
}

/** One way in which a query differs from the recording. */
export interface Condition {
  readonly name: string;
  readonly group: string;
  /** True tempo and pitch of the query relative to the recording. */
  readonly tempo: number;
  readonly pitch: number;
  apply(samples: Float32Array, surroundings: Surroundings): Float32Array;
}

function plain(name: string, group: string, apply: Condition["apply"]): Condition {
  return { name, group, tempo: 1, pitch: 1, apply };
}

const opus = (samples: Float32Array, bitrate: string) =>
  throughCodec(samples, "opus", ["-ar", "48000", "-c:a", "libopus", "-b:a", bitrate]);

function microphone(samples: Float32Array, { random, babble }: Surroundings): Float32Array {
  const room = bandPass(reverb(samples, random, 0.5, 0.8), 180, 6500);
  const voices = babble(room.length);
  const pink = pinkNoise(random, room.length);
  const [voiceGain, pinkGain] = [0.6 / rms(voices), 0.8 / rms(pink)];
  const mixed = voices.map((value, i) => voiceGain * value + pinkGain * pink[i]!);
  const noisy = withNoise(room, mixed, 5);
  const peak = peakOf(noisy);
  return opus(
    noisy.map((value) => 0.7 * Math.tanh((2.5 * value) / peak)),
    "24k",
  );
}

const decibelSteps = [10, 5, 0, -5];
const noiseGroup = (decibels: number) => (decibels >= 5 ? "noise >= 5 dB" : `noise ${decibels} dB`);

/** The 34 conditions of the robustness table. */
export const conditions: readonly Condition[] = [
  plain("clean", "clean, codec", (samples) => samples),
  plain("gain -20 dB", "clean, codec", (samples) => scaled(samples, 0.1)),
  plain("clip at peak / 4", "clean, codec", (samples) => {
    const limit = peakOf(samples) / 4;
    return samples.map((value) => Math.max(-limit, Math.min(limit, value)));
  }),
  plain("MP3 64k", "clean, codec", (samples) => throughCodec(samples, "mp3", ["-b:a", "64k"])),
  plain("Opus 16k", "clean, codec", (samples) => opus(samples, "16k")),
  plain("telephone", "tel, reverb, mic", (samples) => muLaw(bandPass(samples, 300, 3400))),
  plain("reverb", "tel, reverb, mic", (samples, { random }) => reverb(samples, random, 0.8, 0.5)),
  plain("microphone", "tel, reverb, mic", microphone),
  ...decibelSteps.map((level) =>
    plain(`white ${level} dB`, noiseGroup(level), (samples, { random }) =>
      withNoise(samples, whiteNoise(random, samples.length), level),
    ),
  ),
  ...decibelSteps.map((level) =>
    plain(`pink ${level} dB`, noiseGroup(level), (samples, { random }) =>
      withNoise(samples, pinkNoise(random, samples.length), level),
    ),
  ),
  ...decibelSteps.map((level) =>
    plain(`babble ${level} dB`, noiseGroup(level), (samples, { babble }) =>
      withNoise(samples, babble(samples.length), level),
    ),
  ),
  ...[0.9, 0.95, 0.97, 1.03, 1.05, 1.1].map((tempo) => ({
    name: `tempo ${tempo}`,
    group: "tempo",
    tempo,
    pitch: 1,
    apply: (samples: Float32Array) => stretch(samples, { tempo }),
  })),
  ...[0.95, 0.97, 1.03, 1.05].map((pitch) => ({
    name: `pitch ${pitch}`,
    group: "pitch",
    tempo: 1,
    pitch,
    apply: (samples: Float32Array) => stretch(samples, { pitch }),
  })),
  ...[0.95, 0.98, 1.02, 1.05].map((speed) => ({
    name: `speed ${speed}`,
    group: "speed",
    tempo: speed,
    pitch: speed,
    apply: (samples: Float32Array) => varispeed(samples, speed),
  })),
];

const offGrid = (tempo: number, pitch: number) => ({
  name: `tempo ${tempo}, pitch ${pitch}`,
  group: "off grid",
  tempo,
  pitch,
});

/** Factors off any grid, and both at once; reported apart from the 34. */
export const offGridConditions: readonly Condition[] = [
  ...[
    [1.045, 1],
    [0.93, 1],
    [1, 1.025],
    [1, 0.955],
    [1.06, 0.975],
    [0.96, 1.016],
  ].map(([tempo, pitch]) => ({
    ...offGrid(tempo!, pitch!),
    apply: (samples: Float32Array) => stretch(samples, { tempo: tempo!, pitch: pitch! }),
  })),
  ...[1.035, 0.987].map((speed) => ({
    ...offGrid(speed, speed),
    apply: (samples: Float32Array) => varispeed(samples, speed),
  })),
];
