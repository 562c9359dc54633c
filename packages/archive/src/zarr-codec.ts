import type { DecoderFactory } from "@longwave/media";
import { decodeChunk } from "./chunk-format.ts";
import { decodeChunkRange, StartRefused } from "./chunk-reader.ts";
import { SegmentDecoder } from "./decode-run.ts";
import { ArchiveError } from "./errors.ts";
import { toInt16 } from "./int16.ts";
import { SegmentTable } from "./segment-table.ts";

/** What zarrita hands to a codec: the array's data type and the inner chunk's shape. */
export interface ZarrChunkMetadata {
  readonly shape: readonly number[];
}

/** A chunk of a Zarr array in memory. */
export interface ZarrChunk {
  readonly data: Int16Array;
  readonly shape: number[];
  readonly stride: number[];
}

/** Configuration of our codec in `zarr.json`: format 1, or 2 where chunks overlap; segments are [first packet, gain in Q7.8]. */
export interface ChunkCodecConfiguration {
  readonly format: number;
  readonly profile: string;
  readonly segments: readonly (readonly [number, number])[];
}

/** An `array_to_bytes` codec as zarrita's registry expects it. */
export interface ChunkCodec {
  readonly kind: "array_to_bytes";
  encode(chunk: ZarrChunk): Uint8Array;
  decode(bytes: Uint8Array): ZarrChunk;
}

/**
 * Makes the codec with which stock zarrita reads our recordings as int16 PCM. Samples are rounded half to even and
 * saturated; the last chunk is padded with zeros to its full shape.
 *
 * @example
 * import { registry } from "zarrita";
 * registry.set(codecName, async () => createChunkCodec(createSeekableDecoder));
 */
export function createChunkCodec(decoder: DecoderFactory): {
  fromConfig(configuration: ChunkCodecConfiguration, metadata: ZarrChunkMetadata): ChunkCodec;
} {
  return {
    fromConfig(configuration, metadata) {
      const [frames = 0, channels = 0] = metadata.shape;
      if (configuration.format !== 1 && configuration.format !== 2) {
        throw new ArchiveError(
          "archive/version",
          `The chunks have format ${configuration.format}; this program reads 1 and 2.`,
        );
      }
      return {
        kind: "array_to_bytes",
        encode() {
          throw new ArchiveError(
            "archive/options",
            "Opus chunks are written through Archive.record, not through Zarr.",
          );
        },
        decode(bytes) {
          const pcm = decodeWholeChunk(bytes, configuration, frames, channels, decoder);
          return { data: pcm, shape: [frames, channels], stride: [channels, 1] };
        },
      };
    },
  };
}

function decodeWholeChunk(
  bytes: Uint8Array,
  configuration: ChunkCodecConfiguration,
  frames: number,
  channels: number,
  create: DecoderFactory,
): Int16Array {
  const layout = configuration.format === 2 ? "overlapping" : "apart";
  const chunk = decodeChunk(bytes, configuration.profile, "A Zarr chunk", layout);
  if (chunk.channels !== channels || chunk.validFrames > frames) {
    throw new ArchiveError("archive/chunk-corrupt", "A Zarr chunk does not fit its array; run repair.");
  }
  const segments = new SegmentTable(
    configuration.segments.map(([firstPacket, gainQ8]) => ({
      firstPacket,
      gainQ8,
      preSkip: 0,
      inputSampleRate: 48_000,
    })),
    channels,
  );
  const decoder = new SegmentDecoder(create, configuration.profile, channels);
  const pcm = new Int16Array(frames * channels);
  try {
    decodeChunkRange(
      chunk,
      decoder,
      segments,
      { start: chunk.firstSample, end: chunk.firstSample + chunk.validFrames },
      (samples, from, to, at) => {
        let into = (at - chunk.firstSample) * channels;
        for (let i = from * channels; i < to * channels; i++) pcm[into++] = toInt16(samples[i]!);
      },
      { packetsDecoded: 0, exact: true },
      { pointFrames: Number.MAX_SAFE_INTEGER },
    );
  } catch (error) {
    if (!(error instanceof StartRefused)) throw error;
    throw new ArchiveError("archive/chunk-corrupt", `A Zarr chunk cannot be decoded: ${error.message}.`);
  } finally {
    decoder.close();
  }
  return pcm;
}
