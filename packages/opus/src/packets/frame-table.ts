/** Frames that a packet holds at most (RFC 6716 section 3.2.5, rule R5: 120 ms of 2.5 ms each). */
export const maxFrames: number = 48;

/** Longest frame (rule R2). */
export const maxFrameBytes: number = 1275;

/** Longest packet in sample frames at 48 kHz: 120 ms. */
export const maxPacketFrames48k: number = 5760;

/** OPUS_INVALID_PACKET */
export const invalidPacket: number = -4;

/** Where the frames of one packet are. Reused from packet to packet. */
export interface FrameTable {
  toc: number;
  count: number;
  /** Positions of the frames in the buffer that was parsed. */
  readonly offsets: Uint32Array;
  readonly lengths: Uint16Array;
  /** Padding bytes behind the last frame, and where they begin. */
  padding: number;
  paddingStart: number;
  /** End of the packet, padding included: where the next stream of a multistream packet begins. */
  end: number;
}

export function createFrameTable(): FrameTable {
  return {
    toc: 0,
    count: 0,
    offsets: new Uint32Array(maxFrames),
    lengths: new Uint16Array(maxFrames),
    padding: 0,
    paddingStart: 0,
    end: 0,
  };
}

/** Sample frames at 48 kHz of each frame of a packet with this TOC byte (RFC 6716 section 3.1, table 2). */
export function frameSize48k(toc: number): number {
  const config = toc >> 3;
  if (config < 12) return config % 4 === 3 ? 2880 : 480 << (config % 4);
  if (config < 16) return 480 << (config % 2);
  return 120 << (config % 4);
}

/**
 * Finds the frames of the packet in `bytes[start, end)` (RFC 6716 section 3.2; appendix B where `selfDelimited`, and then the
 * packet may end before `end`). Rules R1 to R7 decide, exactly as in libopus.
 * @returns the number of frames, or `invalidPacket`; `table` is of no use then
 */
export function parseFrames(
  bytes: Uint8Array,
  start: number,
  end: number,
  selfDelimited: boolean,
  table: FrameTable,
): number {
  if (end - start < 1) return invalidPacket;
  const { lengths } = table;
  const toc = bytes[start]!;
  const code = toc & 3;
  let at = start + 1;
  let left = end - at;
  let padding = 0;
  let count = code === 0 ? 1 : 2;
  let equal = code === 1;
  /** Bytes that remain for the last frame where no length of its own is sent. */
  let last = left;
  if (code === 1) {
    if (!selfDelimited) {
      if (left % 2 === 1) return invalidPacket;
      last = left / 2;
      lengths[0] = last;
    }
  } else if (code === 2) {
    const size = frameLength(bytes, at, left);
    const used = size < 252 ? 1 : 2;
    if (size < 0 || size > left - used) return invalidPacket;
    lengths[0] = size;
    at += used;
    left -= used;
    last = left - size;
  } else if (code === 3) {
    if (left < 1) return invalidPacket;
    const header = bytes[at++]!;
    left--;
    count = header & 63;
    if (count === 0 || count * frameSize48k(toc) > maxPacketFrames48k) return invalidPacket;
    if ((header & 64) !== 0) {
      let byte = 255;
      while (byte === 255) {
        if (left < 1) return invalidPacket;
        byte = bytes[at++]!;
        const amount = byte === 255 ? 254 : byte;
        left -= 1 + amount;
        padding += amount;
      }
    }
    if (left < 0) return invalidPacket;
    equal = (header & 128) === 0;
    last = left;
    if (!equal) {
      for (let i = 0; i < count - 1; i++) {
        const size = frameLength(bytes, at, left);
        const used = size < 252 ? 1 : 2;
        if (size < 0 || size > left - used) return invalidPacket;
        lengths[i] = size;
        at += used;
        left -= used;
        last -= used + size;
        if (last < 0) return invalidPacket;
      }
    } else if (!selfDelimited) {
      last = Math.floor(left / count);
      if (last * count !== left) return invalidPacket;
      lengths.fill(last, 0, count - 1);
    }
  }
  if (selfDelimited) {
    const size = frameLength(bytes, at, left);
    const used = size < 252 ? 1 : 2;
    if (size < 0 || size > left - used) return invalidPacket;
    at += used;
    left -= used;
    lengths[count - 1] = size;
    if (equal) {
      if (size * count > left) return invalidPacket;
      lengths.fill(size, 0, count - 1);
    } else if (used + size > last) return invalidPacket;
  } else {
    if (last > maxFrameBytes) return invalidPacket;
    lengths[count - 1] = last;
  }
  table.toc = toc;
  table.count = count;
  for (let i = 0; i < count; i++) {
    table.offsets[i] = at;
    at += lengths[i]!;
  }
  table.padding = padding;
  table.paddingStart = at;
  table.end = at + padding;
  return count;
}

/** A frame length of one or two bytes (RFC 6716 section 3.2.1), -1 where it is cut. */
function frameLength(bytes: Uint8Array, at: number, left: number): number {
  if (left < 1) return -1;
  const first = bytes[at]!;
  if (first < 252) return first;
  return left < 2 ? -1 : 4 * bytes[at + 1]! + first;
}

/** Bytes that a frame length takes. */
export function frameLengthBytes(length: number): number {
  return length < 252 ? 1 : 2;
}

/** Writes a frame length; returns the position after it. */
export function putFrameLength(length: number, bytes: Uint8Array, at: number): number {
  if (length < 252) {
    bytes[at] = length;
    return at + 1;
  }
  bytes[at] = 252 + (length & 3);
  bytes[at + 1] = (length - bytes[at]!) >> 2;
  return at + 2;
}
