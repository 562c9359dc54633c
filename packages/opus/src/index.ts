export { type OpusCompareOptions, type OpusComparison, opusCompare } from "./compare/opus-compare.ts";
export { OpusCore } from "./core.ts";
export { OpusDecoder } from "./decoder.ts";
export type { Bandwidth, OpusDecoderOptions, SampleRate } from "./decoder-options.ts";
export { OpusError, type OpusErrorCode } from "./errors.ts";
export {
  OpusMultistreamDecoder,
  type OpusMultistreamDecoderOptions,
  type OpusMultistreamLayout,
} from "./multistream-decoder.ts";
export { createSeekableDecoder, type OpusSeekableDecoder } from "./seekable-decoder.ts";
