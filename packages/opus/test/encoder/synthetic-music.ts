// Music-like test signal: decaying harmonic notes panned between the channels, and noise strokes. Oscillators are
// rotations by rational steps, so that every engine makes the same samples.

/** Interleaved i16 samples, `seconds` long. */
export function syntheticMusic(rateHz: number, channels: number, seconds: number, seed = 1): Int16Array {
  const length = Math.floor(rateHz * seconds);
  let random = seed >>> 0;
  const next = () => {
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
    return random / 2 ** 32;
  };
  const mix = new Float64Array(length * 2);
  for (let note = 0; note < seconds * 7; note++) {
    const start = Math.floor(next() * length);
    const duration = Math.floor((0.1 + next() * 0.9) * rateHz);
    const pan = next();
    const level = 0.03 + next() * 0.1;
    const pitchHz = 80 + next() * next() * 1800;
    const partials = 1 + Math.floor(next() * 9);
    for (let partial = 1; partial <= partials && pitchHz * partial < rateHz / 2.2; partial++) {
      addPartial(mix, start, duration, (pitchHz * partial) / rateHz, level / partial, pan);
    }
  }
  for (let stroke = 0; stroke < seconds * 2.5; stroke++) {
    const start = Math.floor((stroke / 2.5) * rateHz);
    let level = 0.25;
    for (let i = start; i < Math.min(length, start + rateHz / 8); i++) {
      const value = (next() - 0.5) * level;
      mix[2 * i]! += value;
      mix[2 * i + 1]! += value * 0.7;
      level *= 1 - 60 / rateHz;
    }
  }
  const pcm = new Int16Array(length * channels);
  for (let i = 0; i < length; i++) {
    if (channels === 2) {
      pcm[2 * i] = toInt16(mix[2 * i]!);
      pcm[2 * i + 1] = toInt16(mix[2 * i + 1]!);
    } else {
      pcm[i] = toInt16((mix[2 * i]! + mix[2 * i + 1]!) * 0.7);
    }
  }
  return pcm;
}

/** A decaying sinusoid by the rotation (1 - t^2, 2t) / (1 + t^2), t = tan(pi f) approximated. */
function addPartial(
  mix: Float64Array,
  start: number,
  duration: number,
  frequency: number,
  level: number,
  pan: number,
): void {
  const angle = Math.PI * frequency;
  const t = angle + (angle * angle * angle) / 3;
  const c = (1 - t * t) / (1 + t * t);
  const s = (2 * t) / (1 + t * t);
  const decay = 1 - 4 / duration;
  let x = 0;
  let y = level;
  const end = Math.min(mix.length / 2, start + duration);
  for (let i = start; i < end; i++) {
    const attack = Math.min(1, (i - start) / 100);
    mix[2 * i]! += x * attack * (1 - pan);
    mix[2 * i + 1]! += x * attack * pan;
    const nextX = (x * c + y * s) * decay;
    y = (y * c - x * s) * decay;
    x = nextX;
  }
}

function toInt16(value: number): number {
  return Math.max(-32768, Math.min(32767, Math.round(value * 30000)));
}
