import { TtsError } from "../errors.ts";
import { elementaryFunctions } from "../model/core.ts";

/** Most taps of the filter; the rates of the field need at most 20 * 441 + 1 per phase pair. */
const maxTaps = 4_000_001;

/**
 * Polyphase resampling with the filter of scipy's `resample_poly`: N = 10 max(up, down), 2N + 1 taps of a Kaiser(5)-windowed sinc
 * with cut-off 1/max(up, down), unit gain at 0 Hz, scaled by `up` and rounded to single precision;
 * y[m] = sum over k of x[k] h[N + m down - k up]. For voices, where the reference resamples so; not for streams.
 *
 * @returns ceil(x.length * up / down) samples
 * @throws TtsError `tts/option-invalid` for rates that are not whole numbers of Hz or whose ratio is out of reach
 */
export function resamplePoly(x: Float32Array, fromHz: number, toHz: number): Float32Array {
  if (!(Number.isInteger(fromHz) && Number.isInteger(toHz) && fromHz > 0 && toHz > 0)) {
    throw new TtsError(
      "tts/option-invalid",
      `Cannot resample from ${fromHz} to ${toHz} Hz: give whole rates.`,
    );
  }
  const divisor = greatestCommonDivisor(fromHz, toHz);
  const up = toHz / divisor;
  const down = fromHz / divisor;
  if (up === down) return x.slice();
  const half = 10 * Math.max(up, down);
  if (2 * half + 1 > maxTaps) {
    throw new TtsError("tts/option-invalid", `The ratio of ${fromHz} to ${toHz} Hz needs too long a filter.`);
  }
  const filter = lowPass(half, Math.max(up, down), up);
  const count = Math.ceil((x.length * up) / down);
  const y = new Float32Array(count);
  for (let m = 0; m < count; m++) {
    const centre = half + m * down;
    const last = Math.min(x.length - 1, Math.floor(centre / up));
    const first = Math.max(0, Math.ceil((centre - 2 * half) / up));
    let sum = 0;
    for (let k = first; k <= last; k++) sum += x[k]! * filter[centre - k * up]!;
    y[m] = sum;
  }
  return y;
}

function lowPass(half: number, cutoffDivisor: number, gain: number): Float32Array {
  const { sine } = elementaryFunctions();
  const taps = new Float64Array(2 * half + 1);
  const edge = besselI0(5);
  let sum = 0;
  for (let i = 0; i <= 2 * half; i++) {
    const at = i - half;
    const z = (Math.PI * at) / cutoffDivisor;
    const sinc = at === 0 ? 1 : sine(z) / z;
    const ratio = at / half;
    taps[i] = sinc * (besselI0(5 * Math.sqrt(Math.max(0, 1 - ratio * ratio))) / edge);
    sum += taps[i]!;
  }
  return Float32Array.from(taps, (tap) => (tap / sum) * gain);
}

/** Modified Bessel function of order 0 by its series, for arguments up to 10. */
function besselI0(x: number): number {
  const quarter = (x * x) / 4;
  let term = 1;
  let sum = 1;
  for (let k = 1; k < 60; k++) {
    term *= quarter / (k * k);
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
