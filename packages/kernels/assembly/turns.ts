// Cosine and sine of rational parts of a turn in f64, for tables: the angle is reduced to [0, pi/4] in integers, so the
// result is within about one unit in the last place and the same on every machine.

/** cos(2 pi numerator / denominator); |numerator| and denominator up to 2^27. */
export function cosTurns(numerator: i32, denominator: i32): f64 {
  let k = numerator % denominator;
  if (k < 0) k += denominator;
  if (2 * k > denominator) k = denominator - k;
  // From here the angle is pi a / denominator, in [0, pi / 2] after mirroring at pi / 2.
  let a = 2 * k;
  let sign: f64 = 1.0;
  if (2 * a > denominator) {
    a = denominator - a;
    sign = -1.0;
  }
  if (4 * a > denominator) {
    return sign * sineOfSmall((Math.PI * f64(denominator - 2 * a)) / f64(2 * denominator));
  }
  return sign * cosineOfSmall((Math.PI * f64(a)) / f64(denominator));
}

/** sin(2 pi numerator / denominator); |numerator| and denominator up to 2^25. */
export function sinTurns(numerator: i32, denominator: i32): f64 {
  return cosTurns(4 * (numerator % denominator) - denominator, 4 * denominator);
}

/** Taylor series to x^17: the next term is below 1e-19 on [0, pi/4]. */
function sineOfSmall(x: f64): f64 {
  const y = x * x;
  let sum: f64 = 1.0 / 355687428096000.0;
  sum = sum * y - 1.0 / 1307674368000.0;
  sum = sum * y + 1.0 / 6227020800.0;
  sum = sum * y - 1.0 / 39916800.0;
  sum = sum * y + 1.0 / 362880.0;
  sum = sum * y - 1.0 / 5040.0;
  sum = sum * y + 1.0 / 120.0;
  sum = sum * y - 1.0 / 6.0;
  return x + x * (sum * y);
}

/** Taylor series to x^18. */
function cosineOfSmall(x: f64): f64 {
  const y = x * x;
  let sum: f64 = -1.0 / 6402373705728000.0;
  sum = sum * y + 1.0 / 20922789888000.0;
  sum = sum * y - 1.0 / 87178291200.0;
  sum = sum * y + 1.0 / 479001600.0;
  sum = sum * y - 1.0 / 3628800.0;
  sum = sum * y + 1.0 / 40320.0;
  sum = sum * y - 1.0 / 720.0;
  sum = sum * y + 1.0 / 24.0;
  sum = sum * y - 0.5;
  return 1.0 + sum * y;
}

/** cos(2 pi turns) for any finite number of turns; exact reduction, about one unit in the last place of f64. */
export function cosTurn(turns: f64): f64 {
  let x = abs(turns - nearest(turns));
  let sign: f64 = 1.0;
  if (x > 0.25) {
    x = 0.5 - x;
    sign = -1.0;
  }
  if (x > 0.125) return sign * sineOfSmall(2.0 * Math.PI * (0.25 - x));
  return sign * cosineOfSmall(2.0 * Math.PI * x);
}

/** sin(2 pi turns) for any finite number of turns. */
export function sinTurn(turns: f64): f64 {
  const x = turns - nearest(turns);
  const y = abs(x);
  const folded = y > 0.25 ? 0.5 - y : y;
  const value =
    folded > 0.125 ? cosineOfSmall(2.0 * Math.PI * (0.25 - folded)) : sineOfSmall(2.0 * Math.PI * folded);
  return x < 0 ? -value : value;
}
