import { MemoryStore } from "@longwave/base";
import { Catalog } from "./catalog.ts";
import type { AudioInput, TrackMatch } from "./identification.ts";

/** Where the two recordings agree around one moment. */
export interface AlignmentPoint {
  /** Time in the first and in the second recording, ms. */
  readonly firstMs: number;
  readonly secondMs: number;
  readonly votes: number;
}

/** How the second recording lies against the first. */
export interface Alignment {
  /** Over the whole of the second recording; undefined where the two have nothing in common. */
  readonly overall: TrackMatch | undefined;
  /** The alignment of each window of 10 s of the second recording that was found: a line, unless one of them drifts. */
  readonly points: readonly AlignmentPoint[];
  /** Change of the offset from the first to the last point, in parts per million of the time between them. */
  readonly driftPpm: number | undefined;
}

const windowSeconds = 10;
const stepSeconds = 5;

/**
 * Aligns two recordings of the same sound: offset, tempo, pitch, common span and drift.
 * @throws FingerprintError for sound that cannot be fingerprinted
 */
export async function align(first: AudioInput, second: AudioInput, signal?: AbortSignal): Promise<Alignment> {
  const options = signal === undefined ? {} : { signal };
  await using catalog = await Catalog.open(new MemoryStore());
  await catalog.enroll({ id: "first" }, first, options);
  const { match: overall } = await catalog.identify(second, options);
  const { channels = 1, sampleRate, samples } = second;
  const points: AlignmentPoint[] = [];
  const frames = samples.length / channels;
  for (let at = 0; at + windowSeconds * sampleRate <= frames; at += stepSeconds * sampleRate) {
    const piece = samples.subarray(at * channels, (at + windowSeconds * sampleRate) * channels);
    const { match } = await catalog.identify({ samples: piece, sampleRate, channels }, options);
    if (match === undefined) continue;
    const secondMs = Math.round((at * 1000) / sampleRate);
    points.push({ firstMs: match.offsetMs, secondMs, votes: match.votes });
  }
  const [start, end] = [points[0], points.at(-1)];
  const span = start === undefined || end === undefined ? 0 : end.secondMs - start.secondMs;
  const driftPpm = span > 0 ? Math.round(((end!.firstMs - start!.firstMs) / span - 1) * 1e6) : undefined;
  return { overall, points, driftPpm };
}
