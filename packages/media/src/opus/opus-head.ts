import { MediaError } from "../errors.ts";

/** The identification header of an Opus stream (RFC 7845 section 5.1, RFC 8486 for family 3). */
export interface OpusHead {
  /** Channels of the output, 1 to 255. */
  readonly channels: number;
  /** Decoded sample frames at 48 kHz to throw away at the start. */
  readonly preSkip: number;
  /** Rate of the original input in Hz, for information; 0 = unknown. */
  readonly inputSampleRate: number;
  /** Gain to apply to the decoder's output, in 1/256 dB (Q7.8). */
  readonly gainQ8: number;
  /** Channel mapping family: 0 mono or stereo, 1 Vorbis order, 2 and 3 ambisonics, 255 undefined. */
  readonly family: number;
  readonly streams: number;
  readonly coupled: number;
  /** One stream channel (255 = silent) per output channel. */
  readonly mapping: Uint8Array;
  /** Family 3: demixing matrix, Q15, column by column. */
  readonly demixingMatrix?: Int16Array;
}

const magic = "OpusHead";

/**
 * Reads an identification header (RFC 7845 section 5.1; RFC 8486 section 3 for the matrix of family 3).
 * @throws MediaError `media/not-opus` for another magic, a version of 16 or more, no channels, a mapping that names absent
 *   streams, or a header that is too short
 */
export function parseOpusHead(bytes: Uint8Array): OpusHead {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 19 || !hasMagic(bytes, magic)) throw notOpus("it does not start with OpusHead");
  const version = view.getUint8(8);
  if (version >= 16) throw notOpus(`its version is ${version}; 0 to 15 are known`);
  const channels = view.getUint8(9);
  const family = view.getUint8(18);
  if (channels === 0) throw notOpus("it has 0 channels");
  const common = {
    channels,
    preSkip: view.getUint16(10, true),
    inputSampleRate: view.getUint32(12, true),
    gainQ8: view.getInt16(16, true),
    family,
  };
  if (family === 0) {
    if (channels > 2) throw notOpus(`family 0 has 1 or 2 channels, not ${channels}`);
    return { ...common, streams: 1, coupled: channels - 1, mapping: Uint8Array.of(0, 1).slice(0, channels) };
  }
  if (bytes.length < 21) throw notOpus(`it has ${bytes.length} bytes, too few for family ${family}`);
  const streams = view.getUint8(19);
  const coupled = view.getUint8(20);
  if (streams === 0 || coupled > streams || streams + coupled > 255) {
    throw notOpus(`it has ${streams} streams, ${coupled} of them coupled`);
  }
  if (family === 3) return { ...common, streams, coupled, ...parseMatrix(view, channels, streams + coupled) };
  if (bytes.length < 21 + channels) throw notOpus(`its mapping has fewer than ${channels} entries`);
  const mapping = new Uint8Array(bytes.subarray(21, 21 + channels));
  for (const entry of mapping) {
    if (entry !== 255 && entry >= streams + coupled) throw notOpus(`its mapping names channel ${entry}`);
  }
  return { ...common, streams, coupled, mapping };
}

/** The bytes of an identification header, version 1. @throws MediaError `media/bad-argument` where a field does not fit */
export function writeOpusHead(head: OpusHead): Uint8Array {
  const tail = head.family === 3 ? matrixBytes(head) : head.mapping;
  const bytes = new Uint8Array(head.family === 0 ? 19 : 21 + tail.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < 8; i++) bytes[i] = magic.charCodeAt(i);
  bytes[8] = 1;
  bytes[9] = head.channels;
  view.setUint16(10, head.preSkip, true);
  view.setUint32(12, head.inputSampleRate, true);
  view.setInt16(16, head.gainQ8, true);
  bytes[18] = head.family;
  if (head.family !== 0) {
    bytes[19] = head.streams;
    bytes[20] = head.coupled;
    bytes.set(tail, 21);
  }
  const { channels, preSkip, inputSampleRate, gainQ8, family } = parseOpusHead(bytes);
  const kept =
    channels === head.channels &&
    preSkip === head.preSkip &&
    inputSampleRate === head.inputSampleRate &&
    gainQ8 === head.gainQ8 &&
    family === head.family;
  if (!kept) throw new MediaError("media/bad-argument", "A field of the OpusHead is beyond its range.");
  return bytes;
}

/** A head for ordinary mono or stereo. */
export function plainOpusHead(channels: 1 | 2, preSkip: number, inputSampleRate = 48_000): OpusHead {
  const mapping = Uint8Array.of(0, 1).slice(0, channels);
  return {
    channels,
    preSkip,
    inputSampleRate,
    gainQ8: 0,
    family: 0,
    streams: 1,
    coupled: channels - 1,
    mapping,
  };
}

function parseMatrix(
  view: DataView,
  channels: number,
  inputs: number,
): { mapping: Uint8Array; demixingMatrix: Int16Array } {
  const count = channels * inputs;
  if (view.byteLength < 21 + 2 * count) throw notOpus(`its demixing matrix has fewer than ${count} entries`);
  const demixingMatrix = new Int16Array(count);
  for (let i = 0; i < count; i++) demixingMatrix[i] = view.getInt16(21 + 2 * i, true);
  return { mapping: Uint8Array.from({ length: channels }, (_, c) => c), demixingMatrix };
}

function matrixBytes(head: OpusHead): Uint8Array {
  const matrix = head.demixingMatrix ?? new Int16Array(0);
  if (matrix.length !== head.channels * (head.streams + head.coupled)) {
    throw new MediaError(
      "media/bad-argument",
      "Family 3 needs a matrix of channels times (streams + coupled) entries.",
    );
  }
  const bytes = new Uint8Array(2 * matrix.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of matrix.entries()) view.setInt16(2 * i, value, true);
  return bytes;
}

/** Whether `bytes` start with this ASCII text. */
export function hasMagic(bytes: Uint8Array, text: string, at = 0): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

function notOpus(what: string): MediaError {
  return new MediaError("media/not-opus", `The Opus header cannot be used: ${what}.`);
}
