import { VirtualClock } from "@longwave/base";
import { FormantEngine, type SpeechEngine, SpeechService, Tts } from "@longwave/tts";
import { describe, expect, test } from "vitest";
import {
  AnnouncedProgramme,
  type Cue,
  type ProgrammeItem,
  type ProgrammeSource,
  VoiceOver,
} from "../src/index.ts";

const clock = new VirtualClock();
const speech = (engine: SpeechEngine = new FormantEngine()) =>
  new SpeechService({ workers: [new Tts({ engines: [engine] })], clock });

/** An item of so many blocks of constant sound. */
function item(title: string, blocks: number): ProgrammeItem {
  let left = blocks;
  return {
    cue: { item: "song", id: title, title, detail: "", lengthFrames: blocks * 960 },
    read(block) {
      if (left-- <= 0) return 0;
      block.fill(0.1);
      return 960;
    },
  };
}

async function play(source: ProgrammeSource, blocks: number): Promise<{ cues: Cue[]; sound: Float32Array }> {
  const cues: Cue[] = [];
  const sound = new Float32Array(blocks * 960);
  const block = new Float32Array(1920);
  for (let i = 0; i < blocks; i++) {
    source.read(block, (cue) => cues.push(cue));
    for (let k = 0; k < 960; k++) sound[i * 960 + k] = block[2 * k]!;
    await source.settle?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { cues, sound };
}

const rms = (sound: Float32Array) =>
  Math.sqrt(sound.reduce((sum, value) => sum + value * value, 0) / sound.length);

describe("a programme with announcements", () => {
  test("says what was and what comes between two songs, by name of engine and voice", async () => {
    const songs = [item("One", 60), item("Two", 60)];
    const programme = new AnnouncedProgramme({ next: () => songs.shift() ?? "end", speech: speech() });
    const { cues, sound } = await play(programme, 400);
    expect(cues.map((cue) => cue.item)).toEqual(["song", "announcement", "song"]);
    expect(cues[1]).toMatchObject({
      title: "That was One. And now: Two.",
      detail: "formant, voice formant",
    });
    expect(cues[1]!.lengthFrames).toBeGreaterThan(48_000);
    expect(rms(sound.subarray(100 * 960, 150 * 960))).toBeGreaterThan(0.01);
    expect(programme.ended).toBe(true);
  });

  test("goes on with the next song when the voice fails, and says so", async () => {
    const songs = [item("One", 5), item("Two", 5)];
    const failures: string[] = [];
    const programme = new AnnouncedProgramme({
      next: () => songs.shift() ?? "end",
      speech: speech(),
      voice: "nobody",
      onFailure: (reason) => void failures.push(reason),
    });
    const { cues } = await play(programme, 60);
    expect(cues.map((cue) => cue.title)).toEqual(["One", "Two"]);
    expect(failures[0]).toMatch(/No voice "nobody"/);
  });
});

describe("a voice over the programme", () => {
  const endless = (): ProgrammeSource => ({
    read: (block) => {
      block.fill(0.5);
      return 960;
    },
    ended: false,
    close: async () => {},
  });

  test("fades the programme down, speaks, and brings it back", async () => {
    const voice = new VoiceOver(endless(), speech(), clock);
    const states: string[] = [];
    voice.onChange = ({ state }) => void states.push(state);
    const before = await play(voice, 5);
    expect(rms(before.sound)).toBeCloseTo(0.5, 5);
    const report = await voice.say({ text: "Good evening." });
    expect(report).toMatchObject({ engine: "formant", state: "waiting" });
    const during = await play(voice, 100);
    expect(rms(during.sound.subarray(20 * 960, 40 * 960))).toBeLessThan(0.4);
    const after = await play(voice, 5);
    expect(rms(after.sound)).toBeCloseTo(0.5, 5);
    expect(states).toEqual(["on air", "done"]);
    expect(voice.reports[0]!.lengthMs).toBeGreaterThan(400);
  });

  test("lets a few texts wait and refuses more", async () => {
    const voice = new VoiceOver(endless(), speech(), clock);
    for (let i = 0; i < 4; i++) await voice.say({ text: `Number ${i}.` });
    await expect(voice.say({ text: "One more." })).rejects.toMatchObject({
      code: "station/speech-queue-full",
    });
    await play(voice, 20);
    expect(voice.reports.map(({ state }) => state)).toEqual(["waiting", "waiting", "waiting", "on air"]);
  });

  test("a voice that breaks off is reported and the programme comes back", async () => {
    const broken: SpeechEngine = {
      name: "broken",
      sampleRate: 24_000,
      defaultVoice: "x",
      listVoices: () => [{ id: "x", license: "MIT" }],
      async *speak() {
        yield new Float32Array(2400).fill(0.1);
        throw new Error("the engine died");
      },
      close: async () => {},
    };
    const voice = new VoiceOver(endless(), speech(broken), clock);
    await voice.say({ text: "Hello." });
    const { sound } = await play(voice, 60);
    expect(voice.reports[0]).toMatchObject({ state: "failed", problem: "the engine died" });
    expect(rms(sound.subarray(50 * 960))).toBeCloseTo(0.5, 5);
  });
});
