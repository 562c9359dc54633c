/**
 * Transcendental functions made of additions, multiplications and divisions alone, so that every engine gives the same
 * bits. Engines differ in the last bits of Math.cos, Math.log2 and their kin; a fingerprint must not.
 */

/** Taylor coefficients of cos(x) in powers of x², enough for |x| <= pi/4 at f64 precision. */
const cosine = [
  1,
  -1 / 2,
  1 / 24,
  -1 / 720,
  1 / 40_320,
  -1 / 3_628_800,
  1 / 479_001_600,
  -1 / 87_178_291_200,
];
/** Taylor coefficients of sin(x)/x in powers of x². */
const sine = [
  1,
  -1 / 6,
  1 / 120,
  -1 / 5040,
  1 / 362_880,
  -1 / 39_916_800,
  1 / 6_227_020_800,
  -1 / 1_307_674_368_000,
];

function horner(coefficients: readonly number[], x: number): number {
  let sum = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) sum = sum * x + coefficients[i]!;
  return sum;
}

/** cos(2 pi k / n) for integers k and n > 0, reduced to an eighth of a turn in exact integer arithmetic. */
export function cosTurn(k: number, n: number): number {
  let at = 8 * (((k % n) + n) % n);
  if (at > 4 * n) at = 8 * n - at;
  const negative = at > 2 * n;
  if (negative) at = 4 * n - at;
  const value = at <= n ? cosineOf(at, n) : sineOf(2 * n - at, n);
  return negative ? -value : value;
}

/** sin(2 pi k / n) for integers k and n > 0. */
export function sinTurn(k: number, n: number): number {
  return cosTurn(4 * k - n, 4 * n);
}

function cosineOf(eighths: number, n: number): number {
  const x = (Math.PI * eighths) / (4 * n);
  return horner(cosine, x * x);
}

function sineOf(eighths: number, n: number): number {
  const x = (Math.PI * eighths) / (4 * n);
  return x * horner(sine, x * x);
}

/** sin(pi x), reduced so that the series sees at most an eighth of a turn. */
export function sinPi(x: number): number {
  const magnitude = Math.abs(x);
  const whole = Math.floor(magnitude + 0.5);
  const rest = magnitude - whole;
  const distance = Math.abs(rest);
  const angle = Math.PI * (distance <= 0.25 ? distance : 0.5 - distance);
  const value = distance <= 0.25 ? angle * horner(sine, angle * angle) : horner(cosine, angle * angle);
  const negative = (x < 0 !== rest < 0) !== (whole % 2 === 1);
  return negative ? -value : value;
}

const word = new DataView(new ArrayBuffer(8));

/** exp(x) for |x| < 700: 2^k exp(r) with |r| <= ln 2 / 2. */
export function exactExp(x: number): number {
  const k = Math.floor(x / Math.LN2 + 0.5);
  const r = x - k * Math.LN2;
  let sum = 1;
  for (let n = 16; n >= 1; n--) sum = 1 + (r / n) * sum;
  return scaleByPowerOfTwo(sum, k);
}

function scaleByPowerOfTwo(value: number, k: number): number {
  word.setUint32(0, (k + 1023) << 20);
  word.setUint32(4, 0);
  return value * word.getFloat64(0);
}
