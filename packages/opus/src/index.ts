// The whole codec. Who only decodes imports @longwave/opus/decoder, which is half as large.
import "./codec-core.ts";

export * from "./decoding.ts";
export { OpusEncoder } from "./encoder.ts";
export type {
  Application,
  FrameMs,
  Mode,
  OpusEncoderOptions,
  OpusEncoderSettings,
} from "./encoder-settings.ts";
export type { MappingFamily } from "./multistream/channel-layout.ts";
export {
  OpusMultistreamEncoder,
  type OpusMultistreamEncoderOptions,
} from "./multistream/multistream-encoder.ts";
