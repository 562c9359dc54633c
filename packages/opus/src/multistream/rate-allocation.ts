// Shares the bit rate of a multistream encoder among its streams, in the integer arithmetic of libopus.
import type { ChannelLayout } from "./channel-layout.ts";

const leastRate = 500;

/** Bits of a frame at a rate; rates of frames are sixths, for 60 ms. */
export function bitsOfRate(bitrateBps: number, sampleRate: number, frames: number): number {
  return Math.trunc((bitrateBps * 6) / Math.trunc((6 * sampleRate) / frames));
}

export function rateOfBits(bits: number, sampleRate: number, frames: number): number {
  return Math.trunc((bits * Math.trunc((6 * sampleRate) / frames)) / 6);
}

/** Fills `rates` with the bits per second of each stream; returns their sum. */
export function allocateRates(
  layout: ChannelLayout,
  bitrate: number | "auto" | "max",
  sampleRate: number,
  frames: number,
  rates: Int32Array,
): number {
  if (layout.kind === "ambisonics") shareEqually(layout, bitrate, sampleRate, frames, rates);
  else shareByChannels(layout, bitrate, sampleRate, frames, rates);
  let sum = 0;
  for (let stream = 0; stream < layout.streams; stream++) {
    rates[stream] = Math.max(rates[stream]!, leastRate);
    sum += rates[stream]!;
  }
  return sum;
}

function shareEqually(
  { streams, coupled }: ChannelLayout,
  bitrate: number | "auto" | "max",
  sampleRate: number,
  frames: number,
  rates: Int32Array,
): void {
  let total: number;
  if (bitrate === "auto") {
    total = (coupled + streams) * (sampleRate + Math.trunc((60 * sampleRate) / frames)) + streams * 15000;
  } else if (bitrate === "max") {
    total = (streams + coupled) * 750000;
  } else {
    total = bitrate;
  }
  rates.fill(Math.trunc(total / streams), 0, streams);
}

/** A channel's energies first, then a share of each stream, then shares by channels; an eighth for low-frequency effects. */
function shareByChannels(
  { streams, coupled, lfeStream }: ChannelLayout,
  bitrate: number | "auto" | "max",
  sampleRate: number,
  frames: number,
  rates: Int32Array,
): void {
  const lfe = lfeStream >= 0 ? 1 : 0;
  const uncoupled = streams - coupled - lfe;
  const normal = 2 * coupled + uncoupled;
  const frameRate = Math.max(50, Math.trunc(sampleRate / frames));
  const channelOffset = 40 * frameRate;
  let total: number;
  if (bitrate === "auto") total = normal * (channelOffset + sampleRate + 10000) + 8000 * lfe;
  else if (bitrate === "max") total = normal * 750000 + lfe * 128000;
  else total = bitrate;
  const lfeOffset = Math.min(Math.trunc(total / 20), 3000) + 15 * frameRate;
  const rest = total - channelOffset * normal - lfeOffset * lfe;
  const streamOffset = Math.max(0, Math.min(20000, Math.trunc(Math.trunc(rest / normal) / 2)));
  const coupledRatio = 512;
  const lfeRatio = 32;
  const shares = (uncoupled << 8) + coupledRatio * coupled + lfe * lfeRatio;
  const left = total - lfeOffset * lfe - streamOffset * (coupled + uncoupled) - channelOffset * normal;
  const channelRate = Math.trunc((256 * left) / shares);
  for (let stream = 0; stream < streams; stream++) {
    if (stream < coupled) {
      rates[stream] = 2 * channelOffset + Math.max(0, streamOffset + ((channelRate * coupledRatio) >> 8));
    } else if (stream !== lfeStream) {
      rates[stream] = channelOffset + Math.max(0, streamOffset + channelRate);
    } else {
      rates[stream] = Math.max(0, lfeOffset + ((channelRate * lfeRatio) >> 8));
    }
  }
}
