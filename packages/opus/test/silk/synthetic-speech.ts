// Speech-like test signal: a pulse train with gliding pitch through moving resonances, alternating with noise bursts
// and pauses. Integer generator and plain arithmetic only, so that every engine makes the same samples.

/** Interleaved i16 samples, `seconds` long. Channels differ in level and in their share of noise. */
export function syntheticSpeech(rateHz: number, channels: number, seconds: number, seed = 1): Int16Array {
  const length = Math.floor(rateHz * seconds);
  const pcm = new Int16Array(length * channels);
  let random = seed >>> 0;
  const noise = () => {
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
    return random / 2 ** 31 - 1;
  };
  const memory = [new Float64Array(3), new Float64Array(3), new Float64Array(3)];
  let phase = 0;
  for (let n = 0; n < length; n++) {
    const t = n / rateHz;
    const syllable = t * 3.1 - Math.floor(t * 3.1);
    const kind = Math.floor(t * 3.1) % 4;
    const level = syllable < 0.1 ? syllable * 10 : syllable > 0.85 ? (1 - syllable) / 0.15 : 1;
    const glide = t * 0.37 - Math.floor(t * 0.37);
    const pitch = 90 + 140 * (glide < 0.5 ? glide : 1 - glide) + 25 * syllable;
    phase += pitch / rateHz;
    let pulse = 0;
    if (phase >= 1) {
      phase -= 1;
      pulse = 1;
    }
    const voiced = kind !== 3 && !(kind === 2 && syllable > 0.5);
    let x = voiced ? pulse * 9 + noise() * 0.03 : noise() * 0.5;
    if (kind === 2 && syllable > 0.85) x = 0;
    // Three resonances; the cosine of the centre frequency is approximated by a parabola.
    const centres = [0.06 + 0.05 * glide, 0.16 - 0.06 * syllable, 0.32 + 0.04 * glide];
    for (let k = 0; k < 3; k++) {
      const state = memory[k]!;
      const f = Math.min(0.45, (centres[k]! * 16000) / Math.max(rateHz, 8000));
      const cosine = 1 - 8 * f * f * (1 - f * 0.62);
      const radius = 0.97 - 0.02 * k;
      const y = x + 2 * radius * cosine * state[0]! - radius * radius * state[1]!;
      state[1] = state[0]!;
      state[0] = y;
      x = y * 0.45;
    }
    const floor = noise() * 12;
    for (let channel = 0; channel < channels; channel++) {
      const pan = channel === 0 ? 1 : 0.55 + 0.35 * glide;
      const sample = x * level * 2600 * pan + floor + (channel === 1 ? noise() * 40 : 0);
      pcm[n * channels + channel] = Math.max(-32768, Math.min(32767, Math.round(sample)));
    }
  }
  return pcm;
}
