import type { OpusCore } from "./core.ts";

export type SampleRate = 8000 | 12000 | 16000 | 24000 | 48000;

/** Audio bandwidth: 4, 6, 8, 12 or 20 kHz. */
export type Bandwidth = "nb" | "mb" | "wb" | "swb" | "fb";

export interface OpusDecoderOptions {
  /** Rate of the output in Hz; default 48000. */
  readonly sampleRate?: SampleRate;
  /** Channels of the output; default 2. Streams are mixed up or down to it. */
  readonly channels?: 1 | 2;
  /** Gain in 1/256 dB, -32768..32767; default 0. */
  readonly gainQ8?: number;
  /** Whether integer output is soft-clipped; default true. Float output never is. */
  readonly softClip?: boolean;
  /** Ignores the phase inversion of intensity stereo, for mono playback of the sum; default false (true for mono). */
  readonly phaseInversionDisabled?: boolean;
  /** 0..10; accepted for compatibility: there is one way to decode. */
  readonly complexity?: number;
  /** Ignores packet extensions; default false. */
  readonly ignoreExtensions?: boolean;
  /** Where the decoder lives; default: the core that the thread's objects share. */
  readonly core?: OpusCore;
}
