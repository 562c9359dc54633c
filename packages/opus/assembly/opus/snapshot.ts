// Canonical image of a decoder's state: the same bytes on every machine and for every slot (docs/design/opus.md).
//
//   "LWST" | u8 version (3) | u8 flags | u16 6 | "opus-1" | section LIVE | section CONCEAL (optional) | u32 CRC32C
//   section: u16 tag | u16 flags 0 | u32 bytes | payload
//
// Everything is little-endian. LIVE is what the next packet needs; CONCEAL what only losses, DTX and changes of mode without
// redundancy need. Parts that cannot be used any more (SILK after CELT frames, CELT after SILK frames, the side channel of a
// mono stream) are left out.
import {
  BACKGROUND_OFFSET,
  BANDS,
  CELT_STATE_BYTES,
  CeltState,
  channelBuffer,
  channelLpc,
  FRAME_PERIODIC,
  HISTORY,
  LOG_ENERGY_OFFSET,
  LPC_ORDER,
  OVERLAP,
} from "../celt/state";
import { PACKET_AT, PACKET_CAPACITY } from "../layout";
import { RESAMPLER_BYTES } from "../silk/resampler-state";
import {
  channelOf,
  ChannelState,
  CNG_EXCITATION_Q14,
  EXCITATION_Q14,
  LPC_STATE_Q14,
  OUT_BUFFER,
  PREV_NLSF_Q15,
  RESAMPLER,
} from "../silk/state";
import { silkDecoderValid } from "../silk/validate";
import { DECODER_SCRATCH_END } from "./decoder";
import {
  celtOf,
  MODE_CELT,
  MODE_HYBRID,
  MODE_NONE,
  MODE_SILK,
  opusInit,
  OpusState,
  silkOf,
  SLOT_BYTES,
} from "./state";

const MAGIC: u32 = 0x5453574c; // "LWST"
/**
 * Version 1 kept the 10 ms behind SILK's history as well, which every frame writes before it reads them; versions 1 and 2 the signal type and
 * the lag index that were coded last, which only frames of the same packet refer to.
 */
const VERSION: u32 = 3;
const OLDEST_VERSION: u32 = 1;
const HEADER_BYTES: usize = 14;
const SECTION_HEADER_BYTES: usize = 8;
const TAG_LIVE: u32 = 1;
const TAG_CONCEAL: u32 = 2;
const CHECKSUM_BYTES: usize = 4;

export const BAD_SNAPSHOT: i32 = -100;
export const PROFILE_MISMATCH: i32 = -101;

/** Samples of history that the post-filter can reach back: its longest lag and half of its taps. */
const POSTFILTER_HISTORY: i32 = 1026;

/** One direction of a transfer between a state and the image; `limit` guards loads. */
@unmanaged
class Transfer {
  at: usize;
  limit: usize;
  loading: i32;
  failed: i32;
  /** Of the image. */
  version: u32;
}

const TRANSFER_AT: usize = DECODER_SCRATCH_END;
/** Room for a state that is not valid yet. */
export const STAGING_AT: usize = (TRANSFER_AT + 64 + 63) & ~63;
/** The image lies where packets do, from the start. */
const IMAGE_AT: usize = PACKET_AT;
export const SNAPSHOT_SCRATCH_END: usize = STAGING_AT + SLOT_BYTES;

function move(transfer: Transfer, state: usize, bytes: usize): void {
  const at = transfer.at;
  if (at + bytes > transfer.limit) {
    transfer.failed = 1;
    return;
  }
  if (transfer.loading) memory.copy(state, at, bytes);
  else memory.copy(at, state, bytes);
  transfer.at = at + bytes;
}

export function silkMatters(state: OpusState): bool {
  return state.previousMode == MODE_SILK || state.previousMode == MODE_HYBRID;
}

function celtMatters(state: OpusState): bool {
  return state.previousMode == MODE_CELT || state.previousMode == MODE_HYBRID || state.previousRedundancy != 0;
}

/** Offsets of SILK's channel scalars that concealment alone uses: comfort noise, then the concealment's own. */
const SILK_CODING: usize = 13 * 4;
/** The same with what refers to frames of the same packet. */
const SILK_CODING_BEFORE_3: usize = 15 * 4;
const SILK_LOSS: usize = 16 * 4;
const SILK_NOISE: usize = 26 * 4;
const SILK_LAST_LOST: usize = 30 * 4;
const SILK_PLC_SEED: usize = 31 * 4;
const SILK_ENERGY: usize = 33 * 4;
const SILK_PLC_SCALE: usize = 35 * 4;

/** The output that long-term prediction reaches back to: 20 ms. What lies behind it is room for the frame in hand. */
function moveSilkHistory(transfer: Transfer, channel: usize): void {
  const whole = PREV_NLSF_Q15 - OUT_BUFFER;
  const history = <usize>changetype<ChannelState>(channel).ltpMemory << 1;
  if (history > whole) transfer.failed = 1;
  else move(transfer, channel + OUT_BUFFER, transfer.version == OLDEST_VERSION ? whole : history);
}

function moveSilkLive(transfer: Transfer, channel: usize): void {
  move(transfer, channel, transfer.version < 3 ? SILK_CODING_BEFORE_3 : SILK_CODING);
  move(transfer, channel + SILK_LOSS, 8);
  move(transfer, channel + SILK_LAST_LOST, 4);
  move(transfer, channel + SILK_ENERGY, 8);
  move(transfer, channel + LPC_STATE_Q14, OUT_BUFFER - LPC_STATE_Q14);
  moveSilkHistory(transfer, channel);
  move(transfer, channel + PREV_NLSF_Q15, 32);
  move(transfer, channel + RESAMPLER, RESAMPLER_BYTES);
}

function moveSilkConceal(transfer: Transfer, channel: usize): void {
  move(transfer, channel + SILK_NOISE, 16);
  move(transfer, channel + SILK_PLC_SEED, 8);
  move(transfer, channel + SILK_PLC_SCALE, 16);
  move(transfer, channel + EXCITATION_Q14, LPC_STATE_Q14 - EXCITATION_Q14);
  move(transfer, channel + CNG_EXCITATION_Q14, RESAMPLER - CNG_EXCITATION_Q14);
}

/**
 * The words of the Opus layer and SILK's channel counts. What SILK was last told outlives a reset and times of CELT, but not its effect: SILK is
 * reset before its next use. So it is 0 in images then; versions 1 and 2 kept what was there, and equal decoders could differ in it.
 */
function moveScalars(transfer: Transfer, state: OpusState): void {
  const start = transfer.at;
  const forgets = !transfer.loading && transfer.version >= 3 && !silkMatters(state);
  move(transfer, changetype<usize>(state), offsetof<OpusState>());
  if (forgets) store<u64>(start + offsetof<OpusState>("silkRateHz"), 0);
  move(transfer, changetype<usize>(celtOf(state)) + offsetof<CeltState>("phaseInversionDisabled"), 4);
  const counts = transfer.at;
  move(transfer, changetype<usize>(silkOf(state)), 8);
  if (forgets) store<u64>(counts, 0);
}

function moveLive(transfer: Transfer, state: OpusState): void {
  const silk = silkOf(state);
  const celt = celtOf(state);
  moveScalars(transfer, state);
  if (silkMatters(state)) {
    move(transfer, changetype<usize>(silk) + 8, 24);
    moveSilkLive(transfer, changetype<usize>(channelOf(silk, 0)));
    if (silk.internalChannels == 2) moveSilkLive(transfer, changetype<usize>(channelOf(silk, 1)));
  }
  if (celtMatters(state)) {
    const base = changetype<usize>(celt);
    move(transfer, base + offsetof<CeltState>("streamChannels"), 4);
    move(transfer, base + offsetof<CeltState>("startBand"), 8);
    move(transfer, base + offsetof<CeltState>("noiseSeed"), 4);
    move(transfer, base + offsetof<CeltState>("lossDuration"), 4);
    move(
      transfer,
      base + offsetof<CeltState>("postfilterPeriod"),
      offsetof<CeltState>() - offsetof<CeltState>("postfilterPeriod"),
    );
    move(transfer, base + LOG_ENERGY_OFFSET, BACKGROUND_OFFSET - LOG_ENERGY_OFFSET);
    for (let channel = 0; channel < state.channels; channel++) {
      const buffer = channelBuffer(celt, channel);
      const reach = HISTORY - POSTFILTER_HISTORY;
      move(transfer, buffer + (<usize>reach << 2), <usize>(POSTFILTER_HISTORY + OVERLAP) << 2);
    }
  }
}

function moveConceal(transfer: Transfer, state: OpusState): void {
  const silk = silkOf(state);
  const celt = celtOf(state);
  if (silkMatters(state)) {
    moveSilkConceal(transfer, changetype<usize>(channelOf(silk, 0)));
    if (silk.internalChannels == 2) moveSilkConceal(transfer, changetype<usize>(channelOf(silk, 1)));
  }
  if (celtMatters(state)) {
    const base = changetype<usize>(celt);
    move(transfer, base + offsetof<CeltState>("lastPitch"), 4);
    move(transfer, base + offsetof<CeltState>("concealedDuration"), 12);
    move(transfer, base + BACKGROUND_OFFSET, 2 * <usize>BANDS * 4);
    for (let channel = 0; channel < state.channels; channel++) {
      move(transfer, channelLpc(celt, channel), <usize>LPC_ORDER << 2);
      move(transfer, channelBuffer(celt, channel), <usize>(HISTORY - POSTFILTER_HISTORY) << 2);
    }
  }
}

/** CRC-32C (Castagnoli), four bits at a time. */
function crc32c(from: usize, bytes: usize): u32 {
  let crc: u32 = 0xffffffff;
  for (let at = from; at < from + bytes; at++) {
    crc ^= load<u8>(at);
    crc = (crc >> 4) ^ load<u32>(crcNibbles + (<usize>(crc & 15) << 2));
    crc = (crc >> 4) ^ load<u32>(crcNibbles + (<usize>(crc & 15) << 2));
  }
  return ~crc;
}

const crcNibbles: usize = memory.data<u32>([
  0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
  0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
]);

/** The image of the live section, or of both, without headers: what a digest is taken over. */
function writeBare(state: OpusState, withConceal: bool): usize {
  const transfer = changetype<Transfer>(TRANSFER_AT);
  transfer.at = IMAGE_AT;
  transfer.limit = IMAGE_AT + PACKET_CAPACITY;
  transfer.loading = 0;
  transfer.failed = 0;
  transfer.version = VERSION;
  moveLive(transfer, state);
  if (withConceal) moveConceal(transfer, state);
  return transfer.at - IMAGE_AT;
}

function openSection(transfer: Transfer, tag: u32): usize {
  store<u32>(transfer.at, tag);
  transfer.at += SECTION_HEADER_BYTES;
  return transfer.at;
}

function closeSection(transfer: Transfer, start: usize): void {
  store<u32>(start - 4, <u32>(transfer.at - start));
}

/**
 * Writes the image to the packet region.
 * @param version of the image; 0 = the newest
 * @returns its length, or BAD_SNAPSHOT for a version that there is not
 */
export function saveSnapshot(state: OpusState, withConceal: bool, version: u32): i32 {
  const form = version == 0 ? VERSION : version;
  if (form < OLDEST_VERSION || form > VERSION) return BAD_SNAPSHOT;
  const transfer = changetype<Transfer>(TRANSFER_AT);
  store<u32>(IMAGE_AT, MAGIC);
  store<u8>(IMAGE_AT, form, 4);
  store<u8>(IMAGE_AT, 0, 5);
  store<u16>(IMAGE_AT, 6, 6);
  store<u32>(IMAGE_AT, 0x7375706f, 8); // "opus"
  store<u16>(IMAGE_AT, 0x312d, 12); // "-1"
  transfer.at = IMAGE_AT + HEADER_BYTES;
  transfer.limit = IMAGE_AT + PACKET_CAPACITY;
  transfer.loading = 0;
  transfer.failed = 0;
  transfer.version = form;
  let start = openSection(transfer, TAG_LIVE);
  moveLive(transfer, state);
  closeSection(transfer, start);
  if (withConceal) {
    start = openSection(transfer, TAG_CONCEAL);
    moveConceal(transfer, state);
    closeSection(transfer, start);
  }
  const bytes = transfer.at - IMAGE_AT;
  store<u32>(transfer.at, crc32c(IMAGE_AT, bytes));
  return <i32>(bytes + CHECKSUM_BYTES);
}

/** Longest image of a decoder with these channels: header, both sections, checksum. */
export function snapshotBound(): i32 {
  return <i32>(HEADER_BYTES + 2 * SECTION_HEADER_BYTES + SLOT_BYTES + CHECKSUM_BYTES);
}

function within(value: i32, low: i32, high: i32): bool {
  return value >= low && value <= high;
}

function allFinite(from: usize, bytes: usize): bool {
  for (let at = from; at < from + bytes; at += 4) {
    if ((load<u32>(at) & 0x7f800000) == 0x7f800000) return false;
  }
  return true;
}

function celtValid(celt: CeltState): bool {
  const base = changetype<usize>(celt);
  if (!within(celt.streamChannels, 1, 2)) return false;
  if (celt.startBand != 0 && celt.startBand != 17) return false;
  const end = celt.endBand;
  if (end != 13 && end != 17 && end != 19 && end != 21) return false;
  if (celt.startBand >= end) return false;
  if (celt.lastPitch != 0 && !within(celt.lastPitch, 100, 720)) return false;
  if (!within(celt.lossDuration, 0, 10000) || !within(celt.concealedDuration, 0, 10000)) return false;
  if (!within(celt.lastFrameType, 0, 3)) return false;
  if (celt.lastFrameType == FRAME_PERIODIC && celt.lastPitch == 0) return false;
  if (!within(celt.skipPitchConcealment, 0, 1) || !within(celt.prefilterAndFold, 0, 1)) return false;
  if (!within(celt.postfilterPeriod, 0, 1023) || !within(celt.postfilterPeriodOld, 0, 1023)) return false;
  if (!within(celt.postfilterTapset, 0, 2) || !within(celt.postfilterTapsetOld, 0, 2)) return false;
  if (!allFinite(base + offsetof<CeltState>("postfilterGain"), 8)) return false;
  if (!allFinite(base + offsetof<CeltState>("deemphasisLeft"), 8)) return false;
  return allFinite(base + LOG_ENERGY_OFFSET, CELT_STATE_BYTES - LOG_ENERGY_OFFSET);
}

function frameSizeValid(frames: i32, rate: i32): bool {
  const unit = rate / 400;
  return (
    frames == unit ||
    frames == 2 * unit ||
    frames == 4 * unit ||
    frames == 8 * unit ||
    frames == 16 * unit ||
    frames == 24 * unit
  );
}

/** Whether decoding can go on from a state, whatever bytes it was made of. */
function stateValid(state: OpusState): bool {
  if (!within(state.gainQ8, -32768, 32767) || !within(state.ignoreExtensions, 0, 1)) return false;
  const rate = state.silkRateHz;
  if (rate != 0 && rate != 8000 && rate != 12000 && rate != 16000) return false;
  if (!within(state.silkChannels, 0, 2) || !within(state.streamChannels, 1, 2)) return false;
  if (silkMatters(state) && (rate == 0 || state.silkChannels == 0)) return false;
  if (!within(state.bandwidth, 0, 5) || !within(state.mode, MODE_NONE, MODE_CELT)) return false;
  if (!within(state.previousMode, MODE_NONE, MODE_CELT) || !within(state.previousRedundancy, 0, 1)) return false;
  if (!frameSizeValid(state.frameSize, state.sampleRate)) return false;
  if (!within(state.lastPacketFrames, 0, (state.sampleRate / 25) * 3)) return false;
  if (!allFinite(changetype<usize>(state) + offsetof<OpusState>("softClipLeft"), 8)) return false;
  if (!within(celtOf(state).phaseInversionDisabled, 0, 1)) return false;
  const silk = silkOf(state);
  if (!within(silk.apiChannels, 0, 2) || !within(silk.internalChannels, 0, 2)) return false;
  if (!silkDecoderValid(silk)) return false;
  return celtValid(celtOf(state));
}

/** Length of the payload of the section at `at`, or -1 where it is not whole or not of this tag. */
function sectionBytes(at: usize, limit: usize, tag: u32): i32 {
  if (at + SECTION_HEADER_BYTES > limit || load<u32>(at) != tag) return -1;
  const bytes = load<u32>(at, 4);
  return bytes > <u32>(limit - at - SECTION_HEADER_BYTES) ? -1 : <i32>bytes;
}

/**
 * Takes up the image of `length` bytes in the packet region. Everything is checked on a copy first, so that a refused image
 * changes nothing.
 * @returns 0, BAD_SNAPSHOT or PROFILE_MISMATCH
 */
export function loadSnapshot(state: OpusState, length: i32): i32 {
  if (<usize>length < HEADER_BYTES + SECTION_HEADER_BYTES + CHECKSUM_BYTES) return BAD_SNAPSHOT;
  const version = <u32>load<u8>(IMAGE_AT, 4);
  if (load<u32>(IMAGE_AT) != MAGIC || version < OLDEST_VERSION || version > VERSION) return BAD_SNAPSHOT;
  const limit = IMAGE_AT + <usize>length - CHECKSUM_BYTES;
  if (load<u32>(limit) != crc32c(IMAGE_AT, limit - IMAGE_AT)) return BAD_SNAPSHOT;
  if (load<u16>(IMAGE_AT, 6) != 6 || load<u32>(IMAGE_AT, 8) != 0x7375706f || load<u16>(IMAGE_AT, 12) != 0x312d) {
    return PROFILE_MISMATCH;
  }
  if (load<u8>(IMAGE_AT, 5) != 0) return BAD_SNAPSHOT;
  const transfer = changetype<Transfer>(TRANSFER_AT);
  const staging = changetype<OpusState>(STAGING_AT);
  opusInit(staging, state.sampleRate, state.channels);
  transfer.loading = 1;
  transfer.failed = 0;
  transfer.version = version;
  let at = IMAGE_AT + HEADER_BYTES;
  let bytes = sectionBytes(at, limit, TAG_LIVE);
  if (bytes < 0) return BAD_SNAPSHOT;
  at += SECTION_HEADER_BYTES;
  transfer.at = at;
  transfer.limit = at + <usize>bytes;
  // The rate and the channels of the image must be those of the decoder before anything depends on them.
  if (<usize>bytes < offsetof<OpusState>()) return BAD_SNAPSHOT;
  const image = changetype<OpusState>(at);
  if (image.sampleRate != state.sampleRate || image.channels != state.channels) return BAD_SNAPSHOT;
  moveLive(transfer, staging);
  if (transfer.failed || transfer.at != transfer.limit) return BAD_SNAPSHOT;
  at = transfer.limit;
  if (at < limit) {
    bytes = sectionBytes(at, limit, TAG_CONCEAL);
    if (bytes < 0) return BAD_SNAPSHOT;
    at += SECTION_HEADER_BYTES;
    transfer.at = at;
    transfer.limit = at + <usize>bytes;
    moveConceal(transfer, staging);
    if (transfer.failed || transfer.at != transfer.limit || transfer.limit != limit) return BAD_SNAPSHOT;
  }
  if (!stateValid(staging)) return BAD_SNAPSHOT;
  memory.copy(changetype<usize>(state), STAGING_AT, SLOT_BYTES);
  return 0;
}

/** Four words over the live section or both, to the start of the packet region: equal states give equal words. */
export function digestState(state: OpusState, withConceal: bool): void {
  const bytes = writeBare(state, withConceal);
  // Padded to whole vectors; the length goes in as well.
  const whole = (bytes + 15) & ~15;
  memory.fill(IMAGE_AT + bytes, 0, whole - bytes);
  const prime1 = i32x4.splat(<i32>0x9e3779b1);
  const prime2 = i32x4.splat(<i32>0x85ebca77);
  let sum = i32x4(0x243f6a88, <i32>0x85a308d3, 0x13198a2e, 0x03707344);
  for (let at = IMAGE_AT; at < IMAGE_AT + whole; at += 16) {
    sum = i32x4.add(sum, i32x4.mul(v128.load(at), prime2));
    sum = v128.or(i32x4.shl(sum, 13), i32x4.shr_u(sum, 19));
    sum = i32x4.mul(sum, prime1);
  }
  sum = v128.xor(sum, i32x4.splat(<i32>bytes));
  // Every word of the result depends on all four lanes.
  for (let round = 0; round < 4; round++) {
    sum = v128.xor(sum, i32x4.shr_u(sum, 15));
    sum = i32x4.mul(sum, prime2);
    sum = v128.xor(sum, i32x4.shr_u(sum, 13));
    sum = i32x4.mul(sum, prime1);
    sum = i32x4.add(sum, i32x4.shuffle(sum, sum, 1, 2, 3, 0));
  }
  v128.store(IMAGE_AT, sum);
}
