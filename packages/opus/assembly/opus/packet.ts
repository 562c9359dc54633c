// Packet structure (RFC 6716 section 3): table-of-contents byte, frame lengths, padding.
import { OPUS_SCRATCH_AT, PACKET_AT, PACKET_CAPACITY } from "../layout";
import {
  BANDWIDTH_FULL,
  BANDWIDTH_NARROW,
  BANDWIDTH_SUPERWIDE,
  BANDWIDTH_WIDE,
  MODE_CELT,
  MODE_HYBRID,
  MODE_SILK,
} from "./state";

export const INVALID_PACKET: i32 = -4;
const MAX_FRAME_BYTES: i32 = 1275;
/** 120 ms at 48 kHz. */
const MAX_PACKET_FRAMES: i32 = 5760;

/** i32 per frame of the packet in hand, at most 48. */
const FRAME_LENGTHS: usize = OPUS_SCRATCH_AT;
/** Where the first frame starts, and how many bytes the packet took. */
const PAYLOAD_OFFSET: usize = OPUS_SCRATCH_AT + 192;
const PACKET_BYTES: usize = OPUS_SCRATCH_AT + 196;
export const PACKET_SCRATCH_END: usize = OPUS_SCRATCH_AT + 256;

export function frameLength(frame: i32): i32 {
  return load<i32>(FRAME_LENGTHS + (<usize>frame << 2));
}

function setFrameLength(frame: i32, length: i32): void {
  store<i32>(FRAME_LENGTHS + (<usize>frame << 2), length);
}

export function payloadOffset(): i32 {
  return load<i32>(PAYLOAD_OFFSET);
}

export function packetBytes(): i32 {
  return load<i32>(PACKET_BYTES);
}

export function modeOf(toc: u32): i32 {
  return toc & 0x80 ? MODE_CELT : (toc & 0x60) == 0x60 ? MODE_HYBRID : MODE_SILK;
}

export function bandwidthOf(toc: u32): i32 {
  if (toc & 0x80) {
    const code = (toc >> 5) & 3;
    // There is no medium-band CELT.
    return code == 0 ? BANDWIDTH_NARROW : BANDWIDTH_WIDE + <i32>code - 1;
  }
  if ((toc & 0x60) == 0x60) return toc & 0x10 ? BANDWIDTH_FULL : BANDWIDTH_SUPERWIDE;
  return BANDWIDTH_NARROW + ((toc >> 5) & 3);
}

export function channelsOf(toc: u32): i32 {
  return toc & 4 ? 2 : 1;
}

/** Frames per channel of one Opus frame. */
export function frameSizeOf(toc: u32, sampleRate: i32): i32 {
  const code = (toc >> 3) & 3;
  if (toc & 0x80) return (sampleRate << code) / 400;
  if ((toc & 0x60) == 0x60) return toc & 8 ? sampleRate / 50 : sampleRate / 100;
  return code == 3 ? (sampleRate * 60) / 1000 : (sampleRate << code) / 100;
}

/** Reads a frame length at `at` into the frame's entry; returns the bytes it took, or -1. */
function readLength(at: usize, left: i32, frame: i32): i32 {
  if (left < 1) return -1;
  const first: i32 = load<u8>(at);
  if (first < 252) {
    setFrameLength(frame, first);
    return 1;
  }
  if (left < 2) return -1;
  setFrameLength(frame, 4 * <i32>load<u8>(at, 1) + first);
  return 2;
}

/**
 * Reads the structure of the packet of `length` bytes at PACKET_AT + `offset`. A self-delimited packet (RFC 6716 appendix B)
 * also tells the length of its last frame.
 * @returns the number of frames or INVALID_PACKET
 */
export function parsePacket(offset: i32, length: i32, selfDelimited: bool): i32 {
  if (length < 1) return INVALID_PACKET;
  const start = PACKET_AT + <usize>offset;
  const limit = PACKET_AT + PACKET_CAPACITY;
  let at = start;
  const toc: u32 = load<u8>(at++);
  let left = length - 1;
  let last = left;
  let count = 1;
  let constant = false;
  let padding = 0;
  const code = toc & 3;
  if (code == 1) {
    count = 2;
    constant = true;
    if (!selfDelimited) {
      if (left & 1) return INVALID_PACKET;
      last = left >> 1;
      setFrameLength(0, last);
    }
  } else if (code == 2) {
    count = 2;
    const bytes = readLength(at, left, 0);
    if (bytes < 0) return INVALID_PACKET;
    left -= bytes;
    at += bytes;
    if (frameLength(0) > left) return INVALID_PACKET;
    last = left - frameLength(0);
  } else if (code == 3) {
    if (left < 1) return INVALID_PACKET;
    const control: u32 = load<u8>(at++);
    count = control & 0x3f;
    if (count == 0 || frameSizeOf(toc, 48000) * count > MAX_PACKET_FRAMES) return INVALID_PACKET;
    left--;
    if (control & 0x40) {
      let value: i32;
      do {
        if (left <= 0 || at >= limit) return INVALID_PACKET;
        value = load<u8>(at++);
        left--;
        const bytes = value == 255 ? 254 : value;
        left -= bytes;
        padding += bytes;
      } while (value == 255);
    }
    if (left < 0) return INVALID_PACKET;
    constant = (control & 0x80) == 0;
    if (!constant) {
      last = left;
      for (let i = 0; i < count - 1; i++) {
        const bytes = readLength(at, left, i);
        if (bytes < 0) return INVALID_PACKET;
        left -= bytes;
        at += bytes;
        if (frameLength(i) > left) return INVALID_PACKET;
        last -= bytes + frameLength(i);
      }
      if (last < 0) return INVALID_PACKET;
    } else if (!selfDelimited) {
      last = left / count;
      if (last * count != left) return INVALID_PACKET;
      for (let i = 0; i < count - 1; i++) setFrameLength(i, last);
    }
  }
  if (selfDelimited) {
    const bytes = readLength(at, left, count - 1);
    if (bytes < 0) return INVALID_PACKET;
    left -= bytes;
    at += bytes;
    const own = frameLength(count - 1);
    if (own > left) return INVALID_PACKET;
    if (constant) {
      if (own * count > left) return INVALID_PACKET;
      for (let i = 0; i < count - 1; i++) setFrameLength(i, own);
    } else if (bytes + own > last) {
      return INVALID_PACKET;
    }
  } else {
    if (last > MAX_FRAME_BYTES) return INVALID_PACKET;
    setFrameLength(count - 1, last);
  }
  let total = <i32>(at - start);
  store<i32>(PAYLOAD_OFFSET, total);
  for (let i = 0; i < count; i++) total += frameLength(i);
  if (<usize>(offset + total) > PACKET_CAPACITY) return INVALID_PACKET;
  store<i32>(PACKET_BYTES, total + padding);
  return count;
}
