import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Random, SeededRandom } from "@longwave/base";
import { sharedPath } from "@longwave/testkit";
import { type Condition, conditions, offGridConditions } from "./conditions.js";
import { rms, scaled } from "./degrade.js";
import { scoreToMidi } from "./midi.js";
import { composeScore } from "./score.js";
import { cached, corpusRate, readSound, renderMidi, speak } from "./tools.js";

export interface Recording {
  readonly id: string;
  readonly kind: "music" | "speech" | "clip";
  readonly samples: Float32Array;
}

/** What is true of an excerpt; `source` is undefined where nothing in the catalog is right. */
export interface QueryTruth {
  readonly seconds: number;
  /** Name and group of the condition under which it was degraded. */
  readonly condition: string;
  readonly group: string;
  readonly kind: Recording["kind"] | "cover" | "other" | "noise";
  readonly source: string | undefined;
  /** Where the excerpt begins in the recording, seconds. */
  readonly start: number;
  /** Tempo and pitch relative to the recording. */
  readonly tempo: number;
  readonly pitch: number;
}

/** A degraded excerpt with the truth about it. */
export interface CorpusQuery extends QueryTruth {
  readonly samples: Float32Array;
}

/** How much to make; `full` is the corpus of the published table. */
export interface CorpusSize {
  readonly songs: number;
  readonly songSeconds: number;
  readonly voices: number;
  readonly bases: { readonly music: number; readonly speech: number; readonly clip: number };
  readonly otherSongs: number;
  readonly covers: number;
  readonly negatives: number;
  /** Negatives of each of the lengths that no recall is measured for. */
  readonly lengthNegatives: number;
}

export const sizes: Readonly<Record<"small" | "full", CorpusSize>> = {
  small: {
    songs: 20,
    songSeconds: 75,
    voices: 4,
    bases: { music: 6, speech: 2, clip: 2 },
    otherSongs: 6,
    covers: 3,
    negatives: 400,
    lengthNegatives: 100,
  },
  full: {
    songs: 60,
    songSeconds: 90,
    voices: 12,
    bases: { music: 20, speech: 4, clip: 4 },
    otherSongs: 20,
    covers: 6,
    negatives: 3000,
    lengthNegatives: 300,
  },
};

const lengths = [3, 5, 10];
/** The shortest and the longest for which false accepts are predicted. */
const extremeLengths = [1, 30];
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

/** A part of the corpus that is made, stored and asked at once: the excerpts of one place, or a hundred negatives. */
export interface Shard {
  readonly name: string;
  readonly set: "positive" | "off grid" | "negative" | "length" | "cover";
  queries(): Generator<CorpusQuery>;
}

/** The shards in such an order that a run that was cut off has about the same part of every set and kind. */
export function evenly(shards: readonly Shard[]): Shard[] {
  const counts = new Map<string, number>();
  const places = shards.map((shard) => {
    const part = shard.name.replace(/-\d+$/, "");
    const before = counts.get(part) ?? 0;
    counts.set(part, before + 1);
    return { shard, part, place: before + 0.5 };
  });
  const share = ({ part, place }: (typeof places)[number]) => place / counts.get(part)!;
  return places.sort((a, b) => share(a) - share(b)).map(({ shard }) => shard);
}

const negativesPerShard = 100;
const excerptsPerCover = 24;

/** The seeded corpus: recordings to enroll, queries with their truth, and what must not be found. */
export class Corpus {
  /** Where rendered sound and queries are kept. */
  readonly folder: string;
  readonly #seed: number;
  readonly #size: CorpusSize;
  readonly #recordings = new Map<string, Recording>();
  #others: readonly Recording[] | undefined;
  #babble: Float32Array | undefined;

  /** @param cacheFolder where rendered sound is kept between runs */
  constructor(seed: number, size: CorpusSize, cacheFolder: string) {
    this.#seed = seed;
    this.#size = size;
    this.folder = join(cacheFolder, `seed-${seed}`);
    mkdirSync(this.folder, { recursive: true });
  }

  /** Ids of what is enrolled. */
  recordingIds(): string[] {
    const ids = (count: number, name: string) => Array.from({ length: count }, (_, i) => `${name}-${i}`);
    return [...ids(this.#size.songs, "song"), ...ids(this.#size.voices, "voice"), ...clipPaths().keys()];
  }

  /** A recording by its id, rendered at the first use. */
  recording(id: string): Recording {
    let recording = this.#recordings.get(id);
    if (recording === undefined) {
      const [kind, index] = id.split("-");
      if (kind === "song") recording = this.#song(Number(index));
      else if (kind === "voice") recording = this.#speech(Number(index));
      else recording = { id, kind: "clip", samples: leveled(readSound(clipPaths().get(id)!)) };
      this.#recordings.set(id, recording);
    }
    return recording;
  }

  /** All parts in a fixed order. Each has random streams of its own, so that any of them can be made alone. */
  shards(): Shard[] {
    const { bases, covers, negatives, lengthNegatives } = this.#size;
    const places = (["music", "speech", "clip"] as const).flatMap((kind) =>
      Array.from({ length: bases[kind] }, (_, i) => ({ kind, i })),
    );
    return [
      ...places.flatMap(({ kind, i }) =>
        (["positive", "off grid"] as const).map((set) => ({
          name: `${set}-${kind}-${i}`.replace(" ", "-"),
          set,
          queries: () => this.#positives(kind, i, set === "positive" ? conditions : offGridConditions),
        })),
      ),
      ...Array.from({ length: Math.ceil(negatives / negativesPerShard) }, (_, i) => ({
        name: `negative-${i}`,
        set: "negative" as const,
        queries: () => {
          const count = Math.min(negativesPerShard, negatives - i * negativesPerShard);
          return this.#negatives(77_000 + i, count, lengths);
        },
      })),
      ...extremeLengths.flatMap((seconds) =>
        Array.from({ length: Math.ceil(lengthNegatives / negativesPerShard) }, (_, i) => ({
          name: `length-${seconds}-${i}`,
          set: "length" as const,
          queries: () => this.#negatives(79_000 + 100 * seconds + i, negativesPerShard, [seconds]),
        })),
      ),
      ...Array.from({ length: covers }, (_, i) => ({
        name: `cover-${i}`,
        set: "cover" as const,
        queries: () => this.#coverQueries(i),
      })),
    ];
  }

  /** Degraded excerpts of an enrolled recording around one place. */
  *#positives(kind: Recording["kind"], index: number, list: readonly Condition[]): Generator<CorpusQuery> {
    const prefix = { music: "song-", speech: "voice-", clip: "data/" }[kind];
    const choice = this.recordingIds()
      .filter((id) => id.startsWith(prefix))
      .map((id) => this.recording(id))
      .filter((each) => each.samples.length > 12 * corpusRate);
    const recording = choice[(index * 7) % choice.length]!;
    const start = this.#audibleStart(recording.samples, this.#random(7900 + index));
    for (const condition of list) {
      const random = this.#random(start * 1000 + condition.name.length);
      // Long enough that the excerpt lasts the longest length after a change of tempo.
      const excerpt = cut(recording.samples, start, Math.max(...lengths) * condition.tempo);
      const degraded = condition.apply(excerpt, this.#surroundings(random));
      for (const seconds of lengths) {
        const from = Math.max(0, (degraded.length / corpusRate - seconds) * random.next());
        yield {
          samples: cut(degraded, from, seconds),
          seconds,
          condition: condition.name,
          group: condition.group,
          kind,
          source: recording.id,
          start: start + from * condition.tempo,
          tempo: condition.tempo,
          pitch: condition.pitch,
        };
      }
    }
  }

  /** Excerpts of recordings that are not enrolled, and noise, under conditions that need no other program. */
  *#negatives(stream: number, count: number, lengths: readonly number[]): Generator<CorpusQuery> {
    const random = this.#random(stream);
    const own = conditions.filter(({ name }) => !/MP3|Opus|micro|tempo|pitch|speed/.test(name));
    this.#others ??= [
      ...Array.from({ length: this.#size.otherSongs }, (_, i) => this.#song(10_000 + i)),
      this.#speech(this.#size.voices),
      this.#speech(this.#size.voices + 1),
    ];
    for (let i = 0; i < count; i++) {
      const condition = own[random.below(own.length)]!;
      const seconds = lengths[i % lengths.length]!;
      const truth = {
        condition: condition.name,
        group: "negative",
        source: undefined,
        tempo: 1,
        pitch: 1,
        seconds,
      };
      if (i % 50 === 49) {
        const hiss = Float32Array.from({ length: seconds * corpusRate }, () => 0.2 * (random.next() - 0.5));
        yield { ...truth, samples: hiss, kind: "noise", start: 0 };
        continue;
      }
      const source = this.#others[random.below(this.#others.length)]!;
      const start = random.next() * (source.samples.length / corpusRate - seconds);
      const samples = condition.apply(cut(source.samples, start, seconds), this.#surroundings(random));
      yield { ...truth, samples, kind: "other", start };
    }
  }

  /** Excerpts of a cover of an enrolled song: other instruments, sometimes another key; the recording is not in the catalog. */
  *#coverQueries(index: number): Generator<CorpusQuery> {
    const random = this.#random(78_000 + index);
    const cover = this.#song(index, { seed: 500 + index, transpose: (index % 3) - 1 });
    for (let i = 0; i < excerptsPerCover; i++) {
      const seconds = lengths[i % lengths.length]!;
      const start = random.next() * (cover.samples.length / corpusRate - seconds);
      const samples = cut(cover.samples, start, seconds);
      const truth = { condition: "clean", group: "cover", kind: "cover", source: undefined } as const;
      yield { ...truth, samples, seconds, start, tempo: 1, pitch: 1 };
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
    const samples = cached(join(this.folder, `${id}.f32`), () =>
      leveled(
        renderMidi(
          scoreToMidi(composeScore({ seed, seconds: this.#size.songSeconds, ...(cover && { cover }) })),
        ),
      ),
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
    const samples = cached(join(this.folder, `${id}.f32`), () =>
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
    this.#babble ??= this.#makeBabble();
    const all = this.#babble;
    const babble = (count: number) => {
      const start = random.below(all.length - count);
      return all.slice(start, start + count);
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

/** The licensed clips that are there, by id. */
function clipPaths(): Map<string, string> {
  const names = [
    "bach_goldberg_aria",
    "bach_goldberg_var4",
    "beethoven_egmont",
    "beethoven_eroica_mvt1",
    "grieg_morning",
  ];
  const files = [
    ...names.map((name) => `data/audio/catalog/${name}.ogg`),
    "data/audio/galway.wav",
    "data/audio/piano.ogg",
  ];
  return new Map(
    files.flatMap((file) => {
      const path = sharedPath(file);
      return path === undefined ? [] : [[file, path] as const];
    }),
  );
}
