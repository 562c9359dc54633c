import type { DrumName } from "./drums.ts";
import type { PatchName } from "./patches.ts";

/** How chords are played. */
export type HarmonyFigure = "pad" | "stabs" | "arpeggio" | "skank" | "strum" | "comping" | "broken";
/** How the bass moves. */
export type BassFigure = "roots" | "eighths" | "walking" | "octaves" | "dub" | "syncopated" | "waltz";

/** What songs of a style have in common. A bar has 16 steps (12 in three-four time). */
export interface Style {
  readonly name: string;
  /** Slowest and fastest tempo in beats per minute. */
  readonly tempo: readonly [number, number];
  readonly beatsPerBar: 3 | 4;
  /** How much every second eighth comes late, in eighths. */
  readonly swing: number;
  /** Semitones of the scale above the tonic. */
  readonly scales: readonly (readonly number[])[];
  /** Progressions of four chords, one a bar, as scale degrees from 0. */
  readonly progressions: readonly (readonly number[])[];
  readonly sevenths: boolean;
  readonly lead: readonly PatchName[];
  readonly harmony: readonly PatchName[];
  readonly bass: readonly PatchName[];
  readonly harmonyFigures: readonly HarmonyFigure[];
  readonly bassFigures: readonly BassFigure[];
  /** One string per drum: X loud, x normal, o soft, anything else silent. */
  readonly drums: readonly Partial<Readonly<Record<DrumName, string>>>[];
  /** Rhythms of the melody: lengths in steps that fill one bar; negative is a rest. */
  readonly rhythms: readonly (readonly number[])[];
  /** MIDI note around which the melody moves. */
  readonly register: number;
  /** 0 dry to 1 drowned. */
  readonly space: number;
}

const major = [0, 2, 4, 5, 7, 9, 11];
const minor = [0, 2, 3, 5, 7, 8, 10];
const dorian = [0, 2, 3, 5, 7, 9, 10];
const mixolydian = [0, 2, 4, 5, 7, 9, 10];
const harmonicMinor = [0, 2, 3, 5, 7, 8, 11];

export const styles: readonly Style[] = [
  {
    name: "Synthwave",
    tempo: [96, 112],
    beatsPerBar: 4,
    swing: 0,
    scales: [minor, dorian],
    progressions: [
      [0, 5, 2, 6],
      [0, 3, 5, 4],
      [5, 6, 0, 0],
    ],
    sevenths: false,
    lead: ["sawLead", "squareLead", "brass"],
    harmony: ["warmPad", "brightPad"],
    bass: ["sawBass"],
    harmonyFigures: ["pad", "arpeggio"],
    bassFigures: ["eighths", "octaves"],
    drums: [
      { kick: "X...x...X...x...", snare: "....X.......X...", hat: "x.x.x.x.x.x.x.x." },
      {
        kick: "X.....x.X.......",
        snare: "....X.......X..o",
        openHat: "..x...x...x...x.",
        tom: ".............o.x",
      },
    ],
    rhythms: [
      [4, 4, 6, 2],
      [3, 3, 2, 4, 4],
      [6, 6, 4],
      [2, 2, 4, 2, 2, 4],
    ],
    register: 72,
    space: 0.5,
  },
  {
    name: "Bossa nova",
    tempo: [124, 140],
    beatsPerBar: 4,
    swing: 0,
    scales: [major, dorian],
    progressions: [
      [1, 4, 0, 5],
      [0, 5, 1, 4],
      [2, 5, 1, 4],
    ],
    sevenths: true,
    lead: ["flute", "reed", "vibraphone"],
    harmony: ["nylon"],
    bass: ["uprightBass"],
    harmonyFigures: ["comping"],
    bassFigures: ["syncopated"],
    drums: [
      { kick: "x.....xox.....xo", rim: "x..x..x...x..x..", shaker: "xoxoxoxoxoxoxoxo" },
      { kick: "x.....x.x.....x.", rim: "..x..x....x..x..", hat: "x.x.x.x.x.x.x.x." },
    ],
    rhythms: [
      [-2, 2, 4, 3, 5],
      [6, 2, -2, 2, 4],
      [3, 3, 4, 2, 4],
      [-4, 4, 2, 2, 4],
    ],
    register: 74,
    space: 0.25,
  },
  {
    name: "House",
    tempo: [120, 126],
    beatsPerBar: 4,
    swing: 0.08,
    scales: [minor, dorian],
    progressions: [
      [0, 0, 3, 3],
      [0, 6, 5, 6],
      [0, 2, 3, 4],
    ],
    sevenths: true,
    lead: ["pulseLead", "vibraphone", "choir"],
    harmony: ["organStab", "sawStab"],
    bass: ["fmBass", "sawBass"],
    harmonyFigures: ["stabs"],
    bassFigures: ["octaves", "syncopated"],
    drums: [
      {
        kick: "X...X...X...X...",
        clap: "....X.......X...",
        openHat: "..x...x...x...x.",
        hat: "x..xx..xx..xx..x",
      },
      {
        kick: "X...X...X...X..o",
        clap: "....X.......X..o",
        hat: "xoxoxoxoxoxoxoxo",
        openHat: "..x...x...x...x.",
      },
    ],
    rhythms: [
      [3, 3, 2, 3, 3, 2],
      [-4, 2, 2, 4, 4],
      [2, 4, 2, 4, 4],
      [3, 5, 8],
    ],
    register: 72,
    space: 0.35,
  },
  {
    name: "Waltz",
    tempo: [138, 168],
    beatsPerBar: 3,
    swing: 0,
    scales: [major, harmonicMinor],
    progressions: [
      [0, 3, 4, 0],
      [0, 5, 3, 4],
      [0, 4, 3, 4],
    ],
    sevenths: false,
    lead: ["reed", "flute", "bell"],
    harmony: ["harp", "organ"],
    bass: ["roundBass", "uprightBass"],
    harmonyFigures: ["broken"],
    bassFigures: ["waltz"],
    drums: [
      { kick: "x...........", shaker: "....o...o...", rim: "....o...o..." },
      { shaker: "x...x...x..." },
    ],
    rhythms: [[8, 4], [4, 4, 4], [6, 2, 4], [4, 2, 2, 4], [12]],
    register: 76,
    space: 0.4,
  },
  {
    name: "Reggae",
    tempo: [70, 82],
    beatsPerBar: 4,
    swing: 0.18,
    scales: [minor, mixolydian],
    progressions: [
      [0, 0, 3, 3],
      [0, 6, 0, 6],
      [0, 3, 6, 0],
    ],
    sevenths: false,
    lead: ["reed", "brass", "organ"],
    harmony: ["organStab", "steel"],
    bass: ["subBass", "roundBass"],
    harmonyFigures: ["skank"],
    bassFigures: ["dub"],
    drums: [
      { kick: "........X.......", rim: "........x.......", hat: "x.xox.xox.xox.xo" },
      { kick: "X.......X.......", snare: "........x..o..o.", hat: "..x...x...x...x." },
    ],
    rhythms: [
      [-4, 4, 2, 2, 4],
      [4, 2, 2, 4, -4],
      [3, 1, 4, 8],
      [-2, 2, 2, 2, 8],
    ],
    register: 70,
    space: 0.55,
  },
  {
    name: "Chiptune",
    tempo: [142, 164],
    beatsPerBar: 4,
    swing: 0,
    scales: [major, minor],
    progressions: [
      [0, 4, 5, 3],
      [0, 3, 0, 4],
      [5, 3, 0, 4],
    ],
    sevenths: false,
    lead: ["pulseLead", "squareLead"],
    harmony: ["pulseLead", "squareLead"],
    bass: ["roundBass"],
    harmonyFigures: ["arpeggio"],
    bassFigures: ["eighths", "octaves"],
    drums: [
      { kick: "X..x..X.X..x..X.", snare: "....X.......X...", hat: "x.x.x.x.x.x.x.x." },
      { kick: "X...X...X...X...", snare: "..x...x...x...xx" },
    ],
    rhythms: [
      [2, 2, 2, 2, 4, 4],
      [3, 3, 2, 2, 2, 4],
      [4, 2, 2, 4, 2, 2],
      [1, 1, 2, 4, 2, 2, 4],
    ],
    register: 79,
    space: 0.08,
  },
  {
    name: "Ambient",
    tempo: [58, 70],
    beatsPerBar: 4,
    swing: 0,
    scales: [major, dorian],
    progressions: [
      [0, 3, 5, 3],
      [0, 4, 3, 3],
      [3, 0, 5, 4],
    ],
    sevenths: true,
    lead: ["bell", "vibraphone", "flute"],
    harmony: ["choir", "warmPad"],
    bass: ["subBass"],
    harmonyFigures: ["pad"],
    bassFigures: ["roots"],
    drums: [{ shaker: "o...o...o...o..." }, { kick: "o.......o.......", hat: "....o.......o..." }],
    rhythms: [
      [8, 8],
      [-4, 4, 8],
      [4, 4, 8],
      [3, 3, 10],
    ],
    register: 76,
    space: 0.9,
  },
  {
    name: "Surf rock",
    tempo: [148, 168],
    beatsPerBar: 4,
    swing: 0,
    scales: [harmonicMinor, minor],
    progressions: [
      [0, 0, 3, 4],
      [0, 6, 5, 4],
      [0, 3, 0, 4],
    ],
    sevenths: false,
    lead: ["steel", "drive"],
    harmony: ["drive", "steel"],
    bass: ["roundBass", "sawBass"],
    harmonyFigures: ["strum"],
    bassFigures: ["eighths", "walking"],
    drums: [
      { kick: "X.....x.X.x.....", snare: "....X..x....X...", hat: "x.x.x.x.x.x.x.x." },
      { kick: "X.x...x.X.x...x.", snare: "....X.......X.xx", openHat: "x...x...x...x..." },
    ],
    rhythms: [
      [2, 2, 2, 2, 2, 2, 4],
      [4, 2, 2, 4, 4],
      [3, 3, 2, 8],
      [6, 2, 4, 4],
    ],
    register: 69,
    space: 0.35,
  },
  {
    name: "Lo-fi",
    tempo: [74, 88],
    beatsPerBar: 4,
    swing: 0.3,
    scales: [dorian, major],
    progressions: [
      [1, 4, 0, 5],
      [3, 2, 1, 0],
      [0, 5, 3, 4],
    ],
    sevenths: true,
    lead: ["vibraphone", "nylon", "electricPiano"],
    harmony: ["electricPiano"],
    bass: ["uprightBass", "subBass"],
    harmonyFigures: ["comping", "broken"],
    bassFigures: ["roots", "syncopated"],
    drums: [
      { kick: "X......xX.......", snare: "....X.......X...", hat: "x.xox.xox.xox.xo" },
      { kick: "X.....x...x.....", rim: "....X.......X..o", hat: "x.x.x.x.x.x.x.x." },
    ],
    rhythms: [
      [-4, 3, 3, 6],
      [6, 4, 6],
      [2, 2, 4, -4, 4],
      [8, -2, 2, 4],
    ],
    register: 72,
    space: 0.35,
  },
  {
    name: "Jazz quartet",
    tempo: [150, 190],
    beatsPerBar: 4,
    swing: 0.33,
    scales: [major, mixolydian],
    progressions: [
      [1, 4, 0, 5],
      [0, 3, 1, 4],
      [2, 5, 1, 4],
    ],
    sevenths: true,
    lead: ["brass", "reed", "electricPiano"],
    harmony: ["electricPiano", "vibraphone"],
    bass: ["uprightBass"],
    harmonyFigures: ["comping"],
    bassFigures: ["walking"],
    drums: [
      { openHat: "x...x.o.x...x.o.", hat: "....x.......x...", kick: "o.......o......." },
      { hat: "x...x.xox...x.xo", rim: "....o.......x...", snare: "......o.......o." },
    ],
    rhythms: [
      [2, 2, 2, 2, 4, 4],
      [-2, 2, 2, 2, 2, 2, 4],
      [6, 2, 4, 4],
      [4, -2, 2, 2, 2, 4],
    ],
    register: 70,
    space: 0.25,
  },
];
