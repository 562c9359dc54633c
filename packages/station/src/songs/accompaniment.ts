import type { DrumName } from "./drums.ts";
import type { DrumEvent, NoteEvent } from "./score.ts";
import { chordOf, humanFrames, humanVelocity, pick, type SongPlan } from "./song-plan.ts";
import type { BassFigure, HarmonyFigure } from "./styles.ts";

/** A stroke of a figure: step in the bar, length in steps, which chord note, and how loud. */
type Stroke = readonly [step: number, steps: number, chordNote: number | "all", loudness: number];

function everyStep(spacing: number, until: number, make: (step: number, index: number) => Stroke): Stroke[] {
  const strokes: Stroke[] = [];
  for (let step = 0, index = 0; step < until; step += spacing, index++) strokes.push(make(step, index));
  return strokes;
}

const harmonyStrokes: Readonly<Record<HarmonyFigure, (stepsPerBar: number) => Stroke[]>> = {
  pad: (bar) => [[0, bar, "all", 0.7]],
  stabs: () => [
    [3, 1, "all", 0.8],
    [6, 2, "all", 0.7],
    [11, 1, "all", 0.8],
    [14, 1, "all", 0.6],
  ],
  arpeggio: (bar) => everyStep(1, bar, (step, i) => [step, 1, [0, 1, 2, 3, 2, 1][i % 6]!, 0.5]),
  skank: () => [
    [2, 1, "all", 0.8],
    [6, 1, "all", 0.8],
    [10, 1, "all", 0.8],
    [14, 1, "all", 0.8],
  ],
  strum: (bar) => everyStep(2, bar, (step) => [step, 2, "all", step % 4 === 0 ? 0.75 : 0.5]),
  comping: () => [
    [0, 3, "all", 0.7],
    [6, 2, "all", 0.6],
    [10, 4, "all", 0.7],
  ],
  broken: (bar) => everyStep(2, bar, (step, i) => [step, 4, [0, 2, 1, 3, 1, 2][i % 6]!, i === 0 ? 0.8 : 0.6]),
};

/** Chords, in the figure of the song; wide chords are rolled a little, as hands do. */
export function composeHarmony(plan: SongPlan): NoteEvent[] {
  const figure = pick(plan.style.harmonyFigures, plan.random);
  const notes: NoteEvent[] = [];
  for (let bar = 0; bar < plan.form.length; bar++) {
    const quiet = plan.form[bar] === "q" || plan.form[bar] === "o";
    const chord = chordOf(plan, plan.progression[bar % 4]!);
    const strokes =
      quiet && figure !== "pad" && bar % 2 === 0
        ? harmonyStrokes.pad(plan.stepsPerBar)
        : harmonyStrokes[figure](plan.stepsPerBar);
    for (const [step, steps, which, loudness] of strokes) {
      const tones =
        which === "all" ? chord : [chord[which % chord.length]! + (which >= chord.length ? 12 : 0)];
      tones.forEach((tone, i) => {
        notes.push({
          startFrame: Math.max(0, plan.frameAt(bar, step) + humanFrames(plan.random) + i * 260),
          heldFrames: Math.round(steps * plan.stepFrames * 0.9),
          midi: voiced(plan.tonic + 12 + tone),
          velocity: humanVelocity(plan.random, loudness),
          part: "harmony",
        });
      });
    }
  }
  return notes;
}

/** Keeps chords together around middle C. */
function voiced(midi: number): number {
  let note = midi;
  while (note > 74) note -= 12;
  while (note < 55) note += 12;
  return note;
}

const bassStrokes: Readonly<Record<BassFigure, (stepsPerBar: number) => Stroke[]>> = {
  roots: (bar) => [
    [0, bar / 2, 0, 0.85],
    [bar / 2, bar / 2, 2, 0.7],
  ],
  eighths: (bar) => everyStep(2, bar, (step) => [step, 2, 0, step % 4 === 0 ? 0.9 : 0.72]),
  octaves: (bar) => everyStep(2, bar, (step, i) => [step, 2, i % 2 === 0 ? 0 : 7, 0.8]),
  walking: (bar) => everyStep(4, bar, (step, i) => [step, 4, [0, 1, 2, 1][i % 4]!, 0.85]),
  dub: () => [
    [0, 3, 0, 0.95],
    [3, 3, 0, 0.8],
    [8, 2, 2, 0.85],
    [11, 1, 1, 0.7],
    [12, 3, 0, 0.85],
  ],
  syncopated: () => [
    [0, 6, 0, 0.9],
    [6, 2, 2, 0.7],
    [8, 6, 2, 0.85],
    [14, 2, 0, 0.7],
  ],
  waltz: (bar) => [[0, bar - 4, 0, 0.9]],
};

/** The bass; it rests in the first half of the intro. */
export function composeBass(plan: SongPlan): NoteEvent[] {
  const figure = pick(plan.style.bassFigures, plan.random);
  const notes: NoteEvent[] = [];
  for (let bar = 2; bar < plan.form.length; bar++) {
    const chord = chordOf(plan, plan.progression[bar % 4]!);
    const strokes =
      plan.form[bar] === "q" ? bassStrokes.roots(plan.stepsPerBar) : bassStrokes[figure](plan.stepsPerBar);
    for (const [step, steps, which, loudness] of strokes) {
      const index = which === "all" ? 0 : which;
      const tone = index === 7 ? chord[0]! + 12 : chord[index % 3]!;
      notes.push({
        startFrame: Math.max(0, plan.frameAt(bar, step) + humanFrames(plan.random)),
        heldFrames: Math.round(steps * plan.stepFrames * 0.88),
        midi: low(plan.tonic - 12 + tone, index === 7),
        velocity: humanVelocity(plan.random, loudness),
        part: "bass",
      });
    }
  }
  return notes;
}

function low(midi: number, octaveUp: boolean): number {
  let note = midi;
  while (note > (octaveUp ? 60 : 48)) note -= 12;
  while (note < 29) note += 12;
  return note;
}

const loudnessOf: Readonly<Record<string, number>> = { X: 1, x: 0.75, o: 0.4 };

/** Two grooves in turn by section, a fill at the end of every fourth bar, a crash where a section begins. */
export function composeDrums(plan: SongPlan): DrumEvent[] {
  const events: DrumEvent[] = [];
  const { random, form, stepsPerBar } = plan;
  const grooves = plan.style.drums;
  const first = random.below(grooves.length);
  const loud = grooves.some((groove) => groove.snare !== undefined || groove.clap !== undefined);
  const strike = (bar: number, step: number, drum: DrumName, loudness: number) => {
    const startFrame = Math.max(0, plan.frameAt(bar, step) + Math.trunc(humanFrames(random) / 2));
    events.push({ startFrame, drum, velocity: humanVelocity(random, loudness) });
  };
  for (let bar = 0; bar < form.length; bar++) {
    const section = form[bar]!;
    if (section === "q" || (section === "i" && bar < 1)) continue;
    const groove = grooves[(first + (section === "b" ? 1 : 0)) % grooves.length]!;
    const fill = loud && bar % 4 === 3 && section !== "i";
    for (const [drum, pattern] of Object.entries(groove) as [DrumName, string][]) {
      for (let step = 0; step < stepsPerBar; step++) {
        const loudness = loudnessOf[pattern[step] ?? "."];
        if (loudness === undefined || (fill && step >= stepsPerBar - 4 && drum !== "kick")) continue;
        strike(bar, step, drum, loudness);
      }
    }
    if (fill) {
      for (let step = stepsPerBar - 4; step < stepsPerBar; step++) {
        strike(bar, step, random.below(3) === 0 ? "tom" : "snare", 0.4 + 0.12 * (step - stepsPerBar + 4));
      }
    }
    if (loud && bar % 4 === 0 && form[bar - 1] !== section) strike(bar, 0, "crash", 0.7);
  }
  return events;
}
