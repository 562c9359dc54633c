import { composeScore, type ScoreOptions } from "./score.js";

/** A composed song played by decaying harmonics and noise bursts: plain, but the same everywhere and without a soundfont. */
export function song(options: ScoreOptions & { readonly sampleRate: number }): Float32Array {
  const { sampleRate, seconds } = options;
  const out = new Float32Array(Math.round(seconds * sampleRate));
  let state = 12345;
  for (const note of composeScore(options).notes) {
    const start = Math.round(note.start * sampleRate);
    const end = Math.min(out.length, start + Math.round((note.duration + 0.2) * sampleRate));
    const level = (0.12 * note.velocity) / 127;
    const turn = (2 * Math.PI * 440 * 2 ** ((note.pitch - 69) / 12)) / sampleRate;
    const decay = (note.channel === 9 ? 25 : 3) / sampleRate;
    for (let i = start; i < end; i++) {
      const t = i - start;
      let value = 0;
      if (note.channel === 9) {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
        value = state / 2 ** 31;
      } else for (let h = 1; h <= 5 && h * turn < 3; h++) value += Math.sin(h * turn * t) / h;
      out[i]! += level * value * Math.exp(-decay * t);
    }
  }
  return out;
}
