import type { DecoderFactory } from "@longwave/media";
import { ArchiveError } from "./errors.ts";

export interface ChunkBuilderOptions {
  readonly decoder: DecoderFactory;
  readonly profile: string;
  readonly channels: number;
  readonly chunkFrames: number;
  readonly pointFrames: number;
  /** Longest way in sample frames from a point without run-up to a stored state; default by what states cost. */
  readonly checkpointFrames?: number | undefined;
  readonly chunksPerShard: number;
  /** Chunks begin inside the one before, instead of storing the packets of their run-ups a second time. */
  readonly overlap?: boolean | undefined;
}

/**
 * Chunks of at most 30 s hold whole distances of points, at least 0.25 s each; states are at least a second apart.
 * @throws ArchiveError `archive/options`
 */
export function checkChunkForm(
  options: Pick<ChunkBuilderOptions, "chunkFrames" | "pointFrames" | "checkpointFrames">,
): void {
  const { chunkFrames, pointFrames, checkpointFrames } = options;
  const isWhole = chunkFrames >= pointFrames && chunkFrames % pointFrames === 0;
  if (pointFrames < 12_000 || !isWhole || chunkFrames > 30 * 48_000) {
    throw new ArchiveError(
      "archive/options",
      `Chunks of ${chunkFrames} frames with points every ${pointFrames} do not work: points every 0.25 s or more must divide chunks of at most 30 s.`,
    );
  }
  if (checkpointFrames !== undefined && !(checkpointFrames >= 48_000)) {
    throw new ArchiveError(
      "archive/options",
      `States every ${checkpointFrames} frames are too many: a second (48,000) apart is the least.`,
    );
  }
}
