import { sharedCore } from "./core.ts";

/**
 * The two biquads of K-weighting (ITU-R BS.1770-5, annex 1) for any rate: b0 b1 b2 a1 a2 of the high shelf, then of the
 * high pass. The standard lists coefficients for 48 kHz only; these come from the analogue prototypes behind them by
 * the bilinear transform (parameters as published with De Man, "Evaluation of implementations of the EBU R128
 * loudness measurement", AES 2018) and reproduce the list.
 */
export function kWeighting(rateHz: number): number[] {
  const shelf = { hz: 1681.974450955533, gainDb: 3.999843853973347, q: 0.7071752369554196 };
  const pass = { hz: 38.13547087602444, q: 0.5003270373238773 };
  const high = fromDecibels(shelf.gainDb);
  const middle = fromDecibels(shelf.gainDb * 0.4996667741545416);
  const k = tangent(shelf.hz / rateHz);
  const a0 = 1 + k / shelf.q + k * k;
  const r = tangent(pass.hz / rateHz);
  const c0 = 1 + r / pass.q + r * r;
  return [
    (high + (middle * k) / shelf.q + k * k) / a0,
    (2 * (k * k - high)) / a0,
    (high - (middle * k) / shelf.q + k * k) / a0,
    (2 * (k * k - 1)) / a0,
    (1 - k / shelf.q + k * k) / a0,
    1,
    -2,
    1,
    (2 * (r * r - 1)) / c0,
    (1 - r / pass.q + r * r) / c0,
  ];
}

/** tan(pi x). */
function tangent(x: number): number {
  const core = sharedCore();
  return core.sinTurn(x / 2) / core.cosTurn(x / 2);
}

/** Amplitude ratio of decibels. */
function fromDecibels(decibels: number): number {
  const core = sharedCore();
  return core.exp2((decibels / 20) * core.log2(10));
}
