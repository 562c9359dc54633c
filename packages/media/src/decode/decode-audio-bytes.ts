import { MediaError } from "../errors.ts";
import { type AudioDecoder, abortError, type DecodeReport } from "./audio-decoder.ts";
import { type AudioFormat, detectAudioFormat } from "./audio-format.ts";
import { flacDecoder } from "./flac-decoder.ts";
import { checkByteLimit, type DecodeLimits, resolveLimits } from "./limits.ts";
import { mp3Decoder } from "./mp3-decoder.ts";
import { PcmCollector, type PcmForm, type RateConverterFactory } from "./pcm-sink.ts";
import { resamplerFactory } from "./resampler-factory.ts";
import { vorbisDecoder } from "./vorbis-decoder.ts";
import { wavDecoder } from "./wav-decoder.ts";

/** How to decode; every field has a default. */
export interface DecodeOptions extends PcmForm {
  /** Wanted rate in Hz; default the source's. */
  readonly sampleRate?: number | undefined;
  /** Wanted channels (see `mixMatrix` for the rules); default the source's. */
  readonly channels?: number | undefined;
  readonly limits?: Partial<DecodeLimits> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Decoders that come before the built-in ones, in this order; Opus is passed in here. */
  readonly decoders?: readonly AudioDecoder[] | undefined;
  /** Replaces the resampler of `@longwave/dsp`. */
  readonly rateConverter?: RateConverterFactory | undefined;
}

/** Decoded sound. */
export interface DecodedAudio {
  readonly sampleRate: number;
  readonly channels: number;
  readonly frames: number;
  /** Interleaved, nominal [-1, 1], `frames * channels` long; the caller's own. */
  readonly pcm: Float32Array;
  /** What the content was recognised as. */
  readonly format: AudioFormat;
  /** Which decoder did it: "wav", "mp3", "flac", "vorbis", "ffmpeg", or an injected one's name. */
  readonly decoder: string;
  /** The form before mixing and resampling. */
  readonly source: { readonly sampleRate: number; readonly channels: number; readonly frames: number };
  /** The input ended early or was damaged in places; what could be decoded is there. */
  readonly truncated: boolean;
  readonly warnings: readonly string[];
}

/** Checks the wanted form. @throws MediaError `media/bad-argument` */
export function checkForm(form: PcmForm): void {
  const { sampleRate, channels } = form;
  if (
    sampleRate !== undefined &&
    !(Number.isInteger(sampleRate) && sampleRate >= 1 && sampleRate <= 768_000)
  ) {
    throw new MediaError(
      "media/bad-argument",
      `sampleRate must be an integer from 1 to 768000 Hz, not ${sampleRate}.`,
    );
  }
  if (channels !== undefined && !(Number.isInteger(channels) && channels >= 1 && channels <= 255)) {
    throw new MediaError("media/bad-argument", `channels must be an integer from 1 to 255, not ${channels}.`);
  }
}

/**
 * Tries `decoders` for `format` one after the other: "unsupported" passes the input on, anything else is final.
 * @throws MediaError `media/unknown-format`, `media/no-decoder`, whatever the decoder threw
 */
export async function decodeWith(
  decoders: readonly AudioDecoder[],
  bytes: Uint8Array,
  format: AudioFormat,
  options: DecodeOptions,
  limits: DecodeLimits,
  signal: AbortSignal,
): Promise<DecodedAudio> {
  let refusal: unknown;
  for (const decoder of decoders) {
    if (!decoder.formats.includes(format)) continue;
    if (signal.aborted) throw abortError(signal);
    const collector = new PcmCollector(options, limits, options.rateConverter ?? resamplerFactory);
    try {
      const report = await decoder.decode(bytes, collector, signal);
      return collected(collector, format, decoder.name, report);
    } catch (error) {
      if (signal.aborted) throw abortError(signal);
      if (!(error instanceof Error && "kind" in error && error.kind === "unsupported")) throw error;
      refusal ??= error;
    } finally {
      collector.close();
    }
  }
  if (refusal !== undefined) throw refusal;
  if (format === "unknown") throw unknownFormat();
  throw new MediaError("media/no-decoder", `The input is ${format}, and no decoder for it is at hand.`);
}

/** Puts the result together. */
export function collected(
  collector: PcmCollector,
  format: AudioFormat,
  decoder: string,
  report: DecodeReport,
): DecodedAudio {
  const result = collector.finish();
  const source = collector.source!;
  return {
    ...result,
    format,
    decoder,
    source: { sampleRate: source.sampleRate, channels: source.channels, frames: collector.sourceFrames },
    truncated: report.truncated ?? false,
    warnings: report.warnings ?? [],
  };
}

/** The error for content that nothing here knows. */
export function unknownFormat(): MediaError {
  return new MediaError(
    "media/unknown-format",
    "The content is no audio format known here (WAV, MP3, FLAC, Ogg Opus and Vorbis; others need ffmpeg).",
  );
}

/**
 * Decodes a whole file in memory, on this thread, to interleaved floats. The format is judged by content. In Node prefer
 * `@longwave/media/node`: it decodes in a worker that a hard time limit can end, and knows ffmpeg.
 *
 * @throws MediaError `media/empty`, `media/unknown-format`, `media/no-decoder`, `media/decode-failed`, `media/limit`,
 *   `media/aborted`, `media/bad-argument`, `media/channel-mix` and the codes of the WAV reader
 */
export async function decodeAudioBytes(
  bytes: Uint8Array,
  options: DecodeOptions = {},
): Promise<DecodedAudio> {
  const limits = resolveLimits(options.limits);
  checkForm(options);
  if (bytes.length === 0) throw new MediaError("media/empty", "The input is empty (0 bytes).");
  checkByteLimit(bytes.length, limits);
  const signal = options.signal ?? new AbortController().signal;
  const decoders = [...(options.decoders ?? []), ...builtInDecoders];
  return decodeWith(decoders, bytes, detectAudioFormat(bytes), options, limits, signal);
}

/** Decoders that run anywhere. */
export const builtInDecoders: readonly AudioDecoder[] = [wavDecoder, mp3Decoder, flacDecoder, vorbisDecoder];
