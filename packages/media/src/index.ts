export type { AudioDecoder, DecodeReport } from "./decode/audio-decoder.ts";
export { type AudioFormat, detectAudioFormat, detectionBytes } from "./decode/audio-format.ts";
export { type DecodedAudio, type DecodeOptions, decodeAudioBytes } from "./decode/decode-audio-bytes.ts";
export { type DecodeLimits, defaultDecodeLimits } from "./decode/limits.ts";
export { opusFileDecoder } from "./decode/opus-file-decoder.ts";
export type {
  PcmForm,
  PcmSink,
  RateConverter,
  RateConverterFactory,
  SourceForm,
} from "./decode/pcm-sink.ts";
export { resamplerFactory } from "./decode/resampler-factory.ts";
export { endOfWav } from "./decode/wav-decoder.ts";
export { MediaError, type MediaErrorCode, mediaErrorKinds } from "./errors.ts";
export { type AudioMothComment, parseAudioMothComment } from "./metadata/audiomoth.ts";
export { type Bext, parseBext } from "./metadata/bext.ts";
export { type Guano, parseGuano } from "./metadata/guano.ts";
export { type Ixml, parseIxml } from "./metadata/ixml.ts";
export { type RecorderMetadata, recorderMetadata } from "./metadata/recorder-metadata.ts";
export { parseRiffInfo } from "./metadata/riff-info.ts";
export {
  defaultOggLimits,
  OggDemuxer,
  type OggHandler,
  type OggLimits,
} from "./ogg/ogg-demuxer.ts";
export { OggMuxer, type OggSink } from "./ogg/ogg-muxer.ts";
export { type OggPage, type OggPageHandler, OggPageParser } from "./ogg/ogg-page-parser.ts";
export { opusHeadInWaveOrder, opusWaveMask } from "./opus/channel-order.ts";
export {
  OggOpusDemuxer,
  type OggOpusHandler,
  type OggOpusLimits,
  type OggOpusLink,
  type OggOpusPacket,
} from "./opus/ogg-opus-demuxer.ts";
export {
  type ByteSource,
  OggOpusReader,
  type OggOpusReport,
  type OpusDemuxer,
  type OpusFilePacket,
  type OpusFileReader,
  type OpusGap,
} from "./opus/ogg-opus-reader.ts";
export { OggOpusWriter, type OggOpusWriterOptions } from "./opus/ogg-opus-writer.ts";
export { openOpusFile } from "./opus/open-opus-file.ts";
export { type OpusHead, parseOpusHead, plainOpusHead, writeOpusHead } from "./opus/opus-head.ts";
export {
  defaultOpusTagLimits,
  type OpusTagLimits,
  type OpusTags,
  opusR128Gain,
  opusTagValues,
  parseOpusTags,
  writeOpusTags,
} from "./opus/opus-tags.ts";
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
export { defaultWebmLimits, type WebmLimits, WebmOpusDemuxer } from "./webm/webm-opus-demuxer.ts";
export { WebmOpusWriter, type WebmSink } from "./webm/webm-opus-writer.ts";
