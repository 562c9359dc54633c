import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Resampler } from "@longwave/dsp";
import { encodeWav } from "@longwave/media";

/** All sound of the corpus is mono at this rate until the last step. */
export const corpusRate = 44_100;

/** Runs a program that turns files in a scratch folder into others; throws with its messages where it fails. */
export function inScratch<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "longwave-corpus-"));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function run(program: string, args: readonly string[]): Buffer {
  const result = spawnSync(program, args, { maxBuffer: 1 << 28 });
  if (result.status === 0) return result.stdout;
  const reason = result.error?.message ?? result.stderr.toString().slice(-500);
  throw new Error(
    `${program} failed: ${reason}. The corpus needs fluidsynth, espeak-ng, ffmpeg and rubberband-cli.`,
  );
}

/** Any file as mono samples at `corpusRate`. */
export function readSound(path: string): Float32Array {
  const bytes = run("ffmpeg", [
    "-v",
    "error",
    "-i",
    path,
    "-ac",
    "1",
    "-ar",
    String(corpusRate),
    "-f",
    "f32le",
    "-",
  ]);
  return new Float32Array(new Uint8Array(bytes).buffer);
}

export function writeSound(path: string, samples: Float32Array): void {
  writeFileSync(path, encodeWav(samples, { sampleRate: corpusRate, channels: 1, encoding: "f32" }));
}

/** A whole signal at another rate. */
export function resampled(samples: Float32Array, from: number, to: number): Float32Array {
  const resampler = new Resampler({ from, to });
  try {
    const out = new Float32Array(resampler.maxOutputFrames(samples.length + resampler.lookaheadFrames));
    const written = resampler.process(samples, out);
    return out.slice(0, written + resampler.flush(out.subarray(written)));
  } finally {
    // A run makes thousands, more than wait for the collector.
    resampler.close();
  }
}

/** Encodes with ffmpeg and decodes again. */
export function throughCodec(
  samples: Float32Array,
  extension: string,
  options: readonly string[],
): Float32Array {
  return inScratch((folder) => {
    const [input, coded] = [join(folder, "in.wav"), join(folder, `coded.${extension}`)];
    writeSound(input, samples);
    run("ffmpeg", ["-v", "error", "-i", input, ...options, coded]);
    return readSound(coded);
  });
}

/** Changes tempo or pitch with the rubberband program. */
export function stretch(samples: Float32Array, change: { tempo?: number; pitch?: number }): Float32Array {
  return inScratch((folder) => {
    const [input, output] = [join(folder, "in.wav"), join(folder, "out.wav")];
    writeSound(input, samples);
    const tempo = change.tempo === undefined ? [] : ["-T", String(change.tempo)];
    const pitch = change.pitch === undefined ? [] : ["-f", String(change.pitch)];
    run("rubberband", ["-q", ...tempo, ...pitch, input, output]);
    return readSound(output);
  });
}

/** Renders a MIDI file with FluidSynth and the FluidR3 soundfont. */
export function renderMidi(midi: Uint8Array): Float32Array {
  return inScratch((folder) => {
    const [input, output] = [join(folder, "in.mid"), join(folder, "out.wav")];
    writeFileSync(input, midi);
    const font = "/usr/share/sounds/sf2/FluidR3_GM.sf2";
    run("fluidsynth", ["-ni", "-q", "-g", "0.6", "-r", String(corpusRate), "-F", output, font, input]);
    return readSound(output);
  });
}

/** Reads `text` aloud with an espeak-ng voice. */
export function speak(text: string, voice: string, wordsPerMinute: number, pitch: number): Float32Array {
  return inScratch((folder) => {
    const output = join(folder, "out.wav");
    run("espeak-ng", ["-v", voice, "-s", String(wordsPerMinute), "-p", String(pitch), "-w", output, text]);
    return readSound(output);
  });
}

/** Stored bytes, made by `make` where they are not there yet. */
export function cachedBytes(path: string, make: () => Uint8Array): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path));
  } catch {
    const bytes = make();
    writeFileSync(path, bytes);
    return bytes;
  }
}

/** Stored samples, made by `make` where they are not there yet. */
export function cached(path: string, make: () => Float32Array): Float32Array {
  const bytes = cachedBytes(path, () => {
    const { buffer, byteOffset, byteLength } = make();
    return new Uint8Array(buffer, byteOffset, byteLength);
  });
  return new Float32Array(bytes.buffer);
}
