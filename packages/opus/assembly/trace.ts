// Side information of the frames that were decoded while tracing is on, for `inspectPacket`. Off, it costs a load per frame.
import { Allocation } from "./celt/allocation";
import { BAND_BITS_AT, BOOSTS_AT, FINE_BITS_AT, TF_CHANGE_AT } from "./celt/scratch";
import { BANDS, CeltState, logEnergy } from "./celt/state";
import { OPUS_SCRATCH_AT } from "./layout";
import { PULSES, STEREO_PREDICTORS } from "./silk/scratch";
import { ChannelState, GAIN_INDICES, LTP_INDICES, NLSF_INDICES, VAD_FLAGS } from "./silk/state";

/** u32 on/off, u32 count, then records. */
export const TRACE_AT: usize = OPUS_SCRATCH_AT + 0xc000;
const RECORDS_AT: usize = TRACE_AT + 16;
/** A packet has at most 48 CELT frames, or 6 SILK frames of two channels, redundancy and 12 CELT frames. */
const MAX_RECORDS: u32 = 120;
const RECORD_BYTES: usize = 640;
const KIND_SILK: i32 = 1;
const KIND_CELT: i32 = 2;

/** Starting forgets what was recorded, stopping keeps it. */
export function setTrace(on: bool): void {
  store<u32>(TRACE_AT, u32(on));
  if (on) store<u32>(TRACE_AT, 0, 4);
}

/** Address of a fresh record, or 0 where tracing is off or full. */
function nextRecord(kind: i32): usize {
  const count = load<u32>(TRACE_AT, 4);
  if (load<u32>(TRACE_AT) == 0 || count >= MAX_RECORDS) return 0;
  store<u32>(TRACE_AT, count + 1, 4);
  const at = RECORDS_AT + <usize>count * RECORD_BYTES;
  memory.fill(at, 0, RECORD_BYTES);
  store<i32>(at, kind);
  return at;
}

/** The indices of a SILK frame of one channel, after its pulses were read. */
export function traceSilk(c: ChannelState, frame: i32, redundant: bool, coding: i32): void {
  const at = nextRecord(KIND_SILK);
  if (!at) return;
  const base = changetype<usize>(c);
  store<i32>(at, frame, 4);
  store<i32>(at, i32(redundant), 8);
  store<i32>(at, c.signalType, 12);
  store<i32>(at, c.quantOffsetType, 16);
  for (let i: usize = 0; i < 4; i++) {
    store<i32>(at + 20 + (i << 2), load<i8>(base + GAIN_INDICES + i));
    store<i32>(at + 52 + (i << 2), load<i8>(base + LTP_INDICES + i));
  }
  store<i32>(at, c.nlsfInterpolation, 36);
  store<i32>(at, c.lagIndex, 40);
  store<i32>(at, c.contourIndex, 44);
  store<i32>(at, c.periodicityIndex, 48);
  store<i32>(at, c.ltpScaleIndex, 68);
  store<i32>(at, c.seed, 72);
  store<i32>(at, c.lpcOrder, 76);
  for (let i: usize = 0; i < 17; i++) store<i32>(at + 80 + (i << 2), load<i8>(base + NLSF_INDICES + i));
  let pulses = 0;
  for (let i = 0; i < c.frameLength; i++) pulses += abs<i32>(load<i16>(PULSES + (<usize>i << 1)));
  store<i32>(at, pulses, 148);
  store<i32>(at, coding, 152);
  store<i32>(at, c.subframes, 156);
  store<i32>(at, load<i32>(STEREO_PREDICTORS), 160);
  store<i32>(at, load<i32>(STEREO_PREDICTORS, 4), 164);
  store<i32>(at, load<i32>(base + VAD_FLAGS + (<usize>frame << 2)), 168);
}

/** The side information of a CELT frame, after its energies are complete. */
export function traceCelt(
  state: CeltState,
  allocation: Allocation,
  lm: i32,
  silence: bool,
  transient: i32,
  intra: i32,
  spread: i32,
  trim: i32,
  postfilterPeriod: i32,
  postfilterGain: f32,
  postfilterTapset: i32,
  antiCollapse: bool,
): void {
  const at = nextRecord(KIND_CELT);
  if (!at) return;
  store<i32>(at, lm, 4);
  store<i32>(at, state.streamChannels, 8);
  store<i32>(at, state.startBand, 12);
  store<i32>(at, state.endBand, 16);
  store<i32>(at, i32(silence), 20);
  store<i32>(at, transient, 24);
  store<i32>(at, intra, 28);
  store<i32>(at, spread, 32);
  store<i32>(at, trim, 36);
  store<i32>(at, postfilterPeriod, 40);
  store<f32>(at, postfilterGain, 44);
  store<i32>(at, postfilterTapset, 48);
  store<i32>(at, allocation.codedBands, 52);
  store<i32>(at, allocation.intensity, 56);
  store<i32>(at, allocation.dualStereo, 60);
  store<i32>(at, i32(antiCollapse), 64);
  const row = <usize>BANDS << 2;
  memory.copy(at + 68, TF_CHANGE_AT, row);
  memory.copy(at + 68 + row, BOOSTS_AT, row);
  memory.copy(at + 68 + 2 * row, BAND_BITS_AT, row);
  memory.copy(at + 68 + 3 * row, FINE_BITS_AT, row);
  memory.copy(at + 68 + 4 * row, logEnergy(state), 2 * row);
}
