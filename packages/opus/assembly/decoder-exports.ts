// What the decoder exports. Addresses are byte offsets in the memory.
import { PACKET_AT, PCM_FLOAT_AT, PCM_INTEGER_AT } from "./layout";
import { BAD_ARGUMENT, opusConceal, opusDecode, opusDecodeFec } from "./opus/decoder";
import { loadLastingState, saveLastingState } from "./opus/lasting-state";
import { frameSizeOf, packetBytes, parsePacket } from "./opus/packet";
import { forgetReplacedState, lastReach } from "./opus/replaced-state";
import { clipChannel, convertToInt16, convertToInt24 } from "./opus/soft-clip";
import { digestState, loadSnapshot, saveSnapshot, snapshotBound } from "./opus/snapshot";
import { setQuiet } from "./silk/resampler";
import { setTrace, TRACE_AT } from "./trace";
import { celtOf, opusInit, opusReset, OpusState, silkOf, SLOT_BYTES } from "./opus/state";

const FORMAT_INT16: i32 = 1;
const FORMAT_INT24: i32 = 2;

export function decoderSlotBytes(): usize {
  return SLOT_BYTES;
}

export function decoderInit(slot: usize, sampleRate: i32, channels: i32): void {
  opusInit(changetype<OpusState>(slot), sampleRate, channels);
}

export function decoderReset(slot: usize): void {
  opusReset(changetype<OpusState>(slot));
}

export function copySlot(to: usize, from: usize): void {
  memory.copy(to, from, SLOT_BYTES);
}

/**
 * Decodes the packet at the packet address + `offset` into the PCM regions: f32 always, and i16 or i32 by `format`.
 * `fec`: instead the `frames` before it from its redundancy. Returns frames per channel or a negative code.
 */
export function decode(
  slot: usize,
  offset: i32,
  length: i32,
  frames: i32,
  fec: i32,
  selfDelimited: i32,
  format: i32,
  clip: i32,
): i32 {
  setQuiet(false);
  const state = changetype<OpusState>(slot);
  const result = fec
    ? opusDecodeFec(state, offset, length, PCM_FLOAT_AT, frames, selfDelimited != 0)
    : opusDecode(state, offset, length, PCM_FLOAT_AT, frames, selfDelimited != 0, clip != 0);
  return convert(state, result, format);
}

/** As `decode`, but nobody reads the output: the same state for half the work in SILK. The PCM regions then hold nothing. */
export function follow(slot: usize, length: i32, frames: i32): i32 {
  setQuiet(true);
  const result = opusDecode(changetype<OpusState>(slot), 0, length, PCM_FLOAT_AT, frames, false, false);
  setQuiet(false);
  return result;
}

/** Duration at 48 kHz of the packet at the packet address + `offset`, or a negative code; see `lastPacketBytes`. */
export function parse(offset: i32, length: i32, selfDelimited: i32): i32 {
  const count = parsePacket(offset, length, selfDelimited != 0);
  return count < 0 ? count : count * frameSizeOf(load<u8>(PACKET_AT + <usize>offset), 48000);
}

/** Starts (forgetting what was recorded) or stops recording side information. */
export function trace(on: i32): void {
  setTrace(on != 0);
}

/** Address of the record: u32 on, u32 count, 8 bytes, then records of 640 bytes; see trace.ts. */
export function traceAddress(): usize {
  return TRACE_AT;
}

/** Conceals a loss of `frames` per channel. */
export function conceal(slot: usize, frames: i32, format: i32): i32 {
  const state = changetype<OpusState>(slot);
  return convert(state, opusConceal(state, PCM_FLOAT_AT, frames), format);
}

function convert(state: OpusState, frames: i32, format: i32): i32 {
  if (frames > 0) {
    if (format == FORMAT_INT16) convertToInt16(PCM_FLOAT_AT, PCM_INTEGER_AT, frames * state.channels);
    else if (format == FORMAT_INT24) convertToInt24(PCM_FLOAT_AT, PCM_INTEGER_AT, frames * state.channels);
  }
  return frames;
}

/** Bytes of the packet that was decoded last, padding included; tells where the next self-delimited one starts. */
export function lastPacketBytes(): i32 {
  return packetBytes();
}

export function finalRange(slot: usize): u32 {
  return changetype<OpusState>(slot).finalRange;
}

export function lastPacketFrames(slot: usize): i32 {
  return changetype<OpusState>(slot).lastPacketFrames;
}

/** 0 before the first packet, else 1 (narrowband) to 5 (fullband). */
export function bandwidth(slot: usize): i32 {
  return changetype<OpusState>(slot).bandwidth;
}

/** Pitch lag at 48 kHz of the last frame, 0 if it has none. */
export function pitch(slot: usize): i32 {
  const state = changetype<OpusState>(slot);
  return state.previousMode == 3 ? celtOf(state).postfilterPeriod : silkOf(state).prevPitchLag;
}

export function setGain(slot: usize, gainQ8: i32): i32 {
  if (gainQ8 < -32768 || gainQ8 > 32767) return BAD_ARGUMENT;
  changetype<OpusState>(slot).gainQ8 = gainQ8;
  return 0;
}

export function gain(slot: usize): i32 {
  return changetype<OpusState>(slot).gainQ8;
}

export function phaseInversionDisabled(slot: usize): i32 {
  return celtOf(changetype<OpusState>(slot)).phaseInversionDisabled;
}

export function ignoreExtensions(slot: usize): i32 {
  return changetype<OpusState>(slot).ignoreExtensions;
}

export function setPhaseInversionDisabled(slot: usize, disabled: i32): void {
  celtOf(changetype<OpusState>(slot)).phaseInversionDisabled = i32(disabled != 0);
}

export function setIgnoreExtensions(slot: usize, ignore: i32): void {
  changetype<OpusState>(slot).ignoreExtensions = i32(ignore != 0);
}

/** Longest snapshot in bytes. */
export function maxSnapshotBytes(): i32 {
  return snapshotBound();
}

/** Writes the canonical state to the packet address, version 0 = the newest; returns its bytes, or a negative code for an unknown version. */
export function snapshot(slot: usize, withConceal: i32, version: u32): i32 {
  return saveSnapshot(changetype<OpusState>(slot), withConceal != 0, version);
}

/** Takes up the state of `length` bytes at the packet address; 0 or a negative code, then nothing has changed. */
export function restore(slot: usize, length: i32): i32 {
  return loadSnapshot(changetype<OpusState>(slot), length);
}

/** Writes what no run-up brings back to the packet address; returns its bytes. */
export function lastingState(slot: usize, withExcitation: i32): i32 {
  return saveLastingState(changetype<OpusState>(slot), withExcitation != 0);
}

/** Takes `length` bytes of that from the packet address; 0 or a negative code, then nothing has changed. */
export function takeLastingState(slot: usize, length: i32): i32 {
  return loadLastingState(changetype<OpusState>(slot), length);
}

/** Samples of SILK's output in front of the packet decoded last that it reached back to. */
export function historyReach(): i32 {
  return lastReach();
}

/** Clears what a packet that reaches back over `reach` samples replaces. */
export function forgetReplaced(slot: usize, reach: i32): void {
  forgetReplacedState(changetype<OpusState>(slot), reach);
}

/** Writes four u32 over the live part of the state, or all of it, to the packet address. */
export function stateDigest(slot: usize, withConceal: i32): void {
  digestState(changetype<OpusState>(slot), withConceal != 0);
}

/**
 * Soft-clips channel `channel` of the float PCM region; `carried` is what the call before returned. Samples beyond +-2 are
 * cut first, as the curve ends there.
 */
export function softClipChannel(channel: i32, frames: i32, channels: i32, carried: f32): f32 {
  const first = PCM_FLOAT_AT + (<usize>channel << 2);
  for (let i = 0; i < frames; i++) {
    const at = first + (<usize>(i * channels) << 2);
    store<f32>(at, min<f32>(2.0, max<f32>(-2.0, load<f32>(at))));
  }
  return frames > 0 ? clipChannel(first, frames, channels, carried) : carried;
}
