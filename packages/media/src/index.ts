export type { AudioDecoder, DecodeReport } from "./decode/audio-decoder.ts";
export { type AudioFormat, detectAudioFormat, detectionBytes } from "./decode/audio-format.ts";
export { type DecodedAudio, type DecodeOptions, decodeAudioBytes } from "./decode/decode-audio-bytes.ts";
export { type DecodeLimits, defaultDecodeLimits } from "./decode/limits.ts";
export type {
  PcmForm,
  PcmSink,
  RateConverter,
  RateConverterFactory,
  SourceForm,
} from "./decode/pcm-sink.ts";
export { MediaError, type MediaErrorCode, mediaErrorKinds } from "./errors.ts";
export type { OpusHead } from "./opus/opus-head.ts";
export { opusFrameSize, opusPacketFrames } from "./opus/packet-frames.ts";
export type { DecoderFactory, SeekableDecoder } from "./opus/seekable-decoder.ts";
export { decodeSamples } from "./pcm/decode-samples.ts";
export { encodeSamples } from "./pcm/encode-samples.ts";
export { fromInt16, toInt16 } from "./pcm/int16.ts";
export { mixChannels, mixMatrix } from "./pcm/mix-channels.ts";
export { bytesPerSample, type SampleEncoding } from "./pcm/sample-format.ts";
export { encodeWav, WavEncoder, type WavWriteOptions } from "./wav/wav-encoder.ts";
export type { WavFormat } from "./wav/wav-format.ts";
export {
  defaultWavLimits,
  type WavChunk,
  type WavHandler,
  type WavLimits,
  WavParser,
} from "./wav/wav-parser.ts";
export { type PcmHandler, type WavHead, WavReader } from "./wav/wav-reader.ts";
