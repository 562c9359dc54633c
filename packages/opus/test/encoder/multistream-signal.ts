// Test signal for many channels: each has notes of its own, strokes of noise and pauses, so that channels mask each other and
// take turns.

/** Interleaved i16 samples, `seconds` long. */
export function multichannelSignal(rateHz: number, channels: number, seconds: number): Int16Array {
  const frames = Math.floor(rateHz * seconds);
  const pcm = new Int16Array(frames * channels);
  let random = 12345;
  const next = () => {
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
    return random / 2 ** 32;
  };
  for (let channel = 0; channel < channels; channel++) {
    const level = channel % 3 === 2 ? 0.3 : 1;
    let phase = 0;
    let pitchHz = 0;
    let noise = 0;
    for (let i = 0; i < frames; i++) {
      if (i % Math.floor(rateHz / 6) === 0) {
        pitchHz = 90 + next() * next() * 1500;
        noise = next() < 0.3 ? next() * 0.4 : 0.01;
      }
      phase = (phase + pitchHz / rateHz) % 1;
      const silent = Math.floor((i / rateHz) * 2.5 + channel) % 5 === 4;
      const saw = (2 * phase - 1) * (0.2 + 0.1 * Math.sign(phase - 0.4)) * level;
      const value = (saw + (next() - 0.5) * noise) * 16000;
      pcm[i * channels + channel] = silent ? 0 : Math.round(value);
    }
  }
  return pcm;
}
