import { downmix, type ExtractOptions, extract } from "./extract.ts";
import { markHop } from "./mark-spectrum.ts";
import { profileOf } from "./profile.ts";
import { resample } from "./resampler.ts";

/**
 * Sub-frame shifts, in samples at 8 kHz, at which a query is analysed: an excerpt begins anywhere between two frames of the
 * recording, and peaks of short sounds change with the grid.
 */
export const queryShifts: readonly number[] = [0, 64, 128, 192];

/** The peaks of a query at one or more shifts; `shiftFrames[i]` is how late analysis `i` began, in frames. */
export interface MarkQuery {
  readonly peaks: readonly Uint32Array[];
  readonly shiftFrames: readonly number[];
  readonly seconds: number;
}

/**
 * Analyses a query for `mark-v1` at all shifts.
 * @throws FingerprintError as `extract`
 */
export function markQuery(pcm: Float32Array, options: ExtractOptions): MarkQuery {
  const profile = profileOf("mark-v1");
  // The first extraction checks everything, so the others cannot fail but for their length.
  const first = extract("mark-v1", pcm, options);
  const samples = resample(profile, downmix(pcm, options.channels ?? 1), options.sampleRate);
  const peaks = [first.records];
  const shiftFrames = [0];
  const { signal } = options;
  for (const shift of queryShifts.slice(1)) {
    if (samples.length - shift < profile.minSamples) break;
    const late = samples.subarray(shift);
    peaks.push(
      extract("mark-v1", late, { sampleRate: profile.sampleRate, ...(signal !== undefined && { signal }) })
        .records,
    );
    shiftFrames.push(shift / markHop);
  }
  return { peaks, shiftFrames, seconds: samples.length / profile.sampleRate };
}
