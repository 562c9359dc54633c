import { OpusError } from "../errors.ts";
import { frameSize48k } from "./frame-table.ts";
import { Repacketizer } from "./repacketizer.ts";

const repacketizer = new Repacketizer();

/**
 * Takes a multistream packet apart into ordinary packets, one a stream, that own their bytes (RFC 6716 appendix B, RFC 7845
 * section 5.1.1). Padding is left behind.
 * @throws OpusError `opus/invalid-packet` where a stream is malformed or their durations differ
 */
export function splitMultistreamPacket(packet: Uint8Array, streams: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let at = 0;
  let duration = 0;
  for (let stream = 0; stream < streams; stream++) {
    repacketizer.clear();
    const next = repacketizer.addAt(packet, at, packet.length, stream < streams - 1);
    const frames = repacketizer.frameCount * frameSize48k(packet[at]!);
    if (stream > 0 && frames !== duration) {
      throw new OpusError(
        "opus/invalid-packet",
        `Stream ${stream} lasts ${frames} frames, the streams before ${duration}.`,
      );
    }
    duration = frames;
    const part = new Uint8Array(next - at + 1);
    const length = repacketizer.outAt(part, 0, part.length, 0, repacketizer.frameCount, false, false);
    parts.push(part.subarray(0, length));
    at = next;
  }
  return parts;
}

/**
 * Joins one packet of each stream, all of the same duration, into a multistream packet; returns its bytes.
 * @throws OpusError `opus/bad-argument` for no stream or durations that differ, `opus/invalid-packet`, `opus/buffer-too-small`
 */
export function joinMultistreamPacket(packets: readonly Uint8Array[], into: Uint8Array): number {
  if (packets.length === 0) throw new OpusError("opus/bad-argument", "A multistream packet needs a stream.");
  let to = 0;
  let duration = 0;
  for (const [stream, packet] of packets.entries()) {
    repacketizer.clear();
    repacketizer.add(packet);
    const frames = repacketizer.frameCount * frameSize48k(packet[0]!);
    if (stream > 0 && frames !== duration) {
      throw new OpusError(
        "opus/bad-argument",
        `Packet ${stream} lasts ${frames} frames, those before ${duration}.`,
      );
    }
    duration = frames;
    const selfDelimited = stream < packets.length - 1;
    to += repacketizer.outAt(into, to, into.length, 0, repacketizer.frameCount, selfDelimited, false);
  }
  return to;
}
