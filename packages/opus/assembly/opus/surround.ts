// Masking between the channels of a surround signal (libopus mapping family 1): band energies of every channel, spread over
// their neighbours, against those of the left and of the right side together.
import { takeEmphasized } from "../celt/input";
import { measureBandNorms } from "../celt/energy-encode";
import { forwardMdct } from "../celt/forward-mdct";
import { floorOf, innerProduct, log2 } from "../celt/math";
import { FREQUENCIES_AT } from "../celt/scratch";
import { BANDS, MAX_LM, OVERLAP, SHORT_BLOCK } from "../celt/state";
import { OPUS_SCRATCH_AT, PCM_FLOAT_AT } from "../layout";
import { bandMeanEnergy } from "../tables/celt";

const INPUT: usize = OPUS_SCRATCH_AT + 0x1000;
const NORMS: usize = OPUS_SCRATCH_AT + 0x800;
const ONE_CHANNEL: usize = <usize>BANDS * 4;
const HALF: f32 = 0.5;
const ONE: f32 = 1.0;
const SILENT: f32 = -28.0;

/** Places of a channel: not part of the masks, left, centre, right. */
const LEFT: i32 = 1;
const CENTRE: i32 = 2;
const RIGHT: i32 = 3;

/** log2(1 + 2^-x) at multiples of 1/2. */
const sums: usize = memory.data<f32>(
  [0.5, 0.2924813, 0.160964, 0.0849625, 0.0437314, 0.0221971, 0.0111839, 0.0056136, 0.0028123, 0, 0, 0, 0, 0, 0, 0, 0],
  16,
);
/** Places of the channels of 3 to 8 channels, in the order of Vorbis. */
const places: usize = memory.data<u8>([
  1, 2, 3, 0, 0, 0, 0, 0, // 3
  1, 3, 1, 3, 0, 0, 0, 0, // 4
  1, 2, 3, 1, 3, 0, 0, 0, // 5
  1, 2, 3, 1, 3, 0, 0, 0, // 5.1
  1, 2, 3, 1, 3, 2, 0, 0, // 6.1
  1, 2, 3, 1, 3, 1, 3, 0, // 7.1
]);

function placeOf(channels: i32, channel: i32): i32 {
  return load<u8>(places + <usize>(8 * (channels - 3) + channel));
}

// State: f32[3][21] masks of left, both and right; then of each channel f32[21] logarithms, f32[120] past, f32 pre-emphasis.
const CHANNEL_BYTES: usize = ONE_CHANNEL + <usize>OVERLAP * 4 + 4;

export function surroundStateBytes(channels: i32): usize {
  return 3 * ONE_CHANNEL + <usize>channels * CHANNEL_BYTES;
}

function logsOf(surround: usize, channel: i32): usize {
  return surround + 3 * ONE_CHANNEL + <usize>channel * CHANNEL_BYTES;
}

/** Rough log2(2^a + 2^b). */
function logSum(a: f32, b: f32): f32 {
  const high = a > b ? a : b;
  const difference: f32 = a > b ? a - b : b - a;
  if (!(difference < 8.0)) return high;
  const low = floorOf(<f32>2.0 * difference);
  const rest: f32 = <f32>2.0 * difference - <f32>low;
  const at = sums + (<usize>low << 2);
  return high + load<f32>(at) + rest * (load<f32>(at, 4) - load<f32>(at));
}

function addToMask(mask: usize, logs: usize, offset: f32): void {
  for (let at: usize = 0; at < ONE_CHANNEL; at += 4) {
    store<f32>(mask + at, logSum(load<f32>(mask + at), load<f32>(logs + at) - offset));
  }
}

/** `frames` f32 of one channel at the PCM address; `upsample` = 48 kHz over their rate. */
export function takeSurroundChannel(
  surround: usize,
  channels: i32,
  channel: i32,
  frames: i32,
  upsample: i32,
): void {
  if (channel == 0) for (let i: usize = 0; i < 3 * ONE_CHANNEL; i += 4) store<f32>(surround + i, SILENT);
  const logs = logsOf(surround, channel);
  const past = logs + ONE_CHANNEL;
  const emphasis = past + <usize>OVERLAP * 4;
  const count = frames * upsample;
  let lm = 0;
  while (lm < MAX_LM && SHORT_BLOCK << lm != count) lm++;
  const block = SHORT_BLOCK << lm;
  const all = count + OVERLAP;
  memory.copy(INPUT, past, <usize>OVERLAP * 4);
  store<f32>(
    emphasis,
    takeEmphasized(PCM_FLOAT_AT, INPUT + <usize>OVERLAP * 4, count, upsample, load<f32>(emphasis)),
  );
  if (!(innerProduct(INPUT, INPUT, all) < 1e18)) {
    memory.fill(INPUT, 0, <usize>all << 2);
    store<f32>(emphasis, 0.0);
  }
  memory.fill(logs, 0, ONE_CHANNEL);
  for (let first = 0; first < count; first += block) {
    forwardMdct(INPUT + (<usize>first << 2), FREQUENCIES_AT, MAX_LM - lm, 1);
    if (upsample != 1) {
      const bound = <usize>(block / upsample) << 2;
      const factor = <f32>upsample;
      for (let at = FREQUENCIES_AT; at < FREQUENCIES_AT + bound; at += 4) store<f32>(at, load<f32>(at) * factor);
      memory.fill(FREQUENCIES_AT + bound, 0, (<usize>block << 2) - bound);
    }
    measureBandNorms(FREQUENCIES_AT, NORMS, lm);
    for (let at: usize = 0; at < ONE_CHANNEL; at += 4) {
      store<f32>(logs + at, max<f32>(load<f32>(logs + at), load<f32>(NORMS + at)));
    }
  }
  for (let at: usize = 0; at < ONE_CHANNEL; at += 4) {
    store<f32>(logs + at, log2(load<f32>(logs + at)) - load<f32>(bandMeanEnergy + at));
  }
  // Spreading by 6 dB a band upwards and 12 dB downwards.
  for (let at: usize = 4; at < ONE_CHANNEL; at += 4) {
    store<f32>(logs + at, max<f32>(load<f32>(logs + at), load<f32>(logs + at - 4) - ONE));
  }
  for (let band = BANDS - 2; band >= 0; band--) {
    const at = logs + (<usize>band << 2);
    store<f32>(at, max<f32>(load<f32>(at), load<f32>(at, 4) - <f32>2.0));
  }
  const place = placeOf(channels, channel);
  if (place == LEFT) addToMask(surround, logs, 0.0);
  else if (place == RIGHT) addToMask(surround + 2 * ONE_CHANNEL, logs, 0.0);
  else if (place == CENTRE) {
    addToMask(surround, logs, HALF);
    addToMask(surround + 2 * ONE_CHANNEL, logs, HALF);
  }
  memory.copy(past, INPUT + (<usize>count << 2), <usize>OVERLAP * 4);
}

/** Turns the logarithms of the channels into distances to their masks. */
export function finishSurroundMasks(surround: usize, channels: i32): void {
  const offset: f32 = HALF * log2(<f32>2.0 / <f32>(channels - 1));
  const both = surround + ONE_CHANNEL;
  const right = both + ONE_CHANNEL;
  for (let at: usize = 0; at < ONE_CHANNEL; at += 4) {
    store<f32>(both + at, min<f32>(load<f32>(surround + at), load<f32>(right + at)));
  }
  for (let at: usize = 0; at < 3 * ONE_CHANNEL; at += 4) {
    store<f32>(surround + at, load<f32>(surround + at) + offset);
  }
  for (let channel = 0; channel < channels; channel++) {
    const logs = logsOf(surround, channel);
    const place = placeOf(channels, channel);
    const mask = surround + <usize>(place - 1) * ONE_CHANNEL;
    for (let at: usize = 0; at < ONE_CHANNEL; at += 4) {
      store<f32>(logs + at, place ? load<f32>(logs + at) - load<f32>(mask + at) : <f32>0.0);
    }
  }
}

export function copySurroundMask(to: usize, surround: usize, channels: i32, channel: i32): void {
  memory.copy(to, logsOf(surround, min<i32>(channel, channels - 1)), ONE_CHANNEL);
}
