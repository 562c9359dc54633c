import type { NoteEvent } from "./score.ts";
import { chordOf, humanFrames, humanVelocity, pick, type SongPlan, scaleNote } from "./song-plan.ts";

/** One note of a theme: where in the bar, how long, and which degree of the scale. */
interface ThemeNote {
  readonly step: number;
  readonly steps: number;
  readonly degree: number;
}

/**
 * The melody: two themes of four bars, each a rhythm and a walk over the scale that lands on notes of the chord where the
 * bar is heavy. A theme that comes back is varied now and then, as a player would.
 */
export function composeMelody(plan: SongPlan): NoteEvent[] {
  const themes = { a: makeTheme(plan, 0), b: makeTheme(plan, 3) };
  const notes: NoteEvent[] = [];
  for (let bar = 0; bar < plan.form.length; bar++) {
    const section = plan.form[bar]!;
    if (section === "i" || (section === "q" && bar % 2 === 0)) continue;
    const theme = section === "b" ? themes.b : themes.a;
    const isEnd = section === "o";
    if (isEnd && bar % 4 > 1) continue;
    for (const note of theme[bar % 4]!) {
      const varied = plan.random.below(9) === 0 ? note.degree + plan.random.below(5) - 2 : note.degree;
      notes.push({
        startFrame: Math.max(0, plan.frameAt(bar, note.step) + humanFrames(plan.random)),
        heldFrames: Math.round(note.steps * plan.stepFrames * 0.92),
        midi: intoRegister(plan.tonic + scaleNote(plan.scale, varied), plan.style.register),
        velocity: humanVelocity(plan.random, note.step % 4 === 0 ? 0.85 : 0.7),
        part: "lead",
      });
    }
  }
  return notes;
}

function makeTheme(plan: SongPlan, lift: number): ThemeNote[][] {
  const bars: ThemeNote[][] = [];
  const opening = pick(plan.style.rhythms, plan.random);
  const answer = pick(plan.style.rhythms, plan.random);
  let degree = lift + plan.random.below(5);
  for (let bar = 0; bar < 4; bar++) {
    const rhythm = bar % 2 === 0 ? opening : answer;
    const chord = chordOf(plan, plan.progression[bar]!);
    const notes: ThemeNote[] = [];
    let step = 0;
    for (const length of rhythm) {
      const steps = Math.abs(length);
      if (length > 0) {
        degree +=
          [-2, -1, -1, 0, 1, 1, 2, 3][plan.random.below(8)]! -
          (degree > lift + 7 ? 2 : 0) +
          (degree < lift - 2 ? 2 : 0);
        if (step % 8 === 0) degree = nearestChordDegree(plan, chord, degree);
        notes.push({ step, steps, degree });
      }
      step += steps;
    }
    bars.push(notes);
  }
  return bars;
}

/** The scale degree nearest to `degree` whose note belongs to the chord. */
function nearestChordDegree(plan: SongPlan, chord: readonly number[], degree: number): number {
  for (let distance = 0; distance < 4; distance++) {
    for (const candidate of [degree + distance, degree - distance]) {
      const note = scaleNote(plan.scale, candidate);
      if (chord.some((each) => (each - note) % 12 === 0)) return candidate;
    }
  }
  return degree;
}

/** Moves a note by octaves to within an octave above or below the register. */
function intoRegister(midi: number, register: number): number {
  let note = midi;
  while (note < register - 9) note += 12;
  while (note > register + 10) note -= 12;
  return note;
}
