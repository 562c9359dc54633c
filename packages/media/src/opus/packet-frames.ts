/**
 * Duration of an Opus packet from its first bytes (RFC 6716 section 3.1 and 3.2.5), without any decoding.
 *
 * @returns sample frames at 48 kHz, from 120 to 5,760; 0 where the packet is empty, code 3 lacks its count, the count is 0
 *   or the packet would last longer than 120 ms (rules R1 and R5)
 */
export function opusPacketFrames(packet: Uint8Array): number {
  const toc = packet[0];
  if (toc === undefined) return 0;
  const code = toc & 3;
  const count = code === 0 ? 1 : code < 3 ? 2 : (packet[1] ?? 0) & 63;
  const frames = count * opusFrameSize(toc);
  return frames <= 5760 ? frames : 0;
}

/** Sample frames at 48 kHz of each frame of a packet with this TOC byte (RFC 6716 table 2). */
export function opusFrameSize(toc: number): number {
  const config = toc >> 3;
  if (config < 12) return config % 4 === 3 ? 2880 : 480 << (config % 4);
  if (config < 16) return 480 << (config % 2);
  return 120 << (config % 4);
}
