import { readU16 } from "./byte-order.ts";

/** Most transport stream packets that one datagram's deletion mask covers. */
const maxPackets = 7;
const nullPid = 0x1fff;

function isNullPacket(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0x47 && (readU16(bytes, at + 1) & 0x1fff) === nullPid;
}

/**
 * Removes null packets of a transport stream payload (TR-06-2 section 8.2) while copying `from[start, end)` to `to[at...)`.
 * @returns -1 where nothing was removed (nothing is written then), else `length << 16 | flags` with the new length and the
 * flags of `writeRistExtension`
 */
export function deleteNullPackets(
  from: Uint8Array,
  start: number,
  end: number,
  to: Uint8Array,
  at: number,
): number {
  const length = end - start;
  const packetBytes =
    length % 188 === 0 && from[start] === 0x47 ? 188 : length % 204 === 0 && from[start] === 0x47 ? 204 : 0;
  if (packetBytes === 0 || length === 0 || length / packetBytes > maxPackets) return -1;
  const count = length / packetBytes;
  let bits = 0;
  let out = at;
  for (let i = 0; i < count; i++) {
    const packet = start + i * packetBytes;
    if (from[packet] !== 0x47) return -1;
    if (isNullPacket(from, packet)) bits |= 0x40 >> i;
  }
  if (bits === 0) return -1;
  for (let i = 0; i < count; i++) {
    if (bits & (0x40 >> i)) continue;
    const packet = start + i * packetBytes;
    to.set(from.subarray(packet, packet + packetBytes), out);
    out += packetBytes;
  }
  return ((out - at) << 16) | (count << 8) | (packetBytes === 204 ? 0x80 : 0) | bits;
}

/**
 * Puts removed null packets back while copying `from[start, end)` to `to`. Where the mask and the payload disagree the
 * payload has priority: all of it is kept and only as many null packets are added as the mask has room for.
 * @returns bytes written, or -1 where `to` is too small
 */
export function restoreNullPackets(
  from: Uint8Array,
  start: number,
  end: number,
  nullBits: number,
  originalCount: number,
  is204: boolean,
  to: Uint8Array,
): number {
  const packetBytes = is204 ? 204 : 188;
  let ones = 0;
  for (let i = 0; i < maxPackets; i++) ones += (nullBits >> i) & 1;
  const received = Math.floor((end - start) / packetBytes);
  const count = Math.min(maxPackets, Math.max(originalCount, ones + received));
  let read = start;
  let out = 0;
  for (let i = 0; i < count; i++) {
    if (out + packetBytes > to.length) return -1;
    if (nullBits & (0x40 >> i)) {
      to[out] = 0x47;
      to[out + 1] = 0x1f;
      to[out + 2] = 0xff;
      to[out + 3] = 0x10;
      to.fill(0xff, out + 4, out + packetBytes);
    } else if (read + packetBytes <= end) {
      for (let k = 0; k < packetBytes; k++) to[out + k] = from[read + k]!;
      read += packetBytes;
    } else continue;
    out += packetBytes;
  }
  if (out + (end - read) > to.length) return -1;
  while (read < end) to[out++] = from[read++]!;
  return out;
}
