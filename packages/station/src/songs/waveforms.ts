/**
 * Waveforms that are the same bits on every machine: nothing here calls the engine's `Math.sin` or `Math.pow`, whose last
 * digits differ between engines. Sums and products of doubles do not.
 */

/** Entries of one period in every table; one more entry repeats the first, for interpolation. */
export const tableLength = 2048;

/** Sine of `2 pi turns` for any finite `turns`, by the Taylor series to x^19 on the first quarter (error below 1e-13). */
export function sinTurns(turns: number): number {
  const phase = turns - Math.floor(turns);
  const half = phase >= 0.5 ? phase - 0.5 : phase;
  const quarter = half > 0.25 ? 0.5 - half : half;
  const x = quarter * 6.283185307179586;
  const square = x * x;
  let sum = 0;
  for (let order = 19; order >= 3; order -= 2) sum = (1 + sum) * (-square / (order * (order - 1)));
  const value = x * (1 + sum);
  return phase >= 0.5 ? -value : value;
}

const semitone = 1.0594630943592953;

/** Frequency in Hz of MIDI note 0 to 127 in equal temperament, A4 (69) = 440 Hz. */
export const noteHz: Readonly<Float64Array> = makeNoteFrequencies();

function makeNoteFrequencies(): Float64Array {
  const table = new Float64Array(128);
  table[69] = 440;
  for (let note = 70; note < 128; note++) table[note] = table[note - 1]! * semitone;
  for (let note = 68; note >= 0; note--) table[note] = table[note + 1]! / semitone;
  return table;
}

/** Amplitude of a linear `level` in decibels, by repeated products (whole and fractional steps of 1/8 dB). */
export function decibelsToGain(decibels: number): number {
  const eighth = 1.0144939402440363; // 10^(0.125/20)
  let steps = Math.round(Math.abs(decibels) * 8);
  let base = eighth;
  let gain = 1;
  for (; steps > 0; steps = Math.floor(steps / 2)) {
    if (steps % 2 === 1) gain *= base;
    base *= base;
  }
  return decibels < 0 ? 1 / gain : gain;
}

/** A periodic tone as tables with ever fewer harmonics, one per octave of pitch, so that no note aliases. */
export interface Timbre {
  readonly levels: readonly Float32Array[];
}

export type TimbreName = "sine" | "saw" | "square" | "pulse" | "triangle" | "organ" | "reed" | "voice";

const harmonicAmplitudes: Readonly<Record<TimbreName, (harmonic: number) => number>> = {
  sine: (n) => (n === 1 ? 1 : 0),
  saw: (n) => 0.6 / n,
  square: (n) => (n % 2 === 1 ? 0.8 / n : 0),
  pulse: (n) => (sinTurns(n / 8) * 1.1) / n,
  triangle: (n) => (n % 2 === 1 ? (n % 4 === 1 ? 1 : -1) / (n * n) : 0),
  organ: (n) => [0, 0.5, 0.45, 0.3, 0.3, 0, 0.16, 0, 0.2][n] ?? 0,
  reed: (n) => (n % 2 === 1 ? 0.9 : 0.25) / (n * 1.15),
  voice: (n) => [0, 0.55, 0.5, 0.62, 0.3, 0.16, 0.1, 0.12, 0.06, 0.03][n] ?? 0,
};

/** Highest harmonics of the tables: for fundamentals below 94 Hz, 188 Hz, ... at 48 kHz. */
const harmonicsOfLevel = [128, 64, 32, 16, 8, 4, 2, 1] as const;
const timbres = new Map<TimbreName, Timbre>();

/** The tables of a timbre; made at first use. */
export function timbreOf(name: TimbreName): Timbre {
  let timbre = timbres.get(name);
  if (timbre === undefined) {
    timbre = { levels: harmonicsOfLevel.map((count) => makeTable(harmonicAmplitudes[name], count)) };
    timbres.set(name, timbre);
  }
  return timbre;
}

/** The table of a timbre that holds every harmonic of `hz` below about 12 kHz to 24 kHz. */
export function tableFor(timbre: Timbre, hz: number): Float32Array {
  let level = 0;
  for (let limit = 94; hz > limit && level < timbre.levels.length - 1; limit *= 2) level++;
  return timbre.levels[level]!;
}

function makeTable(amplitude: (harmonic: number) => number, harmonics: number): Float32Array {
  const sine = sineTable();
  const table = new Float64Array(tableLength);
  for (let n = 1; n <= harmonics; n++) {
    const weight = amplitude(n);
    if (weight === 0) continue;
    for (let i = 0; i < tableLength; i++) table[i]! += weight * sine[(i * n) % tableLength]!;
  }
  const out = new Float32Array(tableLength + 1);
  out.set(table);
  out[tableLength] = out[0]!;
  return out;
}

let sine: Float64Array | undefined;

function sineTable(): Float64Array {
  sine ??= Float64Array.from({ length: tableLength }, (_, i) => sinTurns(i / tableLength));
  return sine;
}
