import { OpusError } from "../errors.ts";
import { demixGainsQ8, demixMatrices, mixMatrices } from "./projection-matrices.ts";

/** Mapping families that an encoder can be made for: RFC 7845 section 5.1.1, RFC 8486. */
export type MappingFamily = 0 | 1 | 2 | 3 | 255;

/** How the channels of a multistream encoder are coded. */
export interface ChannelLayout {
  readonly channels: number;
  readonly streams: number;
  /** The first so many streams are stereo. */
  readonly coupled: number;
  /** Per channel the stream channel; coupled streams count twice, 255 = not coded. */
  readonly mapping: Uint8Array;
  /** How the bit rate is shared. */
  readonly kind: "plain" | "surround" | "ambisonics";
  /** Stream of low-frequency effects, -1 for none. */
  readonly lfeStream: number;
  readonly projection: Projection | undefined;
}

/** Mixing of ambisonics before coding (family 3): matrices in Q15, column by column. */
export interface Projection {
  /** Rows of `mixing`, of which the first ones are used. */
  readonly rows: number;
  readonly mixing: Int16Array;
  /** `channels` rows by `streams + coupled` columns, for the decoder. */
  readonly demixing: Int16Array;
  readonly demixingGainQ8: number;
}

/** Streams, coupled streams and mapping of 1 to 8 channels in the order of Vorbis. */
const vorbisLayouts: readonly (readonly [number, number, readonly number[]])[] = [
  [1, 0, [0]],
  [1, 1, [0, 1]],
  [2, 1, [0, 2, 1]],
  [2, 2, [0, 1, 2, 3]],
  [3, 2, [0, 4, 1, 2, 3]],
  [4, 2, [0, 4, 1, 2, 3, 5]],
  [4, 3, [0, 4, 1, 2, 3, 5, 6]],
  [5, 3, [0, 6, 1, 2, 3, 4, 5, 7]],
];

/**
 * The layout that libopus uses for so many channels of a mapping family.
 * @throws OpusError `opus/bad-argument`
 */
export function layoutOfFamily(channels: number, family: MappingFamily): ChannelLayout {
  if (!Number.isInteger(channels) || channels < 1 || channels > 255) {
    throw new OpusError("opus/bad-argument", `channels is ${channels}; give 1 to 255.`);
  }
  const plain = { channels, kind: "plain", lfeStream: -1, projection: undefined } as const;
  switch (family) {
    case 0: {
      if (channels > 2) throw refuse(channels, family, "1 or 2");
      return { ...plain, streams: 1, coupled: channels - 1, mapping: identity(channels) };
    }
    case 1: {
      const layout = vorbisLayouts[channels - 1];
      if (layout === undefined) throw refuse(channels, family, "1 to 8");
      const [streams, coupled, mapping] = layout;
      const lfeStream = channels >= 6 ? streams - 1 : -1;
      const kind = channels > 2 ? "surround" : "plain";
      return { ...plain, kind, lfeStream, streams, coupled, mapping: Uint8Array.from(mapping) };
    }
    case 255:
      return { ...plain, streams: channels, coupled: 0, mapping: identity(channels) };
    case 2: {
      const ambient = ambientChannels(channels, family);
      const coupled = channels > ambient ? 1 : 0;
      const mapping = Uint8Array.from({ length: channels }, (_, i) =>
        i < ambient ? i + 2 * coupled : i - ambient,
      );
      return { ...plain, kind: "ambisonics", streams: ambient + coupled, coupled, mapping };
    }
    case 3: {
      const order = Math.round(Math.sqrt(ambientChannels(channels, family))) - 1;
      if (order < 1 || order > 5)
        throw refuse(channels, family, "(1 + order)^2, order 1 to 5, and 2 more or not");
      const streams = (channels + 1) >> 1;
      const coupled = channels >> 1;
      return {
        ...plain,
        streams,
        coupled,
        mapping: identity(channels),
        projection: projection(channels, order),
      };
    }
    default:
      throw new OpusError(
        "opus/unimplemented",
        `Mapping family ${family} is not known; there are 0, 1, 2, 3 and 255.`,
      );
  }
}

/**
 * A layout of the caller's own.
 * @throws OpusError `opus/bad-argument` where it contradicts itself, or a stream has no channel
 */
export function layoutOfMapping(streams: number, coupled: number, mapping: Uint8Array): ChannelLayout {
  const channels = mapping.length;
  const coded = streams + coupled;
  const sane =
    Number.isInteger(streams) && Number.isInteger(coupled) && coupled >= 0 && streams >= Math.max(1, coupled);
  if (!sane || coded > 255 || channels < coded || channels > 255) {
    throw new OpusError(
      "opus/bad-argument",
      `${streams} streams, ${coupled} of them coupled, and ${channels} channels do not go together: 1 to 255 streams, at least as many channels as streams and coupled ones together.`,
    );
  }
  for (const target of mapping) {
    if (target !== 255 && target >= coded) {
      throw new OpusError("opus/bad-argument", `The mapping names stream channel ${target} of ${coded}.`);
    }
  }
  for (let target = 0; target < coded; target++) {
    if (!mapping.includes(target)) {
      throw new OpusError(
        "opus/bad-argument",
        `No channel is mapped to stream channel ${target} of ${coded}.`,
      );
    }
  }
  return {
    channels,
    streams,
    coupled,
    mapping: mapping.slice(),
    kind: "plain",
    lfeStream: -1,
    projection: undefined,
  };
}

function identity(channels: number): Uint8Array {
  return Uint8Array.from({ length: channels }, (_, i) => i);
}

/** Channels of a full order of ambisonics, of `channels` with two non-diegetic ones or none. */
function ambientChannels(channels: number, family: number): number {
  const side = Math.floor(Math.sqrt(channels));
  const rest = channels - side * side;
  if (channels > 227 || (rest !== 0 && rest !== 2)) {
    throw refuse(channels, family, "(1 + order)^2 up to 225, and 2 more or not");
  }
  return side * side;
}

function refuse(channels: number, family: number, legal: string): OpusError {
  return new OpusError(
    "opus/bad-argument",
    `Mapping family ${family} has no ${channels} channels; give ${legal}.`,
  );
}

function projection(channels: number, order: number): Projection {
  const rows = (order + 1) * (order + 1) + 2;
  const full = demixMatrices[order - 1]!;
  const demixing = new Int16Array(channels * channels);
  for (let column = 0; column < channels; column++) {
    for (let row = 0; row < channels; row++) demixing[column * channels + row] = full[column * rows + row]!;
  }
  return {
    rows,
    mixing: Int16Array.from(mixMatrices[order - 1]!),
    demixing,
    demixingGainQ8: demixGainsQ8[order - 1]!,
  };
}
