// Composes a song from a seed and writes it to a WAV file.
import { writeFileSync } from "node:fs";
import { encodeWav } from "@longwave/media";
import { composeSong, SongRenderer } from "@longwave/station";

const score = composeSong(Number(process.argv[3] ?? 7), 0);
const sound = new Float32Array(2 * score.lengthFrames);
new SongRenderer(score).read(sound);
writeFileSync(
  process.argv[2] ?? "song.wav",
  encodeWav(sound, { sampleRate: 48_000, channels: 2, encoding: "s16" }),
);
console.log(`${score.title}: ${score.style}, ${score.tempoBpm} bpm`);
