/** What a file is, judged by its content alone. */
export type AudioFormat =
  | "wav"
  | "mp3"
  | "mp2"
  | "flac"
  | "ogg-vorbis"
  | "ogg-opus"
  | "ogg-flac"
  | "ogg"
  | "matroska"
  | "mp4"
  | "aiff"
  | "adts"
  | "caf"
  | "au"
  | "asf"
  | "amr"
  | "ac3"
  | "wave64"
  | "unknown";

/** Bytes that `detectAudioFormat` wants to see; fewer will do where the file is shorter. */
export const detectionBytes: number = 1 << 16;

/**
 * Recognises a format by its first bytes (`detectionBytes` of them where there are that many), never by a name. An ID3v2
 * tag in front is passed over; where the tag is longer than `bytes`, the answer is "mp3".
 */
export function detectAudioFormat(bytes: Uint8Array): AudioFormat {
  const tag = id3Length(bytes);
  if (tag >= bytes.length && tag > 0) return "mp3";
  const has = (at: number, text: string) => startsWith(bytes, tag + at, text);
  if ((has(0, "RIFF") || has(0, "RIFX") || has(0, "RF64") || has(0, "BW64")) && has(8, "WAVE")) return "wav";
  if (has(0, "fLaC")) return "flac";
  if (has(0, "OggS")) return oggCodec(bytes, tag);
  if (has(0, "\x1a\x45\xdf\xa3")) return "matroska";
  if (has(4, "ftyp")) return "mp4";
  if (has(0, "FORM") && (has(8, "AIFF") || has(8, "AIFC"))) return "aiff";
  if (has(0, "caff")) return "caf";
  if (has(0, ".snd")) return "au";
  if (has(0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11")) return "asf";
  if (has(0, "#!AMR")) return "amr";
  if (has(0, "\x0b\x77")) return "ac3";
  if (has(0, "riff\x2e\x91\xcf\x11")) return "wave64";
  return mpegFormat(bytes, tag);
}

/** Length of an ID3v2 tag at the start (id3v2.4.0 section 3.1), 0 where there is none. */
export function id3Length(bytes: Uint8Array): number {
  if (bytes.length < 10 || !startsWith(bytes, 0, "ID3")) return 0;
  const [a, b, c, d] = bytes.subarray(6, 10) as unknown as [number, number, number, number];
  if ((a | b | c | d) >= 0x80) return 0;
  const footer = bytes[5]! & 0x10 ? 10 : 0;
  return 10 + ((a << 21) | (b << 14) | (c << 7) | d) + footer;
}

function oggCodec(bytes: Uint8Array, start: number): AudioFormat {
  const packet = start + 27 + (bytes[start + 26] ?? 0);
  if (startsWith(bytes, packet, "OpusHead")) return "ogg-opus";
  if (startsWith(bytes, packet, "\x01vorbis")) return "ogg-vorbis";
  if (startsWith(bytes, packet, "\x7fFLAC")) return "ogg-flac";
  return "ogg";
}

/** MPEG audio and ADTS have no magic, only a sync word: three frames in a row that agree are proof enough. */
function mpegFormat(bytes: Uint8Array, from: number): AudioFormat {
  const searchEnd = Math.min(bytes.length, from + 8192);
  for (let at = from; at + 4 <= searchEnd; at++) {
    if (bytes[at] !== 0xff || (bytes[at + 1]! & 0xe0) !== 0xe0) continue;
    if (framesInARow(bytes, at, mpegFrameBytes)) return mpegLayer(bytes[at + 1]!) === 3 ? "mp3" : "mp2";
    if (framesInARow(bytes, at, adtsFrameBytes)) return "adts";
  }
  return "unknown";
}

/** Up to three frames; a file that ends after one or two whole frames counts too. */
function framesInARow(
  bytes: Uint8Array,
  start: number,
  frameBytes: (bytes: Uint8Array, at: number) => number,
): boolean {
  let at = start;
  for (let frame = 0; frame < 3; frame++) {
    if (frame > 0 && at + 6 > bytes.length) return true;
    const length = frameBytes(bytes, at);
    if (length === 0) return false;
    at += length;
  }
  return true;
}

function mpegLayer(byte: number): number {
  return 4 - ((byte >> 1) & 3);
}

const mpeg1Kbps: Readonly<Record<number, readonly number[]>> = {
  1: [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  2: [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  3: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
};
const mpeg2Kbps: Readonly<Record<number, readonly number[]>> = {
  1: [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  3: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};

/** Length of the MPEG audio frame whose header is at `at` (ISO/IEC 11172-3 2.4.1.3 and 13818-3), 0 if it is none. */
export function mpegFrameBytes(bytes: Uint8Array, at: number): number {
  if (at + 4 > bytes.length || bytes[at] !== 0xff || (bytes[at + 1]! & 0xe0) !== 0xe0) return 0;
  const version = (bytes[at + 1]! >> 3) & 3;
  const layer = mpegLayer(bytes[at + 1]!);
  const bitrateIndex = bytes[at + 2]! >> 4;
  const rateIndex = (bytes[at + 2]! >> 2) & 3;
  if (version === 1 || layer === 4 || bitrateIndex === 0 || bitrateIndex === 15 || rateIndex === 3) return 0;
  const kbps = (version === 3 ? mpeg1Kbps : mpeg2Kbps)[layer]![bitrateIndex]!;
  const rate = mpegSampleRate(version, rateIndex);
  const padding = (bytes[at + 2]! >> 1) & 1;
  if (layer === 1) return 4 * (Math.floor((12_000 * kbps) / rate) + padding);
  const slots = layer === 3 && version !== 3 ? 72_000 : 144_000;
  return Math.floor((slots * kbps) / rate) + padding;
}

/** @param version the header's two bits: 3 MPEG-1, 2 MPEG-2, 0 MPEG-2.5 */
export function mpegSampleRate(version: number, rateIndex: number): number {
  const base = [44_100, 48_000, 32_000][rateIndex] ?? 44_100;
  return version === 3 ? base : version === 2 ? base / 2 : base / 4;
}

/** Length of the ADTS frame at `at` (ISO/IEC 13818-7 6.2), 0 if it is none. */
function adtsFrameBytes(bytes: Uint8Array, at: number): number {
  if (at + 6 > bytes.length || bytes[at] !== 0xff || (bytes[at + 1]! & 0xf6) !== 0xf0) return 0;
  if (((bytes[at + 2]! >> 2) & 15) > 12) return 0;
  const length = ((bytes[at + 3]! & 3) << 11) | (bytes[at + 4]! << 3) | (bytes[at + 5]! >> 5);
  return length >= 7 ? length : 0;
}

function startsWith(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}
