// Low-pass with a moving cut-off that hides a switch of the internal rate, and the pitch-following cut-off of the
// Opus layer's high-pass.
import { transitionLpA, transitionLpB, VARIABLE_HP_MAX_CUTOFF_HZ, VARIABLE_HP_MIN_CUTOFF_HZ } from "../tables/encoder-tuning";
import { TRANSITION_A_Q28, TRANSITION_B_Q28 } from "./encoder-scratch";
import { ChannelEncoder, ENC_INPUT_QUALITY_Q15 } from "./encoder-state";
import { clampInt, linearToLog, sat16, shiftRound, smlawb, smulbb, smulwb } from "./fixed-point";
import { SIGNAL_VOICED } from "./state";

export const TRANSITION_FRAMES: i32 = 256;
const LAST_POINT: i32 = 4;

function interpolateTaps(output: usize, table: usize, taps: i32, index: i32, fraction: i32): void {
  for (let k: i32 = 0; k < taps; k++) {
    const here = load<i32>(table + (usize(index * taps + k) << 2));
    let value = here;
    if (index < LAST_POINT && fraction > 0) {
      const next = load<i32>(table + (usize((index + 1) * taps + k) << 2));
      // The factor of smlawb has 16 bits with sign, hence from the nearer end.
      value = fraction < 32768 ? smlawb(here, next - here, fraction) : smlawb(next, next - here, fraction - 65536);
    }
    store<i32>(output + (usize(k) << 2), value);
  }
}

/** Filters i16[length] in place while a transition is under way. */
export function filterTransition(c: ChannelEncoder, frame: usize, length: i32): void {
  if (c.transitionMode == 0) return;
  const position = (TRANSITION_FRAMES - c.transitionFrame) << 10;
  const index = min(position >> 16, LAST_POINT);
  const fraction = position - (index << 16);
  interpolateTaps(TRANSITION_B_Q28, transitionLpB, 3, index, fraction);
  interpolateTaps(TRANSITION_A_Q28, transitionLpA, 2, index, fraction);
  c.transitionFrame = clampInt(c.transitionFrame + c.transitionMode, 0, TRANSITION_FRAMES);

  const b0 = load<i32>(TRANSITION_B_Q28);
  const b1 = load<i32>(TRANSITION_B_Q28, 4);
  const b2 = load<i32>(TRANSITION_B_Q28, 8);
  // Negated denominators in two parts, for products of 32 by 16 bits.
  const a0 = -load<i32>(TRANSITION_A_Q28);
  const a1 = -load<i32>(TRANSITION_A_Q28, 4);
  const a0Low = a0 & 0x3fff;
  const a0High = a0 >> 14;
  const a1Low = a1 & 0x3fff;
  const a1High = a1 >> 14;
  let s0 = c.transitionState0;
  let s1 = c.transitionState1;
  for (let k: i32 = 0; k < length; k++) {
    const at = frame + (usize(k) << 1);
    const x = i32(load<i16>(at));
    const y = smlawb(s0, b0, x) << 2;
    s0 = s1 + shiftRound(smulwb(y, a0Low), 14);
    s0 = smlawb(s0, y, a0High);
    s0 = smlawb(s0, b1, x);
    s1 = shiftRound(smulwb(y, a1Low), 14);
    s1 = smlawb(s1, y, a1High);
    s1 = smlawb(s1, b2, x);
    store<i16>(at, i16(sat16((y + (1 << 14) - 1) >> 14)));
  }
  c.transitionState0 = s0;
  c.transitionState1 = s1;
}

/** Moves the cut-off of the high-pass towards the pitch of the last frame. */
export function followPitch(c: ChannelEncoder): void {
  if (c.prevSignalType != SIGNAL_VOICED) return;
  const frequencyQ16 = ((c.rateKhz * 1000) << 16) / c.prevLag;
  let logQ7 = linearToLog(frequencyQ16) - (16 << 7);
  const quality = load<i32>(changetype<usize>(c) + ENC_INPUT_QUALITY_Q15);
  const lowestQ7 = linearToLog(VARIABLE_HP_MIN_CUTOFF_HZ << 16) - (16 << 7);
  logQ7 = smlawb(logQ7, smulwb(-quality << 2, quality), logQ7 - lowestQ7);
  let delta = logQ7 - (c.highPassSmooth1Q15 >> 8);
  if (delta < 0) delta *= 3;
  // 0.4 in Q7 and 0.1 in Q16.
  delta = clampInt(delta, -51, 51);
  const smoothed = smlawb(c.highPassSmooth1Q15, smulbb(c.speechActivityQ8, delta), 6554);
  c.highPassSmooth1Q15 = clampInt(
    smoothed,
    linearToLog(VARIABLE_HP_MIN_CUTOFF_HZ) << 8,
    linearToLog(VARIABLE_HP_MAX_CUTOFF_HZ) << 8,
  );
}
