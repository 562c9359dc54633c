// Opus behind the interfaces of WebCodecs (W3C), for programs written to them.
import "../codec-core.ts";

export {
  AudioData,
  type AudioDataCopyToOptions,
  type AudioDataInit,
  type AudioDataLike,
} from "./audio-data.ts";
export { AudioDecoder, type AudioDecoderInit, type AudioDecoderSupport } from "./audio-decoder.ts";
export {
  AudioEncoder,
  type AudioEncoderInit,
  type AudioEncoderSupport,
  type EncodedAudioChunkMetadata,
} from "./audio-encoder.ts";
export type { BufferSource } from "./buffer-source.ts";
export type { CodecBase, CodecInit, CodecState } from "./codec-base.ts";
export type { AudioDecoderConfig, AudioEncoderConfig, OpusEncoderConfig } from "./configs.ts";
export type { Schedule } from "./control-queue.ts";
export {
  EncodedAudioChunk,
  type EncodedAudioChunkInit,
  type EncodedAudioChunkLike,
  type EncodedAudioChunkType,
} from "./encoded-audio-chunk.ts";
export type { AudioSampleFormat } from "./sample-formats.ts";
