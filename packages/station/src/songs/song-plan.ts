import type { Random } from "@longwave/base";
import type { Style } from "./styles.ts";

/** The musical decisions that all parts of a song share. */
export interface SongPlan {
  readonly style: Style;
  readonly random: Random;
  readonly stepsPerBar: number;
  readonly stepFrames: number;
  readonly tonic: number;
  readonly scale: readonly number[];
  readonly progression: readonly number[];
  /** One letter a bar: i intro, a/b themes, q quiet break, o outro. */
  readonly form: string;
  /** Start of a step with swing, in frames. */
  frameAt(bar: number, step: number): number;
}

/** A value of a list, each as likely. */
export function pick<T>(values: readonly T[], random: Random): T {
  return values[random.below(values.length)]!;
}

/** The notes of the chord on scale degree `degree`, as semitones above the tonic. */
export function chordOf(plan: SongPlan, degree: number): number[] {
  const steps = plan.style.sevenths ? [0, 2, 4, 6] : [0, 2, 4];
  return steps.map((step) => scaleNote(plan.scale, degree + step));
}

/** Semitones above the tonic of any scale degree, also below 0 and above 6. */
export function scaleNote(scale: readonly number[], degree: number): number {
  const octave = Math.floor(degree / scale.length);
  return scale[degree - octave * scale.length]! + 12 * octave;
}

/** A human's timing: up to 6 ms early or late. */
export function humanFrames(random: Random): number {
  return random.below(577) - 288;
}

/** A human's touch: `loudness` give or take a tenth. */
export function humanVelocity(random: Random, loudness: number): number {
  return Math.min(1, loudness * (0.9 + 0.2 * random.next()));
}
