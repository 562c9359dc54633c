// What both entry points offer: everything but encoding.
export { type OpusCompareOptions, type OpusComparison, opusCompare } from "./compare/opus-compare.ts";
export { OpusCore } from "./core.ts";
export { OpusDecoder } from "./decoder.ts";
export type { Bandwidth, OpusDecoderOptions, SampleRate } from "./decoder-options.ts";
export { OpusError, type OpusErrorCode } from "./errors.ts";
export {
  type CeltFrameTrace,
  inspectPacket,
  type PacketTrace,
  type SilkFrameTrace,
} from "./inspect-packet.ts";
export {
  OpusMultistreamDecoder,
  type OpusMultistreamDecoderOptions,
  type OpusMultistreamLayout,
} from "./multistream-decoder.ts";
export { type PacketExtension, packetExtensions, writeExtensions } from "./packets/extensions.ts";
export { joinMultistreamPacket, splitMultistreamPacket } from "./packets/multistream-packet.ts";
export {
  createPacketInfo,
  type PacketInfo,
  type PacketMode,
  packetFrames,
  packetHasLbrr,
  parsePacket,
} from "./packets/packet-info.ts";
export { multistreamPad, multistreamUnpad, padPacket, unpadPacket } from "./packets/padding.ts";
export { Repacketizer } from "./packets/repacketizer.ts";
export { createSeekableDecoder, type OpusSeekableDecoder } from "./seekable-decoder.ts";
export { softClip } from "./soft-clip.ts";
