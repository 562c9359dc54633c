import { SeededRandom } from "@longwave/base";
import { composeBass, composeDrums, composeHarmony } from "./accompaniment.ts";
import { composeMelody } from "./melody.ts";
import type { Score } from "./score.ts";
import { pick, type SongPlan } from "./song-plan.ts";
import { styles } from "./styles.ts";
import { songTitle } from "./titles.ts";

const rateHz = 48000;
/** Songs end near this length, so that a listener hears several in a sitting and each can be told from its opening. */
const targetSeconds = 66;
/** What rings on after the last bar. */
const tailSeconds = 2.5;

/**
 * Composes song `index` of the repertoire `seed`. Styles take turns, everything else is drawn from the seed: key, tempo,
 * progression, instruments, motifs, grooves, and how a human would be early, late, loud and soft.
 */
export function composeSong(seed: number, index: number): Score {
  const random = new SeededRandom(seed, 0x50_0000 + index);
  const style = styles[index % styles.length]!;
  const [slowest, fastest] = style.tempo;
  const tempoBpm = slowest + random.below(fastest - slowest + 1);
  const stepsPerBar = style.beatsPerBar * 4;
  const stepFrames = (rateHz * 60) / tempoBpm / 4;
  const bars = Math.max(12, Math.round((targetSeconds * rateHz) / (stepFrames * stepsPerBar) / 4) * 4);
  const plan: SongPlan = {
    style,
    random,
    stepsPerBar,
    stepFrames,
    tonic: 48 + random.below(12),
    scale: pick(style.scales, random),
    progression: pick(style.progressions, random),
    form: makeForm(bars),
    frameAt: (bar, step) => {
      const late = style.swing * (step % 4 === 2 ? 1 : step % 4 === 3 ? 0.5 : 0);
      return Math.round((bar * stepsPerBar + step + 2 * late) * stepFrames);
    },
  };
  const patches = {
    lead: pick(style.lead, random),
    harmony: pick(style.harmony, random),
    bass: pick(style.bass, random),
  };
  const notes = [...composeMelody(plan), ...composeHarmony(plan), ...composeBass(plan)];
  const drums = composeDrums(plan);
  return {
    id: `song-${String(index + 1).padStart(2, "0")}`,
    title: songTitle(random),
    style: style.name,
    tempoBpm,
    seed,
    patches,
    space: style.space,
    lengthFrames: Math.round(bars * stepsPerBar * stepFrames + tailSeconds * rateHz),
    notes: notes.sort((a, b) => a.startFrame - b.startFrame),
    drums: drums.sort((a, b) => a.startFrame - b.startFrame),
  };
}

/** Intro, themes in the order a a b a, a quiet break, themes again, and an ending, in groups of four bars. */
function makeForm(bars: number): string {
  const groups = bars / 4;
  const order = ["aaaa", "aaaa", "bbbb", "aaaa", "qqqq", "bbbb", "aaaa", "bbbb", "aaaa"];
  let form = "iiii";
  for (let i = 0; i < groups - 2; i++) form += order[i % order.length];
  return `${form}oooo`.slice(0, bars);
}
