import { FingerprintError } from "./errors.ts";
import { downmix, type ExtractOptions, extract } from "./extract.ts";
import type { Fingerprint } from "./fingerprint.ts";
import type { ProfileId } from "./profile.ts";

/** How several channels are looked at: their mean, each alone, or (of two) mean and half difference. */
export type ChannelLayout = "mix" | "each" | "mid-side";

/** One signal out of several channels; all lanes of a sound have one length and one timeline. */
export interface ChannelLane {
  /** `mix`, `channel 1` and so on, `mid` or `side`. */
  readonly name: string;
  readonly samples: Float32Array;
}

/** A lane and its fingerprint. */
export interface LaneFingerprint {
  readonly name: string;
  readonly fingerprint: Fingerprint;
}

/**
 * Takes interleaved channels apart: speech in one and music in the other are each found alone, where their mean hides both; the
 * difference of two channels is free of a voice in their middle.
 * @throws FingerprintError `fp/channels`
 */
export function channelLanes(pcm: Float32Array, channels: number, layout: ChannelLayout): ChannelLane[] {
  const mix = downmix(pcm, channels);
  if (layout === "mix" || channels === 1) return [{ name: "mix", samples: mix }];
  const frames = pcm.length / channels;
  if (layout === "each") {
    return Array.from({ length: channels }, (_, channel) => ({
      name: `channel ${channel + 1}`,
      samples: Float32Array.from({ length: frames }, (_, i) => pcm[i * channels + channel]!),
    }));
  }
  if (channels !== 2) {
    throw new FingerprintError(
      "fp/channels",
      `Mid and side are made of 2 channels, not ${channels}; look at each channel instead.`,
    );
  }
  const side = Float32Array.from({ length: frames }, (_, i) => (pcm[2 * i]! - pcm[2 * i + 1]!) / 2);
  return [
    { name: "mid", samples: mix },
    { name: "side", samples: side },
  ];
}

/**
 * The fingerprints of a sound's lanes.
 * @throws FingerprintError as `extract`
 */
export function extractLanes(
  id: ProfileId,
  pcm: Float32Array,
  layout: ChannelLayout,
  options: ExtractOptions,
): LaneFingerprint[] {
  return channelLanes(pcm, options.channels ?? 1, layout).map(({ name, samples }) => ({
    name,
    fingerprint: extract(id, samples, { ...options, channels: 1 }),
  }));
}
