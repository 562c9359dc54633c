// What the encoder exports. Addresses are byte offsets in the memory.
import { PCM_FLOAT_AT, PCM_INTEGER_AT } from "./layout";
import { celtScratchFits } from "./celt/encoder-scratch";
import { surroundMask } from "./celt/encoder-state";
import { NETWORK_WORK } from "./opus/analysis-step";
import { TRACE_AT } from "./trace";
import { BANDS } from "./celt/state";
import { opusEncode } from "./opus/encoder";
import {
  celtEncoderOf,
  ENCODER_SLOT_BYTES,
  encoderInit as initEncoder,
  encoderReset as resetEncoder,
  OpusEncoderState,
} from "./opus/encoder-state";
import { encoderValid } from "./opus/encoder-validate";
import { copySurroundMask, finishSurroundMasks, surroundStateBytes, takeSurroundChannel } from "./opus/surround";

const FORMAT_INT16: i32 = 1;
const FORMAT_INT24: i32 = 2;
/** Mixed from other channels, f32; those that the analysis hears are f32 at the integer address. Input of 16 bits, or more. */
const FORMAT_MIXED_16: i32 = 3;

export function encoderSlotBytes(): usize {
  return ENCODER_SLOT_BYTES;
}

export function encoderInit(slot: usize, sampleRate: i32, channels: i32, application: i32): void {
  initEncoder(changetype<OpusEncoderState>(slot), sampleRate, channels, application);
}

/** Whether a slot's image at any address may be used as an encoder of this form. */
export function encoderStateValid(at: usize, sampleRate: i32, channels: i32, application: i32): i32 {
  return i32(encoderValid(changetype<OpusEncoderState>(at), sampleRate, channels, application));
}

/** Forgets the stream; settings stay. */
export function encoderReset(slot: usize): void {
  resetEncoder(changetype<OpusEncoderState>(slot));
}

/**
 * Encodes `frames` sample frames to the packet address: f32 at the float PCM address, or i16 or i32 at the integer one by
 * `format`. Returns bytes or a negative code.
 */
export function encode(slot: usize, frames: i32, outBytes: i32, format: i32): i32 {
  const state = changetype<OpusEncoderState>(slot);
  const samples = frames * state.channels;
  let depth = 24;
  if (format == FORMAT_INT16) {
    depth = 16;
    const unit: f32 = 1.0 / 32768.0;
    for (let i: usize = 0; i < <usize>samples; i++) {
      store<f32>(PCM_FLOAT_AT + (i << 2), unit * <f32>load<i16>(PCM_INTEGER_AT + (i << 1)));
    }
  } else if (format == FORMAT_INT24) {
    const unit: f32 = 1.0 / 8388608.0;
    for (let i: usize = 0; i < <usize>samples; i++) {
      store<f32>(PCM_FLOAT_AT + (i << 2), unit * <f32>load<i32>(PCM_INTEGER_AT + (i << 2)));
    }
  }
  if (format < FORMAT_MIXED_16) return opusEncode(state, PCM_FLOAT_AT, frames, outBytes, depth, PCM_FLOAT_AT);
  return opusEncode(state, PCM_FLOAT_AT, frames, outBytes, format == FORMAT_MIXED_16 ? 16 : 24, PCM_INTEGER_AT);
}

/** Whether the work memory of CELT and of the analysis stays within its regions; a test asks. */
export function encoderScratchFits(): i32 {
  return i32(celtScratchFits() && NETWORK_WORK + 640 <= TRACE_AT);
}

/** Makes the stream one of low-frequency effects. */
export function setLfe(slot: usize): void {
  const state = changetype<OpusEncoderState>(slot);
  state.lfe = 1;
  celtEncoderOf(state).lfe = 1;
}

export function surroundBytes(channels: i32): usize {
  return surroundStateBytes(channels);
}

/** Takes `frames` f32 of one channel at the float PCM address into the analysis of a surround signal; channel 0 begins a block. */
export function analyseSurroundChannel(surround: usize, channels: i32, channel: i32, frames: i32, rate: i32): void {
  takeSurroundChannel(surround, channels, channel, frames, 48000 / rate);
}

/** To be called after all channels. */
export function finishSurround(surround: usize, channels: i32): void {
  finishSurroundMasks(surround, channels);
}

/** Gives the encoder of `channel` (and `right`, or -1) what the others mask in it, for its next frame. */
export function setSurroundMask(slot: usize, surround: usize, channels: i32, channel: i32, right: i32): void {
  const state = changetype<OpusEncoderState>(slot);
  const celt = celtEncoderOf(state);
  copySurroundMask(surroundMask(celt), surround, channels, channel);
  if (right >= 0) copySurroundMask(surroundMask(celt) + BANDS * 4, surround, channels, right);
  state.hasMask = 1;
  celt.hasMask = 1;
}

/** Offset of the settings in the slot: i32 values in the order of the `Setting` numbers of src/encoder-settings.ts. */
const SETTINGS: usize = offsetof<OpusEncoderState>("complexity");
const SETTING_COUNT: i32 = 15;

export function encoderSetting(slot: usize, which: i32): i32 {
  return load<i32>(slot + SETTINGS + (<usize>(which % SETTING_COUNT) << 2));
}

export function setEncoderSetting(slot: usize, which: i32, value: i32): void {
  store<i32>(slot + SETTINGS + (<usize>(which % SETTING_COUNT) << 2), value);
}

export function encoderFinalRange(slot: usize): u32 {
  return changetype<OpusEncoderState>(slot).finalRange;
}

export function encoderInDtx(slot: usize): i32 {
  return changetype<OpusEncoderState>(slot).inDtx;
}

/** 0 before the first packet, else 1 SILK, 2 hybrid, 3 CELT. */
export function encoderLastMode(slot: usize): i32 {
  return changetype<OpusEncoderState>(slot).lastMode;
}

export function encoderLastBandwidth(slot: usize): i32 {
  return changetype<OpusEncoderState>(slot).lastBandwidth;
}
