// What no run-up of packets ever brings back once SILK has concealed: the seeds of concealment and comfort noise are
// counters, the envelope and the gain of the noise follow received pauses slowly, and two words tell what came right before.
// A decoder that is given them at a packet comes to the state of the one they are of within a few packets.
//
//   u8 1 = with the noise's excitation | u8 SILK's output channels | u8 its coded channels, then for each of these:
//   u8 rate of the noise in kHz | u8 type of the last frame |
//   u32 frames lost in a row | i32 seed of concealment | i32 seed of the noise | i32 gain of the noise, Q16 |
//   i16[10, or 16 at 16 kHz] envelope of the noise, Q15, then the excitation:
//   u8 count of its values | i32[count] these | u8[320] which one. Count 0: i32[320]
//
// Little-endian; nothing at all where the last frame was not SILK's, for then SILK is reset before its next use. The noise's
// excitation is that of the last inactive frames; it can be left out where these are decoded. It has few values: pulses in Q14.
import { PACKET_AT } from "../layout";
import { channelOf, CNG_EXCITATION_Q14, CNG_NLSF_Q15, MAX_FRAME } from "../silk/state";
import { silkDecoderValid } from "../silk/validate";
import { BAD_SNAPSHOT, silkMatters, STAGING_AT } from "./snapshot";
import { OpusState, silkOf, SLOT_BYTES } from "./state";

const HEAD_BYTES: usize = 3;
const CHANNEL_HEAD_BYTES: usize = 18;
const WIDE_ORDER: i32 = 16;
const NARROW_ORDER: i32 = 10;

function orderOf(rateKhz: i32): i32 {
  return rateKhz == 16 ? WIDE_ORDER : NARROW_ORDER;
}

const EXCITATION_BYTES: usize = <usize>MAX_FRAME << 2;
const MOST_VALUES: i32 = 255;

/** Writes the excitation from `at` on; returns where it ends. */
function saveExcitation(excitation: usize, at: usize): usize {
  const values = at + 1;
  let count: i32 = 0;
  for (let i: i32 = 0; i < MAX_FRAME; i++) {
    const value = load<i32>(excitation + (<usize>i << 2));
    let n: i32 = 0;
    while (n < count && load<i32>(values + (<usize>n << 2)) != value) n++;
    if (n < count) continue;
    if (count == MOST_VALUES) {
      store<u8>(at, 0);
      memory.copy(values, excitation, EXCITATION_BYTES);
      return values + EXCITATION_BYTES;
    }
    store<i32>(values + (<usize>count << 2), value);
    count++;
  }
  store<u8>(at, count);
  const indices = values + (<usize>count << 2);
  for (let i: i32 = 0; i < MAX_FRAME; i++) {
    const value = load<i32>(excitation + (<usize>i << 2));
    let n: i32 = 0;
    while (load<i32>(values + (<usize>n << 2)) != value) n++;
    store<u8>(indices + <usize>i, n);
  }
  return indices + <usize>MAX_FRAME;
}

/** Reads it; returns where it ends, or 0 where it does not fit. */
function loadExcitation(excitation: usize, at: usize, end: usize): usize {
  if (at >= end) return 0;
  const count = <usize>load<u8>(at);
  const values = at + 1;
  if (count == 0) {
    if (values + EXCITATION_BYTES > end) return 0;
    memory.copy(excitation, values, EXCITATION_BYTES);
    return values + EXCITATION_BYTES;
  }
  const indices = values + (count << 2);
  if (indices + <usize>MAX_FRAME > end) return 0;
  for (let i: usize = 0; i < <usize>MAX_FRAME; i++) {
    const n = <usize>load<u8>(indices + i);
    if (n >= count) return 0;
    store<i32>(excitation + (i << 2), load<i32>(values + (n << 2)));
  }
  return indices + <usize>MAX_FRAME;
}

/** Writes them to the packet region; returns how many bytes. */
export function saveLastingState(state: OpusState, withExcitation: bool): i32 {
  if (!silkMatters(state)) return 0;
  const silk = silkOf(state);
  store<u8>(PACKET_AT, withExcitation ? 1 : 0);
  store<u8>(PACKET_AT, silk.apiChannels, 1);
  store<u8>(PACKET_AT, silk.internalChannels, 2);
  let at = PACKET_AT + HEAD_BYTES;
  for (let n = 0; n < silk.internalChannels; n++) {
    const channel = channelOf(silk, n);
    store<u8>(at, channel.cngRateKhz);
    store<u8>(at, channel.prevSignalType, 1);
    store<i32>(at, channel.lossCount, 2);
    store<i32>(at, channel.plcSeed, 6);
    store<i32>(at, channel.cngSeed, 10);
    store<i32>(at, channel.cngGainQ16, 14);
    at += CHANNEL_HEAD_BYTES;
    const bytes = <usize>orderOf(channel.cngRateKhz) << 1;
    memory.copy(at, changetype<usize>(channel) + CNG_NLSF_Q15, bytes);
    at += bytes;
    if (withExcitation) at = saveExcitation(changetype<usize>(channel) + CNG_EXCITATION_Q14, at);
  }
  return <i32>(at - PACKET_AT);
}

/**
 * Gives them to a decoder that no packet or some have gone through. A refused image changes nothing.
 * @returns 0 or BAD_SNAPSHOT
 */
export function loadLastingState(state: OpusState, length: i32): i32 {
  const end = PACKET_AT + <usize>length;
  let at = PACKET_AT + HEAD_BYTES;
  if (at > end) return BAD_SNAPSHOT;
  memory.copy(STAGING_AT, changetype<usize>(state), SLOT_BYTES);
  const silk = silkOf(changetype<OpusState>(STAGING_AT));
  const form = load<u8>(PACKET_AT);
  if (form > 1) return BAD_SNAPSHOT;
  silk.apiChannels = load<u8>(PACKET_AT, 1);
  silk.internalChannels = load<u8>(PACKET_AT, 2);
  if (silk.internalChannels < 1 || silk.internalChannels > 2) return BAD_SNAPSHOT;
  for (let n = 0; n < silk.internalChannels; n++) {
    if (at + CHANNEL_HEAD_BYTES > end) return BAD_SNAPSHOT;
    const channel = channelOf(silk, n);
    channel.cngRateKhz = load<u8>(at);
    channel.prevSignalType = load<u8>(at, 1);
    channel.lossCount = load<i32>(at, 2);
    channel.plcSeed = load<i32>(at, 6);
    channel.cngSeed = load<i32>(at, 10);
    channel.cngGainQ16 = load<i32>(at, 14);
    at += CHANNEL_HEAD_BYTES;
    const bytes = <usize>orderOf(channel.cngRateKhz) << 1;
    if (at + bytes > end) return BAD_SNAPSHOT;
    memory.copy(changetype<usize>(channel) + CNG_NLSF_Q15, at, bytes);
    at += bytes;
    if (form == 0) continue;
    at = loadExcitation(changetype<usize>(channel) + CNG_EXCITATION_Q14, at, end);
    if (at == 0) return BAD_SNAPSHOT;
  }
  if (at != end || !silkDecoderValid(silk)) return BAD_SNAPSHOT;
  memory.copy(changetype<usize>(state), STAGING_AT, SLOT_BYTES);
  return 0;
}
