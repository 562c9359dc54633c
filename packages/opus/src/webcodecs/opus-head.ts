import type { OpusMultistreamLayout } from "../multistream-decoder.ts";

/** What the identification header of an Opus stream says (RFC 7845 section 5.1). */
export interface OpusHead extends OpusMultistreamLayout {
  /** Frames at 48 kHz to drop at the start. */
  readonly preSkip: number;
  readonly gainQ8: number;
  readonly family: number;
}

const magic = [0x4f, 0x70, 0x75, 0x73, 0x48, 0x65, 0x61, 0x64]; // "OpusHead"
const plainBytes = 19;

/** The header of a mono or stereo stream. */
export function writeOpusHead(channels: 1 | 2, preSkip: number, inputSampleRate: number): Uint8Array {
  const bytes = new Uint8Array(plainBytes);
  const view = new DataView(bytes.buffer);
  bytes.set(magic);
  bytes[8] = 1;
  bytes[9] = channels;
  view.setUint16(10, preSkip, true);
  view.setUint32(12, inputSampleRate, true);
  return bytes;
}

/** Reads a header; undefined where it is none, or contradicts itself. */
export function readOpusHead(bytes: Uint8Array): OpusHead | undefined {
  if (bytes.length < plainBytes || magic.some((byte, i) => bytes[i] !== byte) || bytes[8]! >= 16)
    return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const channels = bytes[9]!;
  const family = bytes[18]!;
  const common = { channels, family, preSkip: view.getUint16(10, true), gainQ8: view.getInt16(16, true) };
  if (family === 0) {
    if (channels !== 1 && channels !== 2) return undefined;
    return { ...common, streams: 1, coupled: channels - 1, mapping: Uint8Array.of(0, 1).slice(0, channels) };
  }
  const [streams, coupled] = [bytes[19], bytes[20]];
  if (channels === 0 || streams === undefined || coupled === undefined) return undefined;
  const sources = streams + coupled;
  if (streams === 0 || coupled > streams || sources > 255) return undefined;
  if (family === 3) {
    if (bytes.length < 21 + 2 * channels * sources) return undefined;
    const demixingMatrix = Int16Array.from({ length: channels * sources }, (_, i) =>
      view.getInt16(21 + 2 * i, true),
    );
    return {
      ...common,
      streams,
      coupled,
      mapping: Uint8Array.from({ length: channels }, (_, c) => c),
      demixingMatrix,
    };
  }
  const mapping = bytes.slice(21, 21 + channels);
  if (mapping.length < channels || mapping.some((source) => source !== 255 && source >= sources))
    return undefined;
  return { ...common, streams, coupled, mapping };
}
