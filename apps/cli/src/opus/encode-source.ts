import { createReadStream } from "node:fs";
import {
  bytesPerSample,
  type DecodedAudio,
  decodeSamples,
  encodeWav,
  mixChannels,
  mixMatrix,
  opusFileDecoder,
  type SampleEncoding,
} from "@longwave/media";
import { decodeAudioBytes, decodeAudioFile } from "@longwave/media/node";
import { createSeekableDecoder, type SampleRate } from "@longwave/opus";
import { CliError } from "../errors.ts";

/** Raw samples without a header. */
export interface RawForm {
  readonly sampleRate: number;
  readonly bits: 8 | 16 | 24 | 32;
  readonly float: boolean;
  readonly channels: number;
  readonly bigEndian: boolean;
}

/** Sound on its way to the encoder. */
export interface EncodeSource {
  readonly sampleRate: SampleRate;
  readonly channels: number;
  /** Rate before resampling, for the header. */
  readonly inputSampleRate: number;
  /** Significant bits of the samples. */
  readonly lsbDepth: number;
  /** Whether more than two channels are in WAVE order. */
  readonly waveOrder: boolean;
  /** Sample frames in all, where that is known. */
  readonly frames: number | undefined;
  /** Interleaved samples, whole frames at a time. */
  readonly blocks: AsyncIterable<Float32Array>;
  readonly warnings: readonly string[];
}

const opusRates: readonly number[] = [8000, 12000, 16000, 24000, 48000];

/** Sound that is not coded at its own rate is resampled to 48 kHz. */
function codingRate(sampleRate: number): SampleRate {
  return (opusRates.includes(sampleRate) ? sampleRate : 48000) as SampleRate;
}

/** A sound file of any kind that `decodeAudioFile` knows, or `-`, decoded as a whole. */
export async function openSoundFile(input: string, channels: number | undefined): Promise<EncodeSource> {
  const decoders = [opusFileDecoder(createSeekableDecoder)];
  const wanted = { decoders, ...(channels === undefined ? {} : { channels }) };
  const bytes = input === "-" ? await readAll(process.stdin) : undefined;
  const decode = (sampleRate?: number): Promise<DecodedAudio> => {
    const options = sampleRate === undefined ? wanted : { ...wanted, sampleRate };
    return bytes === undefined ? decodeAudioFile(input, options) : decodeAudioBytes(bytes, options);
  };
  let audio = await decode();
  const { sampleRate: inputSampleRate } = audio.source;
  if (codingRate(audio.sampleRate) !== audio.sampleRate) audio = await decode(48000);
  return ofMemory(audio, inputSampleRate, 24, true);
}

/** Raw samples; at a rate of Opus they are encoded as they come in. */
export async function openRaw(
  input: string,
  form: RawForm,
  channels: number | undefined,
): Promise<EncodeSource> {
  const stream = input === "-" ? process.stdin : createReadStream(input);
  const encoding = `${form.float ? "f" : form.bits === 8 ? "u" : "s"}${form.bits}` as SampleEncoding;
  const lsbDepth = form.float ? 24 : Math.min(24, form.bits);
  if (codingRate(form.sampleRate) !== form.sampleRate) {
    const bytes = await readAll(stream);
    const count = Math.floor(bytes.length / bytesPerSample[encoding] / form.channels) * form.channels;
    const rest = bytes.length - count * bytesPerSample[encoding];
    const pcm = new Float32Array(count);
    decodeSamples(bytes, 0, encoding, form.bigEndian, pcm, 0, count);
    const wav = encodeWav(pcm, { sampleRate: form.sampleRate, channels: form.channels, encoding: "f32" });
    const audio = await decodeAudioBytes(wav, {
      sampleRate: 48000,
      ...(channels === undefined ? {} : { channels }),
    });
    const source = ofMemory(audio, form.sampleRate, lsbDepth, false);
    return { ...source, warnings: [...source.warnings, ...restWarning(rest)] };
  }
  const to = channels ?? form.channels;
  const warnings: string[] = [];
  return {
    sampleRate: codingRate(form.sampleRate),
    channels: to,
    inputSampleRate: form.sampleRate,
    lsbDepth,
    waveOrder: false,
    frames: undefined,
    blocks: rawBlocks(stream, form, encoding, to, warnings),
    warnings,
  };
}

function ofMemory(
  audio: DecodedAudio,
  inputSampleRate: number,
  lsbDepth: number,
  waveOrder: boolean,
): EncodeSource {
  const { channels, frames, pcm } = audio;
  return {
    sampleRate: codingRate(audio.sampleRate),
    channels,
    inputSampleRate,
    lsbDepth,
    waveOrder,
    frames,
    blocks: pieces(pcm, channels * audio.sampleRate),
    warnings: [
      ...audio.warnings,
      ...(audio.truncated ? ["the input ends early or is damaged in places"] : []),
    ],
  };
}

async function* pieces(pcm: Float32Array, length: number): AsyncGenerator<Float32Array> {
  for (let at = 0; at < pcm.length; at += length) yield pcm.subarray(at, at + length);
}

async function* rawBlocks(
  stream: AsyncIterable<Buffer>,
  form: RawForm,
  encoding: SampleEncoding,
  channels: number,
  warnings: string[],
): AsyncGenerator<Float32Array> {
  const frameBytes = bytesPerSample[encoding] * form.channels;
  const matrix = mixMatrix(form.channels, channels);
  let rest: Uint8Array = new Uint8Array(0);
  for await (const chunk of stream) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const frames = Math.floor(bytes.length / frameBytes);
    rest = bytes.subarray(frames * frameBytes);
    const pcm = new Float32Array(frames * form.channels);
    decodeSamples(bytes, 0, encoding, form.bigEndian, pcm, 0, pcm.length);
    if (channels === form.channels) {
      yield pcm;
    } else {
      const mixed = new Float32Array(frames * channels);
      mixChannels(pcm, form.channels, mixed, channels, frames, matrix);
      yield mixed;
    }
  }
  warnings.push(...restWarning(rest.length));
}

/** What there is to say where raw samples end within a frame: often their form was given wrongly. */
function restWarning(bytes: number): string[] {
  return bytes === 0 ? [] : [`the last ${bytes} bytes are no whole frame and were left out`];
}

const maxInputBytes = 2 ** 31;

async function readAll(stream: AsyncIterable<Buffer>): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of stream) {
    total += chunk.length;
    if (total > maxInputBytes) {
      throw new CliError("cli/bad-argument", "limit", `The input has more than ${maxInputBytes} bytes.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
