import { SeededRandom } from "@longwave/base";

/** One note of a score; times in seconds, pitch as MIDI number, velocity 1 to 127. */
export interface Note {
  readonly start: number;
  readonly duration: number;
  readonly pitch: number;
  readonly velocity: number;
  /** MIDI channel 0 to 15; 9 is percussion. */
  readonly channel: number;
}

export interface Score {
  readonly notes: readonly Note[];
  /** General MIDI program of each channel. */
  readonly programs: ReadonlyMap<number, number>;
  readonly seconds: number;
}

/** Tempo, swing and colours of a style. Programs are General MIDI numbers from 0. */
interface Style {
  readonly beatsPerMinute: readonly [number, number];
  readonly melody: readonly number[];
  readonly chords: readonly number[];
  readonly bass: readonly number[];
  readonly drums: boolean;
  /** Probability that an eighth of the melody sounds. */
  readonly density: number;
  readonly scale: readonly number[];
}

const major = [0, 2, 4, 5, 7, 9, 11];
const minor = [0, 2, 3, 5, 7, 8, 10];
const dorian = [0, 2, 3, 5, 7, 9, 10];
const pentatonic = [0, 2, 4, 7, 9];

// biome-ignore format: a table
const styles: readonly Style[] = [
  { beatsPerMinute: [96, 128], melody: [80, 81, 73], chords: [4, 88], bass: [33, 38], drums: true, density: 0.6, scale: major },
  { beatsPerMinute: [120, 150], melody: [29, 30, 27], chords: [30, 29], bass: [34], drums: true, density: 0.5, scale: minor },
  { beatsPerMinute: [84, 120], melody: [65, 66, 56], chords: [0, 26], bass: [32], drums: true, density: 0.55, scale: dorian },
  { beatsPerMinute: [60, 84], melody: [40, 42, 71], chords: [48, 49], bass: [43], drums: false, density: 0.4, scale: major },
  { beatsPerMinute: [72, 110], melody: [0, 6, 19], chords: [0], bass: [0], drums: false, density: 0.75, scale: minor },
  { beatsPerMinute: [90, 130], melody: [24, 25, 105], chords: [24, 25], bass: [32], drums: false, density: 0.6, scale: pentatonic },
  { beatsPerMinute: [120, 140], melody: [81, 87, 80], chords: [90, 89], bass: [38, 39], drums: true, density: 0.7, scale: minor },
  { beatsPerMinute: [70, 96], melody: [73, 75, 79], chords: [46, 11], bass: [33], drums: false, density: 0.45, scale: pentatonic },
  { beatsPerMinute: [130, 170], melody: [21, 22, 40], chords: [24, 21], bass: [43, 32], drums: true, density: 0.8, scale: major },
  { beatsPerMinute: [66, 90], melody: [4, 11, 62], chords: [5, 89], bass: [35], drums: true, density: 0.5, scale: dorian },
];

/** Options of {@link composeScore}. */
export interface ScoreOptions {
  readonly seed: number;
  readonly seconds: number;
  /** Other instruments and another key over the same notes: a cover. */
  readonly cover?: { readonly seed: number; readonly transpose: number };
}

/**
 * Composes a song: a progression, a bass, chords, a melody that walks in the scale and, in some styles, drums. Timing and
 * velocity are humanised, so that no two bars are sample-identical.
 */
export function composeScore(options: ScoreOptions): Score {
  const random = new SeededRandom(options.seed, 0x736f6e67);
  const style = styles[random.below(styles.length)]!;
  const key = 48 + random.below(12) + (options.cover?.transpose ?? 0);
  const [slow, fast] = style.beatsPerMinute;
  const beat = 60 / (slow + (fast - slow) * random.next());
  const progression = Array.from({ length: 4 + 4 * random.below(2) }, () => random.below(6));
  const notes: Note[] = [];
  // A cover is another performance: the same notes at other moments and with other weight.
  const performer = options.cover === undefined ? random : new SeededRandom(options.cover.seed, 0x706c6179);
  const human = () => 0.018 * (performer.next() - 0.5);
  const add = (start: number, duration: number, pitch: number, velocity: number, channel: number) => {
    const at = Math.max(0, start + human());
    if (at >= options.seconds) return;
    const loud = Math.max(20, Math.min(120, Math.round(velocity + 18 * (performer.next() - 0.5))));
    notes.push({ start: at, duration, pitch: Math.max(20, Math.min(108, pitch)), velocity: loud, channel });
  };
  const tone = (degree: number) => {
    const size = style.scale.length;
    const octave = Math.floor(degree / size);
    return key + 12 * octave + style.scale[degree - octave * size]!;
  };
  let degree = 7 + random.below(5);
  for (let bar = 0; bar * 4 * beat < options.seconds; bar++) {
    const root = progression[bar % progression.length]!;
    const start = bar * 4 * beat;
    // Now and then a chord leaves the progression, so that choruses differ.
    const chord = random.next() < 0.2 ? random.below(6) : root;
    for (const step of [0, 2, 4]) add(start, 3.8 * beat, tone(chord + step), 62, 1);
    if (random.next() < 0.5)
      for (const step of [0, 2, 4]) add(start + 2 * beat, 1.8 * beat, tone(chord + step), 56, 1);
    for (let i = 0; i < 4; i++)
      if (i % 2 === 0 || random.next() < 0.5) add(start + i * beat, 0.9 * beat, tone(chord) - 12, 80, 2);
    for (let eighth = 0; eighth < 8; eighth++) {
      if (random.next() >= style.density) continue;
      degree = Math.max(3, Math.min(17, degree + random.below(5) - 2));
      const length = random.next() < 0.3 ? beat : beat / 2;
      add(start + (eighth * beat) / 2, 0.95 * length, tone(degree), 92, 0);
    }
    if (!style.drums) continue;
    for (let eighth = 0; eighth < 8; eighth++) {
      const at = start + (eighth * beat) / 2;
      add(at, 0.1, 42, 50, 9);
      if (eighth % 4 === 0 || random.next() < 0.12) add(at, 0.1, 36, 96, 9);
      if (eighth % 4 === 2) add(at, 0.1, 38, 90, 9);
    }
  }
  const colours = options.cover === undefined ? random : new SeededRandom(options.cover.seed, 0x636f7672);
  const pick = (programs: readonly number[]) => programs[colours.below(programs.length)]!;
  const others = styles[colours.below(styles.length)]!;
  const source = options.cover === undefined ? style : others;
  const programs = new Map([
    [0, pick(source.melody)],
    [1, pick(source.chords)],
    [2, pick(source.bass)],
  ]);
  notes.sort((a, b) => a.start - b.start || a.channel - b.channel || a.pitch - b.pitch);
  return { notes, programs, seconds: options.seconds };
}
