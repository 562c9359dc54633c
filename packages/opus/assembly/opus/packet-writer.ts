// Writes packets (RFC 6716 section 3): table-of-contents byte, frame lengths, padding.
import { OPUS_SCRATCH_AT } from "../layout";
import { BANDWIDTH_MEDIUM, BANDWIDTH_NARROW, BANDWIDTH_SUPERWIDE, MODE_CELT, MODE_SILK } from "./state";

const BUFFER_TOO_SMALL: i32 = -2;
/** Address and length of up to 48 frames. */
const FRAMES: usize = OPUS_SCRATCH_AT + 512;
export const WRITER_SCRATCH_END: usize = FRAMES + 48 * 8;

/** First byte of a packet of one frame; `frameRate` is frames per second, rounded down. */
export function tocByte(mode: i32, frameRate: i32, bandwidth: i32, channels: i32): u32 {
  let period = 0;
  let rate = frameRate;
  while (rate < 400) {
    rate <<= 1;
    period++;
  }
  let toc: i32;
  if (mode == MODE_SILK) toc = ((bandwidth - BANDWIDTH_NARROW) << 5) | ((period - 2) << 3);
  else if (mode == MODE_CELT) toc = 0x80 | (max<i32>(0, bandwidth - BANDWIDTH_MEDIUM) << 5) | (period << 3);
  else toc = 0x60 | ((bandwidth - BANDWIDTH_SUPERWIDE) << 4) | ((period - 2) << 3);
  return <u32>(toc | (i32(channels == 2) << 2));
}

export function setFrame(index: i32, address: usize, length: i32): void {
  const at = FRAMES + (<usize>index << 3);
  store<usize>(at, address);
  store<i32>(at, length, 4);
}

function frameAddress(index: i32): usize {
  return load<usize>(FRAMES + (<usize>index << 3));
}

function lengthOf(index: i32): i32 {
  return load<i32>(FRAMES + (<usize>index << 3), 4);
}

/** Writes a length of one or two bytes; returns the address behind it. */
function writeLength(at: usize, length: i32): usize {
  if (length < 252) {
    store<u8>(at, u8(length));
    return at + 1;
  }
  const first = 252 + (length & 3);
  store<u8>(at, u8(first));
  store<u8>(at, u8((length - first) >> 2), 1);
  return at + 2;
}

/** Size of a length. */
function lengthBytes(length: i32): i32 {
  return length >= 252 ? 2 : 1;
}

/**
 * Joins the first `count` frames to a packet at `out`, padded to `limit` bytes where `pads`.
 * @returns bytes of the packet, or a negative code where they do not fit
 */
export function joinFrames(out: usize, toc: u32, count: i32, limit: i32, pads: bool): i32 {
  let equal = true;
  let payload = 0;
  for (let i = 0; i < count; i++) {
    payload += lengthOf(i);
    if (lengthOf(i) != lengthOf(0)) equal = false;
  }
  const base = toc & 0xfc;
  let at = out;
  let size = payload + 1;
  if (count == 2 && !equal) size += lengthBytes(lengthOf(0));
  if (count <= 2 && size > limit) return BUFFER_TOO_SMALL;
  if (count > 2 || (pads && size < limit)) {
    size = payload + 2;
    if (!equal) for (let i = 0; i < count - 1; i++) size += lengthBytes(lengthOf(i));
    if (size > limit) return BUFFER_TOO_SMALL;
    const padding = pads ? limit - size : 0;
    store<u8>(at, u8(base | 3));
    store<u8>(at, u8(count | (equal ? 0 : 0x80) | (padding ? 0x40 : 0)), 1);
    at += 2;
    if (padding) {
      let rest = padding - 1;
      while (rest >= 255) {
        store<u8>(at++, 255);
        rest -= 255;
      }
      store<u8>(at++, u8(rest));
      size += padding;
    }
    if (!equal) for (let i = 0; i < count - 1; i++) at = writeLength(at, lengthOf(i));
  } else {
    store<u8>(at++, u8(base | (count == 1 ? 0 : equal ? 1 : 2)));
    if (count == 2 && !equal) at = writeLength(at, lengthOf(0));
  }
  for (let i = 0; i < count; i++) {
    memory.copy(at, frameAddress(i), lengthOf(i));
    at += lengthOf(i);
  }
  const end = out + <usize>size;
  if (at < end) memory.fill(at, 0, end - at);
  return size;
}
