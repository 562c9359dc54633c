import { MemoryStore, VirtualClock } from "@longwave/base";
import { Catalog } from "@longwave/catalog";
import { encodeWav } from "@longwave/media";
import {
  ArchiveRecorder,
  blockUs,
  bondOverVirtualLinks,
  ChainedPath,
  makeRepertoire,
  OpusCodec,
  OpusListeners,
  Reception,
  Scope,
  SongRenderer,
  Station,
  StationArchive,
  songProgramme,
  VoiceOver,
} from "@longwave/station";
import type { Job } from "@longwave/station/jobs";
import { FormantEngine, SpeechService, Tts } from "@longwave/tts";
import { type AppOptions, createApp } from "../src/index.ts";

// One station in virtual time behind the whole API, shared by the tests of the app.
export const clock = new VirtualClock();
export const catalog = await Catalog.open(new MemoryStore(), { profile: "wang-v1" });
export const repertoire = makeRepertoire(7, 1);
export const scope = new Scope();
export const reception = new Reception(7);
export const archive = await StationArchive.open(new MemoryStore(), { clock, place: "memory" });
export const recorder = new ArchiveRecorder({
  archive,
  stream: "studio-1",
  clock,
  codec: "Opus",
  playedAtUs: (startFrame) => station.playedAtUs(startFrame),
  onEvent: (event) => void station.log.append(event),
});
export const codec = new OpusCodec();
export const speech = new SpeechService({ workers: [new Tts({ engines: [new FormantEngine()] })], clock });
export const voiceOver = new VoiceOver(songProgramme(repertoire, 7), speech, clock);
export const opusListeners = new OpusListeners("a test");
export const bond = bondOverVirtualLinks({
  clock,
  seed: 7,
  codec,
  onBlock: (packet, block, startFrame) => {
    recorder.write(packet, block, startFrame);
    opusListeners.write(packet);
  },
});
export const station = new Station({
  id: "studio-1",
  programme: "a test",
  clock,
  source: voiceOver,
  path: new ChainedPath(bond, reception),
  catalog,
  sinks: [scope],
  onPeak: (atMs, hz, decibels) => scope.addPeak(atMs, hz, decibels),
});
export const request = {
  source: "/music/a.opus",
  sha256: "0".repeat(64),
  maxAttempts: 5,
  attempts: 1,
  addedAtMs: 1,
};
export const jobs: readonly Job[] = [
  { ...request, id: "import-1", kind: "import", state: "running", startedAtMs: 2, worker: "one" },
  {
    ...request,
    id: "enroll-2",
    kind: "enroll",
    track: { id: "a", title: "A" },
    state: "failed",
    endedAtMs: 3,
    failure: { code: "media/malformed", message: "no sound" },
  },
];
export const host = {
  version: "0.0.0",
  stations: new Map([
    ["studio-1", { station, scope, reception, bond, recorder, opusListeners, voiceOver, codec }],
  ]),
  catalog,
  archive,
  jobs: {
    list: async ({ state }: { state?: string } = {}) =>
      jobs.filter((job) => state === undefined || job.state === state),
    counts: async () => ({ waiting: 0, running: 1, done: 0, failed: 1, cancelled: 0 }),
  },
  notReady: () => undefined as string | undefined,
};
export const options: AppOptions = {
  host,
  token: undefined,
  loopback: true,
  corsOrigins: [],
  consoleDirectory: undefined,
};
export const app = createApp(options);
export const base = "http://localhost";

export async function play(seconds: number): Promise<void> {
  for (let i = 0; i < seconds * 50; i++) {
    clock.runUntil(clock.nowUs() + blockUs);
    await station.settle();
    await recorder.settle();
  }
}

/** Ten seconds from second 20 of the first song, as a WAV file. */
export function excerpt(): Uint8Array {
  const renderer = new SongRenderer(repertoire[0]!);
  const block = new Float32Array(2 * 48_000);
  const clip = new Float32Array(10 * block.length);
  for (let second = 0; second < 30; second++) {
    renderer.read(block);
    if (second >= 20) clip.set(block, (second - 20) * block.length);
  }
  return encodeWav(clip, { sampleRate: 48_000, channels: 2, encoding: "s16" });
}
