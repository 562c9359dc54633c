import type { OpusHead } from "./opus-head.ts";

/**
 * Per number of channels: which channel of the Vorbis I order (section 4.3.9 of its specification, Opus family 1) stands at
 * each place of the WAVE order (mmreg.h). Three channels are L C R there and L R C here; 5.1 is FL FC FR RL RR LFE there.
 */
const waveFromVorbis: readonly (readonly number[])[] = [
  [],
  [0],
  [0, 1],
  [0, 2, 1],
  [0, 1, 2, 3],
  [0, 2, 1, 3, 4],
  [0, 2, 1, 5, 3, 4],
  [0, 2, 1, 6, 5, 3, 4],
  [0, 2, 1, 7, 5, 6, 3, 4],
];

/**
 * The header whose mapping makes a decoder write channels in WAVE order (FL FR FC LFE BL BR SL SR), as WAV files and
 * `mixChannels` want them. Only streams of mapping family 1 with three or more channels change.
 */
export function opusHeadInWaveOrder(head: OpusHead): OpusHead {
  const order = head.family === 1 ? waveFromVorbis[head.channels] : undefined;
  if (order === undefined || head.channels < 3) return head;
  return { ...head, mapping: Uint8Array.from(order, (channel) => head.mapping[channel]!) };
}

/** Speaker mask of a WAV file in that order where it is not the usual one for so many channels: 6.1 has side speakers. */
export function opusWaveMask(head: OpusHead): number | undefined {
  return head.family === 1 && head.channels === 7 ? 0x70f : undefined;
}
