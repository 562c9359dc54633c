import { MediaError } from "../errors.ts";
import { bytesPerSample, type SampleEncoding } from "../pcm/sample-format.ts";

/** What the `fmt ` chunk says, as far as PCM goes. */
export interface WavFormat {
  readonly sampleRate: number;
  readonly channels: number;
  readonly encoding: SampleEncoding;
  /** Bits that carry signal; at most the bits of `encoding`. */
  readonly validBits: number;
  /** Speaker positions (dwChannelMask); 0 where unknown. */
  readonly channelMask: number;
  /** The file was written with WAVE_FORMAT_EXTENSIBLE. */
  readonly extensible: boolean;
  /** `RIFX`: every number in the file is big-endian. */
  readonly bigEndian: boolean;
}

/** Format tags of mmreg.h. */
const tagPcm = 0x0001;
const tagFloat = 0x0003;
const tagExtensible = 0xfffe;

/** Names for the error message; their decoding is ffmpeg's business. */
const compressedTags: Readonly<Record<number, string>> = {
  2: "Microsoft ADPCM",
  6: "A-law",
  7: "mu-law",
  17: "IMA ADPCM",
  49: "GSM 6.10",
  80: "MPEG",
  85: "MP3",
  255: "AAC",
  353: "Windows Media Audio",
  22127: "Vorbis",
  28751: "Opus",
  61868: "FLAC",
};

/** Last 14 bytes of every KSDATAFORMAT_SUBTYPE GUID; the first two are a format tag. */
const subtypeTail = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

/** No known recorder exceeds it; a larger value is a damaged header. */
const maxSampleRate = 100_000_000;

/**
 * Reads a `fmt ` chunk (mmreg.h WAVEFORMATEX and WAVEFORMATEXTENSIBLE).
 * @throws MediaError `media/wav-malformed`, `media/wav-codec` for a compressed codec, `media/limit` for too many channels
 */
export function parseWavFormat(chunk: Uint8Array, bigEndian: boolean, maxChannels: number): WavFormat {
  if (chunk.length < 14) throw malformed(`its fmt chunk has ${chunk.length} bytes, at least 14 are needed`);
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const little = !bigEndian;
  let tag = view.getUint16(0, little);
  const channels = view.getUint16(2, little);
  const sampleRate = view.getUint32(4, little);
  const blockAlign = view.getUint16(12, little);
  const statedBits = chunk.length >= 16 ? view.getUint16(14, little) : 0;
  let validBits = statedBits;
  let channelMask = 0;
  const extensible = tag === tagExtensible;
  if (extensible) {
    if (chunk.length < 40) throw malformed(`its extensible fmt chunk has ${chunk.length} bytes, not 40`);
    validBits = view.getUint16(18, little) || statedBits;
    channelMask = view.getUint32(20, little);
    if (!subtypeTail.every((byte, i) => chunk[26 + i] === byte)) {
      throw new MediaError("media/wav-codec", "The WAV file names a sub-format that is not PCM.");
    }
    tag = view.getUint16(24, little);
  }
  if (tag !== tagPcm && tag !== tagFloat) {
    const name = compressedTags[tag] ?? `format tag 0x${tag.toString(16).padStart(4, "0")}`;
    throw new MediaError("media/wav-codec", `The WAV file holds ${name}, not PCM; convert it with ffmpeg.`);
  }
  if (channels === 0) throw malformed("it has 0 channels");
  if (channels > maxChannels) {
    throw new MediaError(
      "media/limit",
      `The WAV file has ${channels} channels; the limit is ${maxChannels}.`,
    );
  }
  if (sampleRate === 0 || sampleRate > maxSampleRate) throw malformed(`its sample rate is ${sampleRate} Hz`);
  const encoding = encodingOf(tag, blockAlign / channels, statedBits);
  return {
    sampleRate,
    channels,
    encoding,
    validBits: Math.min(validBits || 8 * bytesPerSample[encoding], 8 * bytesPerSample[encoding]),
    channelMask,
    extensible,
    bigEndian,
  };
}

/** The container size decides: 12 or 20 valid bits sit left-justified in 2 or 3 bytes (mmreg.h). */
function encodingOf(tag: number, containerBytes: number, statedBits: number): SampleEncoding {
  const fits = statedBits <= 8 * containerBytes;
  if (fits && tag === tagFloat) {
    if (containerBytes === 4) return "f32";
    if (containerBytes === 8) return "f64";
  } else if (fits && tag === tagPcm) {
    const encoding = ([undefined, "u8", "s16", "s24", "s32"] as const)[containerBytes];
    if (encoding !== undefined) return encoding;
  }
  throw malformed(
    `${statedBits} bits in ${containerBytes} bytes per sample are no ${tag === tagPcm ? "PCM" : "float"} layout`,
  );
}

function malformed(what: string): MediaError {
  return new MediaError("media/wav-malformed", `The WAV file is damaged: ${what}.`);
}

/** Bytes of one sample frame. */
export function wavFrameBytes(format: WavFormat): number {
  return format.channels * bytesPerSample[format.encoding];
}
