import { MemoryStore } from "@longwave/base";
import { Catalog } from "@longwave/catalog";
import { extract } from "@longwave/fingerprint";
import { WatermarkDetector } from "@longwave/fingerprint/watermark";
import { makeRepertoire, OpusCodec, runVirtualStation, SongRenderer } from "@longwave/station";
import { FormantEngine, Tts } from "@longwave/tts";
import type { MeasureGroup } from "./measure-groups.ts";

/** What one run of a measure came to: seconds of sound in milliseconds of CPU time. */
export interface Run {
  readonly seconds: number;
  readonly cpuMs: number;
  /** What else is to be said of it, such as frames that were lost. */
  readonly note?: string;
}

/** Something that is measured on this machine: prepared once, run several times. */
export interface Measure {
  readonly name: string;
  readonly group: MeasureGroup;
  /** @param seconds of sound a run */
  readonly prepare: (seconds: number) => Promise<() => Promise<Run> | Run>;
}

const rate = 48_000;
const blockSamples = 2 * 960;

/** Composed music: 48 kHz, stereo, interleaved. */
function music(seconds: number): Float32Array {
  const sound = new Float32Array(2 * rate * seconds);
  const songs = makeRepertoire(7, 8);
  for (let at = 0, song = 0; at < sound.length; song++) {
    const renderer = new SongRenderer(songs[song % songs.length]!);
    for (let frames = 1; frames > 0 && at < sound.length; at += 2 * frames)
      frames = renderer.read(sound.subarray(at, at + blockSamples));
  }
  return sound;
}

function downmix(sound: Float32Array): Float32Array {
  return Float32Array.from({ length: sound.length / 2 }, (_, i) => (sound[2 * i]! + sound[2 * i + 1]!) / 2);
}

function blocksOf(sound: Float32Array): Float32Array[] {
  const count = Math.floor(sound.length / blockSamples);
  return Array.from({ length: count }, (_, i) => sound.subarray(i * blockSamples, (i + 1) * blockSamples));
}

/** Runs `work` over so many seconds of sound and takes its CPU time. */
async function timed(seconds: number, work: () => unknown): Promise<Run> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { seconds, cpuMs: (user + system) / 1000 };
}

/** Everything that `longwave bench` measures, in the order in which it is printed. */
export const measures: readonly Measure[] = [
  {
    name: "Opus encoder, music, stereo, 96 kbit/s, complexity 5",
    group: "opus",
    prepare: async (seconds) => {
      const blocks = blocksOf(music(seconds));
      const codec = new OpusCodec();
      return () =>
        timed(seconds, () => {
          for (const block of blocks) codec.encode(block, () => {});
        });
    },
  },
  {
    name: "Opus decoder, the same packets",
    group: "opus",
    prepare: async (seconds) => {
      const codec = new OpusCodec();
      const packets: Uint8Array[] = [];
      for (const block of blocksOf(music(seconds)))
        codec.encode(block, (packet) => packets.push(packet.slice()));
      const out = new Float32Array(blockSamples);
      return () =>
        timed(seconds, () => {
          for (const packet of packets) codec.decode(packet, 0, packet.length, 0, out);
        });
    },
  },
  ...(["mark-v1", "wang-v1"] as const).map(
    (profile): Measure => ({
      name: `fingerprint ${profile}, from 48 kHz`,
      group: "fingerprint",
      prepare: async (seconds) => {
        const samples = downmix(music(seconds));
        return () => timed(seconds, () => extract(profile, samples, { sampleRate: rate }));
      },
    }),
  ),
  {
    name: "identification of 5 s among 8 songs, mark-v1",
    group: "fingerprint",
    prepare: async (seconds) => {
      const catalog = await Catalog.open(new MemoryStore());
      for (const score of makeRepertoire(7, 8)) {
        const renderer = new SongRenderer(score);
        const sound = new Float32Array(2 * rate * 15);
        renderer.read(sound);
        await catalog.enroll({ id: score.id }, { samples: downmix(sound), sampleRate: rate });
      }
      const query = { samples: downmix(music(15)).subarray(5 * rate, 10 * rate), sampleRate: rate };
      const asked = Math.max(1, Math.floor(seconds / 5));
      return async () => {
        let found = 0;
        const run = await timed(5 * asked, async () => {
          for (let i = 0; i < asked; i++) if ((await catalog.identify(query)).match !== undefined) found++;
        });
        const note = `${(run.cpuMs / asked).toFixed(0)} ms a question, ${found} of ${asked} found`;
        return { ...run, note };
      };
    },
  },
  {
    name: "search for a watermark, stereo",
    group: "watermark",
    prepare: async (seconds) => {
      const sound = music(seconds);
      return () => {
        const detector = new WatermarkDetector({ sampleRate: rate, channels: 2, key: "bench" });
        return timed(seconds, () => {
          detector.process(sound, () => {});
          detector.flush(() => {});
        });
      };
    },
  },
  {
    name: "speech, built-in formant engine",
    group: "speech",
    prepare: async () => {
      const tts = new Tts({ engines: [new FormantEngine()] });
      return async () => {
        let seconds = 0;
        const run = await timed(0, async () => {
          const speech = tts.speak("The quick brown fox jumps over the lazy dog near the river bank.", {});
          for await (const block of speech) seconds += block.length / speech.sampleRate;
        });
        return { ...run, seconds };
      };
    },
  },
  {
    name: "whole station in virtual time",
    group: "station",
    prepare: async (seconds) => async () => {
      let concealed = 0;
      let [first, last, events] = [-1, -1, 0];
      let begun = process.cpuUsage();
      const run = await timed(seconds, () =>
        runVirtualStation({
          seed: 7,
          songs: 1,
          durationUs: seconds * 1e6,
          onEvent: (event) => {
            // Enrolling the programme, before it starts, is no part of it.
            if (event.type === "station.started") begun = process.cpuUsage();
            if (event.type === "sound.concealed") concealed += event.blocks;
            if (first < 0) first = event.seq;
            last = event.seq;
            events++;
          },
        }),
      );
      const { user, system } = process.cpuUsage(begun);
      const lost = last - first + 1 - events;
      const cpuMs = (user + system) / 1000;
      const note = `${((100 * cpuMs) / (1000 * seconds)).toFixed(1)} % of a core, ${concealed} frames concealed, ${lost} events lost`;
      return { ...run, cpuMs, note };
    },
  },
];
