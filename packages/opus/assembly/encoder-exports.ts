// What the encoder exports. Addresses are byte offsets in the memory.
import { PCM_FLOAT_AT, PCM_INTEGER_AT } from "./layout";
import { opusEncode } from "./opus/encoder";
import {
  ENCODER_SLOT_BYTES,
  encoderInit as initEncoder,
  encoderReset as resetEncoder,
  OpusEncoderState,
} from "./opus/encoder-state";

const FORMAT_INT16: i32 = 1;
const FORMAT_INT24: i32 = 2;

export function encoderSlotBytes(): usize {
  return ENCODER_SLOT_BYTES;
}

export function encoderInit(slot: usize, sampleRate: i32, channels: i32, application: i32): void {
  initEncoder(changetype<OpusEncoderState>(slot), sampleRate, channels, application);
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
  return opusEncode(state, PCM_FLOAT_AT, frames, outBytes, depth);
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
