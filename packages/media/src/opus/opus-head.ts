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
