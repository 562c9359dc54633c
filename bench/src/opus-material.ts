// What the Opus benches encode and decode: recorded music of the shared audio, and espeak-ng's voices.
import { execFileSync } from "node:child_process";
import { decodeAudioBytes, decodeAudioFile } from "@longwave/media/node";
import { sharedPath } from "@longwave/testkit";

/** A recording in the form that a codec takes. */
export interface Material {
  readonly name: string;
  readonly pcm: Int16Array;
  readonly sampleRate: 16000 | 48000;
  readonly channels: 1 | 2;
}

function toInt16(pcm: Float32Array): Int16Array {
  return Int16Array.from(pcm, (value) => Math.max(-32768, Math.min(32767, Math.round(value * 32768))));
}

/** 16 s of recorded music, 48 kHz stereo. */
export async function music(): Promise<Material> {
  const path = sharedPath("data/audio/galway_stereo.flac");
  if (path === undefined) throw new Error("The shared audio is absent: set LONGWAVE_SHARED.");
  const { pcm } = await decodeAudioFile(path, { sampleRate: 48000, channels: 2 });
  return { name: "music", pcm: toInt16(pcm), sampleRate: 48000, channels: 2 };
}

/** Four synthetic voices, 16 kHz mono. */
export async function speech(): Promise<Material> {
  return { name: "speech", pcm: await voices(16000), sampleRate: 16000, channels: 1 };
}

/** Four synthetic voices one after the other, mono. */
export async function voices(sampleRate: number): Promise<Int16Array> {
  const text =
    "Good evening. This is the news at nine. Rain is expected along the coast tonight, with strong winds from the west.";
  const voices = ["en-gb", "en-us", "de", "fr"];
  const parts: Float32Array[] = [];
  for (const voice of voices) {
    const wav = execFileSync("espeak-ng", ["-v", voice, "--stdout", text], { maxBuffer: 1 << 26 });
    const { pcm } = await decodeAudioBytes(new Uint8Array(wav), { sampleRate, channels: 1 });
    parts.push(pcm);
  }
  const joined = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return toInt16(joined);
}

/** A recording of any kind at 48 kHz. */
export interface Clip {
  readonly name: string;
  readonly pcm: Int16Array;
  readonly channels: 1 | 2;
}

/** The licensed recordings of the shared audio and two synthetic voices, at most `seconds` of each. */
export async function realClips(seconds: number): Promise<Clip[]> {
  const files: readonly (readonly [string, 1 | 2])[] = [
    ["galway_stereo.flac", 2],
    ["galway.flac", 1],
    ["piano.ogg", 1],
    ["catalog/bach_goldberg_aria.ogg", 1],
    ["catalog/bach_goldberg_var4.ogg", 1],
    ["catalog/beethoven_egmont.ogg", 1],
    ["catalog/beethoven_eroica_mvt1.ogg", 1],
    ["catalog/grieg_morning.ogg", 1],
  ];
  const clips: Clip[] = [];
  for (const [file, channels] of files) {
    const path = sharedPath(`data/audio/${file}`);
    if (path === undefined) throw new Error("The shared audio is absent: set LONGWAVE_SHARED.");
    const { pcm } = await decodeAudioFile(path, { sampleRate: 48000, channels });
    clips.push({ name: file, pcm: toInt16(pcm.subarray(0, seconds * 48000 * channels)), channels });
  }
  for (const voice of ["en-gb", "de"]) {
    const wav = execFileSync("espeak-ng", [
      "-v",
      voice,
      "--stdout",
      "Rain is expected along the coast tonight.",
    ]);
    const { pcm } = await decodeAudioBytes(new Uint8Array(wav), { sampleRate: 48000, channels: 1 });
    clips.push({ name: `espeak-ng ${voice}`, pcm: toInt16(pcm), channels: 1 });
  }
  return clips;
}
