// Windowed-sinc interpolation at rational positions. Output n lies at n * step / phases in the input (both integers):
// whole part i, phase p. Tap k of its row weighs input sample i - taps/2 + 1 + k, at the distance
// x = p / phases + taps/2 - 1 - k from the output.

import { dotProduct8, dotProductPair8 } from "../../kernels/assembly/f32x4";
import { sinTurn } from "../../kernels/assembly/turns";

/**
 * Writes `rows` rows of `taps` f32 for the phases 0, 1/phases ... (rows - 1)/phases: h(x) = 2 fc sinc(2 fc x) times a
 * Kaiser window over |x| < taps/2; every row is scaled to the sum 1 in f64, so that a constant stays exactly constant.
 * @param cutoff fc in cycles a sample
 */
export function sincTable(table: usize, rows: i32, phases: i32, taps: i32, cutoff: f64, beta: f64): void {
  const half = f64(taps) / 2.0;
  for (let row = 0; row < rows; row++) {
    const at = table + (usize(row * taps) << 2);
    const fraction = f64(row) / f64(phases);
    let sum: f64 = 0;
    for (let k = 0; k < taps; k++) sum += sincTap(fraction + half - 1.0 - f64(k), half, cutoff, beta);
    for (let k = 0; k < taps; k++) {
      const value = sincTap(fraction + half - 1.0 - f64(k), half, cutoff, beta);
      store<f32>(at + (usize(k) << 2), f32(value / sum));
    }
  }
}

/** Without the window's constant 1 / I0(beta): the rows are scaled anyway. */
function sincTap(x: f64, half: f64, cutoff: f64, beta: f64): f64 {
  const ratio = x / half;
  const inside = 1.0 - ratio * ratio;
  if (inside < 0) return 0;
  const sinc = x == 0 ? 2.0 * cutoff : sinTurn(cutoff * x) / (Math.PI * x);
  return sinc * besselI0(beta * sqrt(inside));
}

/** Modified Bessel function of order 0 by its series, until terms no longer count in f64. */
function besselI0(x: f64): f64 {
  const square = (x * x) / 4.0;
  let sum: f64 = 1.0;
  let term: f64 = 1.0;
  for (let k: f64 = 1.0; term > sum * 1e-17; k += 1.0) {
    term *= square / (k * k);
    sum += term;
  }
  return sum;
}

/** Two products of neighbouring rows. */
const between: usize = memory.data(8, 16);

/**
 * Writes outputs as long as all their taps lie in the input, `room` at most; returns how many.
 * @param start index in the input of the first tap of the first output
 * @param phase of the first output, 0 to phases - 1
 * @param tableRows 0: the table has one row a phase; else it has tableRows + 1, between which to interpolate
 */
export function resample(
  input: usize,
  available: i32,
  start: i32,
  phase: i32,
  phases: i32,
  step: i32,
  table: usize,
  tableRows: i32,
  taps: i32,
  output: usize,
  room: i32,
): i32 {
  const whole = step / phases;
  const rest = step % phases;
  const rowBytes = usize(taps) << 2;
  let at = start;
  let p = phase;
  let count = 0;
  while (count < room && at + taps <= available) {
    const from = input + (usize(at) << 2);
    const to = output + (usize(count) << 2);
    let nextAt = at + whole;
    let nextPhase = p + rest;
    if (nextPhase >= phases) {
      nextPhase -= phases;
      nextAt++;
    }
    if (tableRows > 0) {
      const position = (f64(p) * f64(tableRows)) / f64(phases);
      const row = i32(position);
      const fraction = f32(position - f64(row));
      const first = table + usize(row) * rowBytes;
      dotProductPair8(from, first, from, first + rowBytes, taps, between);
      const low = load<f32>(between);
      store<f32>(to, low + fraction * (load<f32>(between, 4) - low));
    } else if (count + 1 < room && nextAt + taps <= available) {
      const next = input + (usize(nextAt) << 2);
      dotProductPair8(from, table + usize(p) * rowBytes, next, table + usize(nextPhase) * rowBytes, taps, to);
      count++;
      nextAt += whole;
      nextPhase += rest;
      if (nextPhase >= phases) {
        nextPhase -= phases;
        nextAt++;
      }
    } else {
      store<f32>(to, dotProduct8(from, table + usize(p) * rowBytes, taps));
    }
    count++;
    at = nextAt;
    p = nextPhase;
  }
  return count;
}
