// The Opus layer (RFC 6716 section 4, as corrected by RFC 8251): which coder decodes a frame, redundancy, transitions,
// losses, and the packet loop.
import { celtDecode } from "../celt/decoder";
import { exp2 } from "../celt/math";
import { celtReset } from "../celt/state";
import { OPUS_SCRATCH_AT, PACKET_AT, RANGE_DECODER_AT, REDUNDANCY_DECODER_AT } from "../layout";
import { decodeBit, decodeUint, RangeDecoder, rangeDecoderInit, tellBits } from "../range-decoder";
import { FRAME_LOST, FRAME_PRESENT, FRAME_REDUNDANT, silkDecode, silkDecoderReset } from "../silk/decoder";
import { isQuiet } from "../silk/resampler";
import { window120 } from "../tables/celt-transform";
import { BANDS } from "../celt/state";
import { endBands } from "../tables/celt";
import {
  bandwidthOf,
  channelsOf,
  frameLength,
  frameSizeOf,
  INVALID_PACKET,
  modeOf,
  PACKET_SCRATCH_END,
  parsePacket,
  payloadOffset,
} from "./packet";
import {
  BANDWIDTH_MEDIUM,
  BANDWIDTH_NARROW,
  celtOf,
  MODE_CELT,
  MODE_HYBRID,
  MODE_NONE,
  MODE_SILK,
  OpusState,
  silkOf,
} from "./state";
import { softClip } from "./soft-clip";

export const BAD_ARGUMENT: i32 = -1;
export const BUFFER_TOO_SMALL: i32 = -2;

/** First band of CELT in hybrid frames. */
const HYBRID_START_BAND: i32 = 17;

/** 5 ms of stereo at 48 kHz each: the old mode's end at a transition, and the redundant frame; 10 ms: short SILK losses. */
const TRANSITION_AT: usize = PACKET_SCRATCH_END;
const REDUNDANT_AT: usize = TRANSITION_AT + 240 * 2 * 4;
const SHORT_SILK_AT: usize = REDUNDANT_AT + 240 * 2 * 4;
/** The two bytes of a CELT frame of silence. */
const SILENCE_AT: usize = SHORT_SILK_AT + 480 * 2 * 4;
export const DECODER_SCRATCH_END: usize = SILENCE_AT + 16;

/** out = before * (1 - w) + after * w over 2.5 ms, w the square of the CELT window. */
function crossFade(before: usize, after: usize, out: usize, frames: i32, channels: i32, step: i32): void {
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < frames; i++) {
      let w = load<f32>(window120 + (<usize>(i * step) << 2));
      w = w * w;
      const at = <usize>(i * channels + channel) << 2;
      store<f32>(out + at, w * load<f32>(after + at) + (<f32>1.0 - w) * load<f32>(before + at));
    }
  }
}

/** A loss that lasts `frames`, concealed by the mode that was last in use. */
function concealLoss(state: OpusState, pcm: usize, frames: i32): i32 {
  const f20 = state.sampleRate / 50;
  const f10 = f20 >> 1;
  const f5 = f10 >> 1;
  const mode = state.previousRedundancy ? MODE_CELT : state.previousMode;
  const frameBytes = <usize>state.channels << 2;
  if (mode == MODE_NONE) {
    memory.fill(pcm, 0, <usize>frames * frameBytes);
    return frames;
  }
  if (frames > f20) {
    let left = frames;
    let at = pcm;
    while (left > 0) {
      const done = concealLoss(state, at, min<i32>(min<i32>(left, f20), state.frameSize));
      if (done < 0) return done;
      at += <usize>done * frameBytes;
      left -= done;
    }
    return frames;
  }
  let size = frames;
  if (size < f20) {
    if (size > f10) size = f10;
    else if (mode != MODE_SILK && size > f5 && size < f10) size = f5;
  }
  return decodeFrameInMode(state, 0, 0, pcm, size, false, mode, 0);
}

/** One frame of `length` bytes at `data`; 0 or 1 byte (DTX) conceals. */
function decodeFrame(state: OpusState, data: usize, length: i32, pcm: usize, frames: i32, fec: bool): i32 {
  const limited = min<i32>(frames, (state.sampleRate / 25) * 3);
  if (limited < state.sampleRate / 400) return BUFFER_TOO_SMALL;
  if (length <= 1) return concealLoss(state, pcm, min<i32>(limited, state.frameSize));
  if (state.frameSize > limited) return BAD_ARGUMENT;
  return decodeFrameInMode(state, data, length, pcm, state.frameSize, fec, state.mode, state.bandwidth);
}

/** SILK's part of a frame. */
function decodeSilkPart(
  state: OpusState,
  rd: RangeDecoder,
  pcm: usize,
  frames: i32,
  present: bool,
  fec: bool,
  mode: i32,
  bandwidth: i32,
): void {
  const silk = silkOf(state);
  const channels = state.channels;
  const f10 = state.sampleRate / 100;
  const short = frames < f10;
  let at = short ? SHORT_SILK_AT : pcm;
  if (state.previousMode == MODE_CELT) silkDecoderReset(silk);
  if (present) {
    state.silkChannels = state.streamChannels;
    state.silkRateHz = 16000;
    if (mode == MODE_SILK) {
      if (bandwidth == BANDWIDTH_NARROW) state.silkRateHz = 8000;
      else if (bandwidth == BANDWIDTH_MEDIUM) state.silkRateHz = 12000;
    }
  }
  const payloadMs = max<i32>(10, (1000 * frames) / state.sampleRate);
  const loss = !present ? FRAME_LOST : fec ? FRAME_REDUNDANT : FRAME_PRESENT;
  let decoded = 0;
  do {
    const done = silkDecode(
      silk,
      rd,
      payloadMs,
      state.silkRateHz,
      state.silkChannels,
      state.sampleRate,
      channels,
      loss,
      decoded == 0,
      at,
    );
    at += <usize>(done * channels) << 2;
    decoded += done;
  } while (decoded < frames);
  if (short) memory.copy(pcm, SHORT_SILK_AT, <usize>(frames * channels) << 2);
}

function decodeFrameInMode(
  state: OpusState,
  data: usize,
  byteLength: i32,
  pcm: usize,
  frames: i32,
  fec: bool,
  mode: i32,
  bandwidth: i32,
): i32 {
  const celt = celtOf(state);
  const rd = changetype<RangeDecoder>(RANGE_DECODER_AT);
  const redundantRd = changetype<RangeDecoder>(REDUNDANCY_DECODER_AT);
  const present = data != 0;
  const channels = state.channels;
  const step = 48000 / state.sampleRate;
  const f20 = state.sampleRate / 50;
  const f5 = state.sampleRate / 200;
  const f2_5 = state.sampleRate / 400;
  const shortBytes = <usize>(f2_5 * channels) << 2;
  let length = byteLength;
  if (present) rangeDecoderInit(rd, data, length);

  const previousMode = state.previousMode;
  let transition =
    present &&
    previousMode != MODE_NONE &&
    ((mode == MODE_CELT && previousMode != MODE_CELT && !state.previousRedundancy) ||
      (mode != MODE_CELT && previousMode == MODE_CELT));
  if (transition && mode == MODE_CELT) concealTransition(state, min<i32>(f5, frames));

  if (mode != MODE_CELT) decodeSilkPart(state, rd, pcm, frames, present, fec, mode, bandwidth);

  let redundancy = false;
  let celtToSilk = false;
  let redundantBytes = 0;
  if (
    !fec &&
    mode != MODE_CELT &&
    present &&
    tellBits(rd) + 17 + (mode == MODE_HYBRID ? 20 : 0) <= 8 * length
  ) {
    redundancy = mode != MODE_HYBRID || decodeBit(rd, 12) != 0;
    if (redundancy) {
      celtToSilk = decodeBit(rd, 1) != 0;
      redundantBytes =
        mode == MODE_HYBRID ? <i32>decodeUint(rd, 256) + 2 : length - ((tellBits(rd) + 7) >> 3);
      length -= redundantBytes;
      // No encoder writes this; what to do is not normative.
      if (length * 8 < tellBits(rd)) {
        length = 0;
        redundantBytes = 0;
        redundancy = false;
      }
      rd.size -= redundantBytes;
    }
  }
  if (redundancy) transition = false;
  if (transition && mode != MODE_CELT) concealTransition(state, min<i32>(f5, frames));

  if (bandwidth) celt.endBand = load<i32>(endBands + (<usize>(bandwidth - 1) << 2));
  celt.streamChannels = state.streamChannels;

  let redundantRange: u32 = 0;
  if (redundancy && celtToSilk) {
    // Decoded even where its sound is not used: the final range needs it.
    celt.startBand = 0;
    rangeDecoderInit(redundantRd, data + length, redundantBytes);
    celtDecode(celt, redundantRd, redundantBytes, REDUNDANT_AT, f5, false);
    redundantRange = celt.noiseSeed;
  }
  celt.startBand = mode == MODE_CELT ? 0 : HYBRID_START_BAND;

  let result = 0;
  if (mode != MODE_SILK) {
    if (mode != previousMode && previousMode != MODE_NONE && !state.previousRedundancy) celtReset(celt);
    result = celtDecode(
      celt,
      rd,
      fec || !present ? 0 : length,
      pcm,
      min<i32>(f20, frames),
      mode != MODE_CELT,
    );
    state.finalRange = celt.noiseSeed;
  } else {
    if (previousMode == MODE_HYBRID && !(redundancy && celtToSilk && state.previousRedundancy)) {
      // The overlap of the last hybrid frame fades into a frame of silence.
      store<u16>(SILENCE_AT, 0xffff);
      celt.startBand = 0;
      rangeDecoderInit(redundantRd, SILENCE_AT, 2);
      celtDecode(celt, redundantRd, 2, pcm, f2_5, true);
    }
    state.finalRange = rd.range;
  }

  if (redundancy && !celtToSilk) {
    celtReset(celt);
    celt.startBand = 0;
    rangeDecoderInit(redundantRd, data + length, redundantBytes);
    celtDecode(celt, redundantRd, redundantBytes, REDUNDANT_AT, f5, false);
    redundantRange = celt.noiseSeed;
    const end = pcm + (<usize>(frames * channels) << 2) - shortBytes;
    crossFade(end, REDUNDANT_AT + shortBytes, end, f2_5, channels, step);
  }
  if (redundancy && celtToSilk && (previousMode != MODE_SILK || state.previousRedundancy)) {
    memory.copy(pcm, REDUNDANT_AT, shortBytes);
    crossFade(
      REDUNDANT_AT + shortBytes,
      pcm + shortBytes,
      pcm + shortBytes,
      f2_5,
      channels,
      step,
    );
  }
  if (transition) {
    if (frames >= f5) {
      memory.copy(pcm, TRANSITION_AT, shortBytes);
      crossFade(TRANSITION_AT + shortBytes, pcm + shortBytes, pcm + shortBytes, f2_5, channels, step);
    } else {
      crossFade(TRANSITION_AT, pcm, pcm, f2_5, channels, step);
    }
  }
  if (state.gainQ8 && !isQuiet()) applyGain(pcm, frames * channels, state.gainQ8);

  state.finalRange = length <= 1 ? 0 : state.finalRange ^ redundantRange;
  state.previousMode = mode;
  state.previousRedundancy = i32(redundancy && !celtToSilk);
  return result < 0 ? result : frames;
}

/** The end of the old mode, up to 5 ms, to fade from. */
function concealTransition(state: OpusState, frames: i32): void {
  concealLoss(state, TRANSITION_AT, min<i32>(frames, state.frameSize));
}

/** 1/256 dB steps: 10^(gain / 5120) = 2^(gain * log2(10) / 5120). */
function applyGain(pcm: usize, samples: i32, gainQ8: i32): void {
  const gain = exp2(<f32>6.48814081e-4 * <f32>gainQ8);
  const end = pcm + (<usize>samples << 2);
  for (let at = pcm; at < end; at += 4) store<f32>(at, load<f32>(at) * gain);
}

/** Conceals `frames` (a multiple of 2.5 ms) as a packet of its own. */
export function opusConceal(state: OpusState, pcm: usize, frames: i32): i32 {
  if (frames <= 0 || frames % (state.sampleRate / 400) != 0) return BAD_ARGUMENT;
  let done = 0;
  do {
    const result = decodeFrame(state, 0, 0, pcm + (<usize>(done * state.channels) << 2), frames - done, false);
    if (result < 0) return result;
    done += result;
  } while (done < frames);
  state.lastPacketFrames = done;
  return done;
}

/**
 * Decodes the packet of `length` bytes at PACKET_AT + `offset` to interleaved f32.
 * @param capacity frames per channel that fit
 * @returns frames per channel or a negative code; on a negative code from here the state has not changed
 */
export function opusDecode(
  state: OpusState,
  offset: i32,
  length: i32,
  pcm: usize,
  capacity: i32,
  selfDelimited: bool,
  clip: bool,
): i32 {
  const count = parsePacket(offset, length, selfDelimited);
  if (count < 0) return count;
  const toc: u32 = load<u8>(PACKET_AT + <usize>offset);
  const frameSize = frameSizeOf(toc, state.sampleRate);
  if (count * frameSize > capacity) return BUFFER_TOO_SMALL;
  state.mode = modeOf(toc);
  state.bandwidth = bandwidthOf(toc);
  state.frameSize = frameSize;
  state.streamChannels = channelsOf(toc);
  let data = PACKET_AT + <usize>(offset + payloadOffset());
  let done = 0;
  for (let frame = 0; frame < count; frame++) {
    const bytes = frameLength(frame);
    const out = pcm + (<usize>(done * state.channels) << 2);
    const result = decodeFrame(state, data, bytes, out, count * frameSize - done, false);
    if (result < 0) return result;
    data += bytes;
    done += result;
  }
  state.lastPacketFrames = done;
  if (clip) {
    softClip(pcm, done, state.channels, state);
  } else {
    state.softClipLeft = 0.0;
    state.softClipRight = 0.0;
  }
  return done;
}

/** The `frames` before the packet from its redundancy (LBRR); concealment where it has none. */
export function opusDecodeFec(
  state: OpusState,
  offset: i32,
  length: i32,
  pcm: usize,
  frames: i32,
  selfDelimited: bool,
): i32 {
  if (frames <= 0 || frames % (state.sampleRate / 400) != 0) return BAD_ARGUMENT;
  const count = parsePacket(offset, length, selfDelimited);
  if (count < 0) return count;
  const toc: u32 = load<u8>(PACKET_AT + <usize>offset);
  const mode = modeOf(toc);
  const frameSize = frameSizeOf(toc, state.sampleRate);
  if (frames < frameSize || mode == MODE_CELT || state.mode == MODE_CELT) return opusConceal(state, pcm, frames);
  const before = frames - frameSize;
  if (before != 0) {
    const duration = state.lastPacketFrames;
    const result = opusConceal(state, pcm, before);
    if (result < 0) {
      state.lastPacketFrames = duration;
      return result;
    }
  }
  state.mode = mode;
  state.bandwidth = bandwidthOf(toc);
  state.frameSize = frameSize;
  state.streamChannels = channelsOf(toc);
  const data = PACKET_AT + <usize>(offset + payloadOffset());
  const out = pcm + (<usize>(before * state.channels) << 2);
  const result = decodeFrame(state, data, frameLength(0), out, frameSize, true);
  if (result < 0) return result;
  state.lastPacketFrames = frames;
  return frames;
}
