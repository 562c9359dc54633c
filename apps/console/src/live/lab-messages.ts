/** What the Lab's page and its worker say to each other. Sound is interleaved stereo at 48 kHz. */
export type LabQuestion =
  | {
      readonly number: number;
      readonly kind: "code";
      readonly pcm: Float32Array<ArrayBuffer>;
      readonly bitrateBps: number;
      readonly application: LabApplication;
      /** Packets that the receiver does not get. */
      readonly lossPercent: number;
    }
  | { readonly number: number; readonly kind: "constellation"; readonly pcm: Float32Array<ArrayBuffer> }
  | {
      readonly number: number;
      readonly kind: "mark";
      readonly pcm: Float32Array<ArrayBuffer>;
      readonly key: string;
      /** 8 hexadecimal digits. */
      readonly payload: string;
      readonly bitrateBps: number;
      readonly application: LabApplication;
      readonly lossPercent: number;
    };

/** Packets last 20 ms, with low delay 5. */
export type LabApplication = "audio" | "voip" | "lowdelay";

/** What it was made for, in words. */
export const labApplicationNames = { audio: "Music", voip: "Speech", lowdelay: "Low delay" } as const;

/** One value a packet. */
export interface LabTrace {
  readonly bytes: Uint16Array;
  /** 0 SILK, 1 hybrid, 2 CELT. */
  readonly mode: Uint8Array;
  /** 0 narrow (4 kHz), 1 medium (6), 2 wide (8), 3 super-wide (12), 4 full (20). */
  readonly bandwidth: Uint8Array;
  readonly channels: Uint8Array;
}

export interface LabConstellation {
  /** Milliseconds, Hz, decibels of each peak. */
  readonly peaks: Float32Array;
  /** Each hash with the number of its frame. */
  readonly hashes: readonly (readonly [number, number])[];
  readonly maxHz: number;
}

/** A watermark that was read. Times in seconds of the sound. */
export interface LabMark {
  /** Hexadecimal. */
  readonly payload: string;
  readonly start: number;
  readonly end: number;
  /** How far the pattern stood above chance, in standard deviations. */
  readonly sync: number;
  /** Part of the bits that arrived wrong and were put right. */
  readonly bitErrorRate: number;
}

/** What a mark comes to. */
export interface LabMarked {
  /** The sound with the mark, before and after the codec. */
  readonly pcm: Float32Array<ArrayBuffer>;
  readonly codedPcm: Float32Array<ArrayBuffer>;
  /** Level of the mark below the sound, in dB. */
  readonly belowDb: number;
  /** Read from the sound as it came, from the marked one, and from the marked one after the codec. */
  readonly before: readonly LabMark[];
  readonly marked: readonly LabMark[];
  readonly coded: readonly LabMark[];
}

export interface LabCoded {
  readonly pcm: Float32Array<ArrayBuffer>;
  readonly trace: LabTrace;
  readonly totalBytes: number;
  readonly encodeMs: number;
  readonly decodeMs: number;
}

export type LabAnswer = { readonly number: number } & (
  | ({ readonly kind: "coded" } & LabCoded)
  | { readonly kind: "constellation"; readonly constellation: LabConstellation }
  | ({ readonly kind: "marked" } & LabMarked)
  | { readonly kind: "failed"; readonly problem: string }
);
