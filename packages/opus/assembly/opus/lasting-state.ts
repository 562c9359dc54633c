// What no run-up of packets ever brings back once SILK has concealed: the seeds of concealment and comfort noise are
// counters, the envelope and the gain of the noise follow received pauses slowly, and a few words tell what came right before.
// A decoder that is given them at a packet comes to the state of the one they are of within a few packets.
//
//   u8 SILK's output channels | u8 its coded channels, then for each of these:
//   u8 rate of the noise in kHz | u8 type of the last coded frame | u8 type of the last frame | i16 last lag index |
//   u32 frames lost in a row | i32 seed of concealment | i32 seed of the noise | i32 gain of the noise, Q16 |
//   i16[10, or 16 at 16 kHz] envelope of the noise, Q15
//
// Little-endian; nothing at all where the last frame was not SILK's, for then SILK is reset before its next use. The noise's
// excitation is not among them: it is that of the last inactive frames.
import { PACKET_AT } from "../layout";
import { channelOf, ChannelState, CNG_NLSF_Q15 } from "../silk/state";
import { silkDecoderValid } from "../silk/validate";
import { BAD_SNAPSHOT, silkMatters, STAGING_AT } from "./snapshot";
import { OpusState, silkOf, SLOT_BYTES } from "./state";

const HEAD_BYTES: usize = 2;
const CHANNEL_HEAD_BYTES: usize = 21;
const WIDE_ORDER: i32 = 16;
const NARROW_ORDER: i32 = 10;

function orderOf(rateKhz: i32): i32 {
  return rateKhz == 16 ? WIDE_ORDER : NARROW_ORDER;
}

/** Writes them to the packet region; returns how many bytes. */
export function saveLastingState(state: OpusState): i32 {
  if (!silkMatters(state)) return 0;
  const silk = silkOf(state);
  store<u8>(PACKET_AT, silk.apiChannels);
  store<u8>(PACKET_AT, silk.internalChannels, 1);
  let at = PACKET_AT + HEAD_BYTES;
  for (let n = 0; n < silk.internalChannels; n++) {
    const channel = channelOf(silk, n);
    store<u8>(at, channel.cngRateKhz);
    store<u8>(at, channel.prevSignalTypeCoded, 1);
    store<u8>(at, channel.prevSignalType, 2);
    store<i16>(at, <i16>channel.prevLagIndex, 3);
    store<i32>(at, channel.lossCount, 5);
    store<i32>(at, channel.plcSeed, 9);
    store<i32>(at, channel.cngSeed, 13);
    store<i32>(at, channel.cngGainQ16, 17);
    at += CHANNEL_HEAD_BYTES;
    const bytes = <usize>orderOf(channel.cngRateKhz) << 1;
    memory.copy(at, changetype<usize>(channel) + CNG_NLSF_Q15, bytes);
    at += bytes;
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
  silk.apiChannels = load<u8>(PACKET_AT);
  silk.internalChannels = load<u8>(PACKET_AT, 1);
  if (silk.internalChannels < 1 || silk.internalChannels > 2) return BAD_SNAPSHOT;
  for (let n = 0; n < silk.internalChannels; n++) {
    if (at + CHANNEL_HEAD_BYTES > end) return BAD_SNAPSHOT;
    const channel = channelOf(silk, n);
    channel.cngRateKhz = load<u8>(at);
    channel.prevSignalTypeCoded = load<u8>(at, 1);
    channel.prevSignalType = load<u8>(at, 2);
    channel.prevLagIndex = load<i16>(at, 3);
    channel.lossCount = load<i32>(at, 5);
    channel.plcSeed = load<i32>(at, 9);
    channel.cngSeed = load<i32>(at, 13);
    channel.cngGainQ16 = load<i32>(at, 17);
    at += CHANNEL_HEAD_BYTES;
    const bytes = <usize>orderOf(channel.cngRateKhz) << 1;
    if (at + bytes > end) return BAD_SNAPSHOT;
    memory.copy(changetype<usize>(channel) + CNG_NLSF_Q15, at, bytes);
    at += bytes;
  }
  if (at != end || !silkDecoderValid(silk)) return BAD_SNAPSHOT;
  memory.copy(changetype<usize>(state), STAGING_AT, SLOT_BYTES);
  return 0;
}
