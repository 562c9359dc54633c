import type { Bandwidth, SampleRate } from "../decoder-options.ts";
import { OpusError } from "../errors.ts";
import { createFrameTable, frameSize48k, invalidPacket, maxFrames, parseFrames } from "./frame-table.ts";

/** Which of the codecs made a packet. */
export type PacketMode = "silk" | "hybrid" | "celt";

/** What a packet's framing tells, without any decoding. Made once by `createPacketInfo`, filled by `parsePacket`. */
export interface PacketInfo {
  mode: PacketMode;
  bandwidth: Bandwidth;
  channels: 1 | 2;
  /** Duration of one frame. */
  frameMs: 2.5 | 5 | 10 | 20 | 40 | 60;
  frameCount: number;
  /** Duration of the packet in sample frames at 48 kHz. */
  frames48k: number;
  code: 0 | 1 | 2 | 3;
  /** Bytes of padding behind the frames. */
  padding: number;
  /** It carries a low bit-rate copy of the packet before (in-band FEC). */
  hasLbrr: boolean;
  /** Position and length of each frame; `frameCount` entries count. */
  readonly frameOffsets: Uint32Array;
  readonly frameLengths: Uint16Array;
}

/** An empty record for `parsePacket`. */
export function createPacketInfo(): PacketInfo {
  return {
    mode: "silk",
    bandwidth: "nb",
    channels: 1,
    frameMs: 20,
    frameCount: 0,
    frames48k: 0,
    code: 0,
    padding: 0,
    hasLbrr: false,
    frameOffsets: new Uint32Array(maxFrames),
    frameLengths: new Uint16Array(maxFrames),
  };
}

const table = createFrameTable();
const silkBandwidths = ["nb", "mb", "wb"] as const;
const celtBandwidths = ["nb", "wb", "swb", "fb"] as const;

/** Mode of the packets with this TOC byte. */
export function packetMode(toc: number): PacketMode {
  return toc < 0x60 ? "silk" : toc < 0x80 ? "hybrid" : "celt";
}

/** Audio bandwidth of the packets with this TOC byte (RFC 6716 table 2). */
export function packetBandwidth(toc: number): Bandwidth {
  if (toc < 0x60) return silkBandwidths[toc >> 5]!;
  if (toc < 0x80) return toc < 0x70 ? "swb" : "fb";
  return celtBandwidths[(toc >> 5) - 4]!;
}

/**
 * Reads a packet's framing (RFC 6716 section 3). Never throws, allocates nothing.
 * @returns the number of frames, or -4 for a packet that breaks a rule; `into` is unchanged then
 */
export function parsePacket(packet: Uint8Array, into: PacketInfo): number {
  const count = parseFrames(packet, 0, packet.length, false, table);
  if (count < 0) return count;
  const { toc } = table;
  const frame = frameSize48k(toc);
  into.mode = packetMode(toc);
  into.bandwidth = packetBandwidth(toc);
  into.channels = (toc & 4) === 0 ? 1 : 2;
  into.frameMs = (frame / 48) as PacketInfo["frameMs"];
  into.frameCount = count;
  into.frames48k = count * frame;
  into.code = (toc & 3) as PacketInfo["code"];
  into.padding = table.padding;
  into.hasLbrr = firstFrameHasLbrr(packet);
  for (let i = 0; i < count; i++) {
    into.frameOffsets[i] = table.offsets[i]!;
    into.frameLengths[i] = table.lengths[i]!;
  }
  return count;
}

/**
 * Duration of a packet in sample frames at `sampleRate`, from its first two bytes.
 * @throws OpusError `opus/invalid-packet` for an empty packet, a code 3 packet without its count, or more than 120 ms
 */
export function packetFrames(packet: Uint8Array, sampleRate: SampleRate = 48_000): number {
  const toc = packet[0];
  if (toc !== undefined) {
    const code = toc & 3;
    const count = code === 0 ? 1 : code < 3 ? 2 : (packet[1] ?? 0) & 63;
    const frames = count * frameSize48k(toc);
    if (frames > 0 && frames <= 5760) return (frames * sampleRate) / 48_000;
  }
  throw invalid(packet);
}

/**
 * Whether a packet carries LBRR data for the packet before it (RFC 6716 section 4.2.3): a flag in the first frame's header.
 * @throws OpusError `opus/invalid-packet`
 */
export function packetHasLbrr(packet: Uint8Array): boolean {
  if (parseFrames(packet, 0, packet.length, false, table) < 0) throw invalid(packet);
  return firstFrameHasLbrr(packet);
}

/** The SILK header: per channel one VAD bit for each 20 ms, then the LBRR bit. */
function firstFrameHasLbrr(packet: Uint8Array): boolean {
  const { toc } = table;
  if (toc >= 0x80 || table.lengths[0] === 0) return false;
  const silkFrames = Math.max(1, frameSize48k(toc) / 960);
  const header = packet[table.offsets[0]!]!;
  const mid = (header >> (7 - silkFrames)) & 1;
  const side = (toc & 4) === 0 ? 0 : (header >> (6 - 2 * silkFrames)) & 1;
  return (mid | side) === 1;
}

function invalid(packet: Uint8Array): OpusError {
  return new OpusError(
    "opus/invalid-packet",
    `These ${packet.length} bytes are no Opus packet (libopus ${invalidPacket}).`,
  );
}
