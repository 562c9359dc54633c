/** How a phoneme is made; it decides durations and how far it pulls its neighbours' formants. */
export type Manner =
  | "vowel"
  | "glide"
  | "liquid"
  | "nasal"
  | "fricative"
  | "stop"
  | "affricate"
  | "aspirate"
  | "silence";

/** Acoustic targets of one phoneme: formants in Hz, amplitudes in dB (0 = off), durations in ms. */
export interface Phoneme {
  readonly manner: Manner;
  readonly voiced: boolean;
  /** F1, F2, F3 at the start and, for diphthongs, at the end. */
  readonly formants: readonly [number, number, number];
  readonly glideTo?: readonly [number, number, number];
  readonly bandwidths: readonly [number, number, number];
  /** Frication through the parallel branch: A2 to A6 and the bypass AB. */
  readonly frication?: readonly [number, number, number, number, number, number];
  readonly durationMs: number;
  readonly minimumMs: number;
}

// Targets: D. H. Klatt, "Software for a cascade/parallel formant synthesizer", JASA 67 (1980), tables II and III; durations: D. H. Klatt,
// "Synthesis by rule of segmental durations in English sentences" (1979). Rounded.
const rows: readonly (readonly [
  name: string,
  manner: Manner,
  voiced: 0 | 1,
  formants: readonly number[],
  glideTo: readonly number[] | 0,
  bandwidths: readonly number[],
  frication: readonly number[] | 0,
  duration: number,
  minimum: number,
])[] = [
  ["IY", "vowel", 1, [310, 2020, 2960], [290, 2070, 2980], [45, 200, 400], 0, 155, 55],
  ["IH", "vowel", 1, [400, 1800, 2570], [470, 1600, 2600], [50, 100, 140], 0, 135, 40],
  ["EY", "vowel", 1, [480, 1720, 2520], [330, 2020, 2600], [70, 100, 200], 0, 190, 70],
  ["EH", "vowel", 1, [530, 1680, 2500], [620, 1530, 2530], [60, 90, 200], 0, 150, 70],
  ["AE", "vowel", 1, [620, 1660, 2430], [650, 1490, 2470], [70, 130, 300], 0, 200, 80],
  ["AA", "vowel", 1, [700, 1220, 2600], 0, [110, 70, 160], 0, 200, 90],
  ["AO", "vowel", 1, [600, 990, 2570], [630, 1040, 2600], [90, 100, 80], 0, 200, 90],
  ["AH", "vowel", 1, [620, 1220, 2550], 0, [80, 60, 140], 0, 140, 60],
  ["OW", "vowel", 1, [540, 1100, 2300], [450, 900, 2300], [80, 70, 70], 0, 200, 80],
  ["UH", "vowel", 1, [450, 1100, 2350], [500, 1180, 2390], [80, 100, 80], 0, 150, 60],
  ["UW", "vowel", 1, [350, 1250, 2200], [320, 900, 2200], [65, 110, 140], 0, 170, 70],
  ["ER", "vowel", 1, [470, 1270, 1540], [420, 1310, 1540], [100, 60, 110], 0, 180, 70],
  ["AY", "vowel", 1, [660, 1200, 2550], [400, 1880, 2500], [100, 90, 200], 0, 220, 120],
  ["AW", "vowel", 1, [640, 1230, 2550], [420, 940, 2350], [80, 70, 140], 0, 230, 120],
  ["OY", "vowel", 1, [550, 960, 2400], [360, 1820, 2450], [80, 60, 130], 0, 240, 130],
  ["AX", "vowel", 1, [500, 1400, 2450], 0, [70, 90, 150], 0, 110, 40],
  ["W", "glide", 1, [290, 610, 2150], 0, [50, 80, 60], 0, 80, 50],
  ["Y", "glide", 1, [260, 2070, 3020], 0, [40, 250, 500], 0, 80, 40],
  ["R", "liquid", 1, [310, 1060, 1380], 0, [70, 100, 120], 0, 80, 40],
  ["L", "liquid", 1, [330, 1050, 2880], 0, [50, 100, 280], 0, 80, 40],
  ["M", "nasal", 1, [480, 1270, 2130], 0, [60, 200, 200], 0, 75, 50],
  ["N", "nasal", 1, [480, 1340, 2470], 0, [60, 300, 300], 0, 70, 45],
  ["NG", "nasal", 1, [480, 2000, 2900], 0, [60, 300, 300], 0, 95, 60],
  ["F", "fricative", 0, [340, 1100, 2080], 0, [200, 120, 150], [0, 0, 0, 0, 0, 54], 110, 70],
  ["V", "fricative", 1, [220, 1100, 2080], 0, [60, 90, 120], [0, 0, 0, 0, 0, 46], 65, 40],
  ["TH", "fricative", 0, [320, 1290, 2540], 0, [200, 90, 200], [0, 0, 0, 0, 28, 46], 100, 60],
  ["DH", "fricative", 1, [270, 1290, 2540], 0, [60, 80, 170], [0, 0, 0, 0, 28, 40], 50, 30],
  ["S", "fricative", 0, [320, 1390, 2530], 0, [200, 80, 200], [0, 0, 0, 0, 52, 0], 115, 65],
  ["Z", "fricative", 1, [240, 1390, 2530], 0, [70, 60, 180], [0, 0, 0, 0, 49, 0], 80, 45],
  ["SH", "fricative", 0, [300, 1840, 2750], 0, [200, 100, 300], [0, 57, 48, 48, 46, 0], 120, 80],
  ["ZH", "fricative", 1, [300, 1840, 2750], 0, [70, 100, 300], [0, 53, 44, 44, 42, 0], 75, 45],
  ["HH", "aspirate", 0, [500, 1500, 2500], 0, [250, 120, 180], 0, 70, 30],
  ["P", "stop", 0, [400, 1100, 2150], 0, [250, 150, 220], [0, 0, 0, 0, 0, 60], 85, 50],
  ["B", "stop", 1, [200, 1100, 2150], 0, [60, 110, 130], [0, 0, 0, 0, 0, 58], 80, 50],
  ["T", "stop", 0, [400, 1600, 2600], 0, [250, 120, 250], [0, 30, 45, 57, 60, 0], 75, 45],
  ["D", "stop", 1, [200, 1600, 2600], 0, [60, 100, 170], [0, 40, 52, 55, 55, 0], 65, 40],
  ["K", "stop", 0, [300, 1990, 2850], 0, [250, 160, 330], [50, 43, 42, 42, 40, 0], 80, 50],
  ["G", "stop", 1, [200, 1990, 2850], 0, [60, 150, 280], [50, 43, 40, 40, 38, 0], 75, 45],
  ["CH", "affricate", 0, [350, 1800, 2820], 0, [200, 90, 300], [0, 50, 57, 50, 50, 0], 130, 80],
  ["JH", "affricate", 1, [260, 1800, 2820], 0, [60, 80, 270], [0, 46, 53, 46, 46, 0], 105, 65],
  ["_", "silence", 0, [500, 1500, 2500], 0, [100, 100, 150], 0, 100, 20],
];

/** All phonemes by their ARPAbet names; `_` is silence. */
export const phonemes: ReadonlyMap<string, Phoneme> = new Map(
  rows.map(([name, manner, voiced, formants, glideTo, bandwidths, frication, durationMs, minimumMs]) => {
    const phoneme = {
      manner,
      voiced: voiced === 1,
      formants: formants as unknown as Phoneme["formants"],
      bandwidths: bandwidths as unknown as Phoneme["bandwidths"],
      durationMs,
      minimumMs,
      ...(glideTo === 0 ? {} : { glideTo: glideTo as unknown as Phoneme["formants"] }),
      ...(frication === 0 ? {} : { frication: frication as unknown as NonNullable<Phoneme["frication"]> }),
    };
    return [name, phoneme];
  }),
);
