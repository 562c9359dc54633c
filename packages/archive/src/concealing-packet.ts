/**
 * True if decoding this packet runs concealment: one of its frames has at most one byte (DTX, RFC 6716 section 3.2.1), or
 * it is malformed. Frame lengths are read as RFC 6716 section 3.2 packs them.
 */
export function packetConceals(packet: Uint8Array): boolean {
  const toc = packet[0];
  if (toc === undefined) return true;
  const code = toc & 3;
  if (code === 0) return packet.length <= 2;
  if (code === 1) return packet.length <= 3;
  let at = 1;
  let end = packet.length;
  let count = 2;
  let variable = true;
  if (code === 3) {
    const flags = packet[at++] ?? 0;
    count = flags & 63;
    variable = (flags & 128) !== 0;
    if ((flags & 64) !== 0) {
      let more = 255;
      while (more === 255 && at < end) {
        more = packet[at++]!;
        end -= more === 255 ? 254 : more;
      }
    }
  }
  if (!variable) return end - at < 2 * count;
  for (let frame = 0; frame < count - 1; frame++) {
    const first = packet[at++];
    if (first === undefined) return true;
    const length = first < 252 ? first : first + 4 * (packet[at++] ?? 0);
    if (length <= 1) return true;
    end -= length;
  }
  return end - at <= 1;
}

/** True for a packet of SILK alone (RFC 6716 section 3.1, table 2). */
export function isSilk(packet: Uint8Array | undefined): boolean {
  return packet !== undefined && packet.length > 0 && packet[0]! < 0x60;
}

/**
 * True for a packet whose first frame is SILK and marked inactive (RFC 6716 section 4.2.3: the first bit of the range coder, of
 * even odds, so the first bit of the frame). Such a frame has no long-term prediction, which is what keeps errors alive.
 */
export function startsInactive(packet: Uint8Array | undefined): boolean {
  if (packet === undefined || packet.length < 3 || packet[0]! >= 0x80 || (packet[0]! & 3) !== 0) return false;
  return packet[1]! < 0x80;
}

/**
 * True if the decoder changes between CELT and the modes with SILK: without redundancy it fades the old mode out by
 * concealing it.
 */
export function changesMode(before: Uint8Array | undefined, packet: Uint8Array): boolean {
  if (before === undefined || before.length === 0) return false;
  return before[0]! >= 0x80 !== packet[0]! >= 0x80;
}
