import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Random, SeededRandom } from "@longwave/base";
import { sharedPath } from "@longwave/testkit";
import { type Condition, conditions } from "./conditions.js";
import { rms, scaled } from "./degrade.js";
import { scoreToMidi } from "./midi.js";
import { composeScore } from "./score.js";
import { cached, corpusRate, readSound, renderMidi, speak } from "./tools.js";

export interface Recording {
  readonly id: string;
  readonly kind: "music" | "speech" | "clip";
  readonly samples: Float32Array;
}

/** A degraded excerpt with the truth about it; `source` is undefined where nothing in the catalog is right. */
export interface CorpusQuery {
  readonly samples: Float32Array;
  readonly seconds: number;
  readonly condition: Condition;
  readonly kind: Recording["kind"] | "cover" | "other" | "noise";
  readonly source: string | undefined;
  /** Where the excerpt begins in the recording, seconds. */
  readonly start: number;
}

/** How much to make; `full` is the corpus of the published table. */
export interface CorpusSize {
  readonly songs: number;
  readonly voices: number;
  readonly bases: { readonly music: number; readonly speech: number; readonly clip: number };
  readonly otherSongs: number;
  readonly covers: number;
  readonly negatives: number;
}

export const sizes: Readonly<Record<"small" | "full", CorpusSize>> = {
  small: {
    songs: 20,
    voices: 4,
    bases: { music: 6, speech: 2, clip: 2 },
    otherSongs: 6,
    covers: 3,
    negatives: 400,
  },
  full: {
    songs: 60,
    voices: 12,
    bases: { music: 20, speech: 4, clip: 4 },
    otherSongs: 20,
    covers: 6,
    negatives: 3000,
  },
};

const lengths = [3, 5, 10];
const songSeconds = 75;
const voices = [
  "en-us",
  "en-gb",
  "de",
  "fr-fr",
  "es",
  "it",
  "pl",
  "pt-br",
  "nl",
  "sv",
  "cs",
  "tr",
  "fi",
  "hu",
];
const words =
  "river morning signal station window garden silver letter people answer music number winter market yellow stone " +
  "travel doctor evening corner simple orange record bridge paper mountain island summer picture story water light";

/** The seeded corpus: recordings to enroll, queries with their truth, and what must not be found. */
export class Corpus {
  readonly recordings: readonly Recording[];
  readonly #folder: string;
  readonly #seed: number;
  readonly #size: CorpusSize;
  readonly #others: readonly Recording[];
  readonly #covers: readonly Recording[];
  readonly #babble: Float32Array;

  /** @param cacheFolder where rendered sound is kept between runs */
  constructor(seed: number, size: CorpusSize, cacheFolder: string) {
    this.#seed = seed;
    this.#size = size;
    this.#folder = join(cacheFolder, `seed-${seed}`);
    mkdirSync(this.#folder, { recursive: true });
    const music = Array.from({ length: size.songs }, (_, i) => this.#song(i));
    const speech = Array.from({ length: size.voices }, (_, i) => this.#speech(i));
    this.recordings = [...music, ...speech, ...licensedClips()];
    const others = Array.from({ length: size.otherSongs }, (_, i) => this.#song(10_000 + i));
    this.#others = [...others, this.#speech(size.voices), this.#speech(size.voices + 1)];
    this.#covers = Array.from({ length: size.covers }, (_, i) =>
      this.#song(i, { seed: 500 + i, transpose: (i % 3) - 1 }),
    );
    this.#babble = this.#makeBabble();
  }

  /** Degraded excerpts of enrolled recordings. */
  *positives(list: readonly Condition[] = conditions): Generator<CorpusQuery> {
    for (const base of this.#bases()) {
      for (const condition of list) yield* this.#excerpts(base.recording, base.start, condition, base.name);
    }
  }

  /** Excerpts of recordings that are not enrolled, and noise, under conditions that need no other program. */
  *negatives(): Generator<CorpusQuery> {
    const random = this.#random(77);
    const own = conditions.filter(({ name }) => !/MP3|Opus|micro|tempo|pitch|speed/.test(name));
    for (let i = 0; i < this.#size.negatives; i++) {
      const condition = own[random.below(own.length)]!;
      const seconds = lengths[i % lengths.length]!;
      if (i % 50 === 49) {
        const hiss = Float32Array.from({ length: seconds * corpusRate }, () => 0.2 * (random.next() - 0.5));
        yield { samples: hiss, seconds, condition, kind: "noise", source: undefined, start: 0 };
        continue;
      }
      const source = this.#others[random.below(this.#others.length)]!;
      const start = random.next() * (source.samples.length / corpusRate - seconds);
      const excerpt = cut(source.samples, start, seconds);
      const samples = condition.apply(excerpt, this.#surroundings(random));
      yield { samples, seconds, condition, kind: "other", source: undefined, start };
    }
  }

  /** Excerpts of covers of enrolled songs: other instruments, sometimes another key; the recording is not in the catalog. */
  *coverQueries(): Generator<CorpusQuery> {
    const random = this.#random(78);
    const clean = conditions[0]!;
    for (const cover of this.#covers) {
      for (let i = 0; i < 24; i++) {
        const seconds = lengths[i % lengths.length]!;
        const start = random.next() * (cover.samples.length / corpusRate - seconds);
        const samples = cut(cover.samples, start, seconds);
        yield { samples, seconds, condition: clean, kind: "cover", source: undefined, start };
      }
    }
  }

  *#excerpts(
    recording: Recording,
    start: number,
    condition: Condition,
    name: string,
  ): Generator<CorpusQuery> {
    const longest = Math.max(...lengths);
    const file = join(this.#folder, `${name}-${condition.name.replaceAll(/[^a-z0-9.-]+/gi, "_")}.f32`);
    // Long enough that the excerpt lasts `longest` seconds after a change of tempo.
    const take = longest * condition.tempo;
    const random = this.#random(start * 1000);
    const degraded = cached(file, () =>
      condition.apply(cut(recording.samples, start, take), this.#surroundings(random)),
    );
    for (const seconds of lengths) {
      const from = (degraded.length / corpusRate - seconds) * random.next();
      yield {
        samples: cut(degraded, Math.max(0, from), seconds),
        seconds,
        condition,
        kind: recording.kind,
        source: recording.id,
        start: start + Math.max(0, from) * condition.tempo,
      };
    }
  }

  *#bases(): Generator<{ recording: Recording; start: number; name: string }> {
    const random = this.#random(79);
    for (const kind of ["music", "speech", "clip"] as const) {
      const choice = this.recordings.filter(
        (each) => each.kind === kind && each.samples.length > 12 * corpusRate,
      );
      for (let i = 0; i < this.#size.bases[kind]; i++) {
        const recording = choice[(i * 7) % choice.length]!;
        const start = this.#audibleStart(recording.samples, random);
        yield { recording, start, name: `${recording.id}-${Math.round(start * 1000)}`.replaceAll("/", "_") };
      }
    }
  }

  /** A random start such that each second of the excerpt is louder than RMS 0.003. */
  #audibleStart(samples: Float32Array, random: Random): number {
    const room = samples.length / corpusRate - 11.2;
    for (let attempt = 0; ; attempt++) {
      const start = random.next() * room;
      let audible = true;
      for (let s = 0; s < 11; s++) audible &&= rms(cut(samples, start + s, 1)) > 0.003;
      if (audible || attempt > 200) return start;
    }
  }

  #song(index: number, cover?: { seed: number; transpose: number }): Recording {
    const id = cover === undefined ? `song-${index}` : `cover-${index}`;
    const seed = this.#seed * 100_000 + index;
    const samples = cached(join(this.#folder, `${id}.f32`), () =>
      leveled(renderMidi(scoreToMidi(composeScore({ seed, seconds: songSeconds, ...(cover && { cover }) })))),
    );
    return { id, kind: "music", samples };
  }

  #speech(index: number): Recording {
    const id = `voice-${index}`;
    const random = this.#random(1000 + index);
    const vocabulary = words.split(" ");
    const sentence = () =>
      Array.from({ length: 7 }, () => vocabulary[random.below(vocabulary.length)]).join(" ");
    const text = Array.from({ length: 26 }, sentence).join(". ");
    const samples = cached(join(this.#folder, `${id}.f32`), () =>
      leveled(speak(text, voices[index % voices.length]!, 130 + random.below(60), 25 + random.below(50))),
    );
    return { id, kind: "speech", samples };
  }

  #makeBabble(): Float32Array {
    const length = 60 * corpusRate;
    const out = new Float32Array(length);
    for (let i = 0; i < 8; i++) {
      const voice = this.#speech(100 + i).samples;
      for (let k = 0; k < length; k++) out[k]! += voice[(k + i * 77_777) % voice.length]!;
    }
    return out;
  }

  #surroundings(random: Random) {
    const babble = (count: number) => {
      const start = random.below(this.#babble.length - count);
      return this.#babble.slice(start, start + count);
    };
    return { random, babble };
  }

  #random(stream: number): Random {
    return new SeededRandom(this.#seed, Math.floor(stream));
  }
}

function cut(samples: Float32Array, start: number, seconds: number): Float32Array {
  const from = Math.round(start * corpusRate);
  return samples.slice(from, from + Math.round(seconds * corpusRate));
}

/** Scaled to RMS -20 dBFS. */
function leveled(samples: Float32Array): Float32Array {
  return scaled(samples, 0.1 / rms(samples));
}

function licensedClips(): Recording[] {
  const names = [
    "bach_goldberg_aria",
    "bach_goldberg_var4",
    "beethoven_egmont",
    "beethoven_eroica_mvt1",
    "grieg_morning",
  ];
  const files = [...names.map((name) => `data/audio/catalog/${name}.ogg`), "data/audio/galway.wav"];
  return files.flatMap((file) => {
    const path = sharedPath(file);
    return path === undefined
      ? []
      : [{ id: file.slice(11), kind: "clip" as const, samples: leveled(readSound(path)) }];
  });
}
