export type { OpusHead } from "./opus/opus-head.ts";
export { opusFrameSize, opusPacketFrames } from "./opus/packet-frames.ts";
export type { DecoderFactory, SeekableDecoder } from "./opus/seekable-decoder.ts";
