import { OpusDecoder } from "./decoder.ts";
import { OpusError } from "./errors.ts";
import { OpusMultistreamDecoder, type OpusMultistreamLayout } from "./multistream-decoder.ts";

/**
 * A decoder whose state can be kept, compared and taken up again; structurally the archive's `SeekableDecoder`. Output is
 * 48 kHz, interleaved, never clipped, with the head's gain applied.
 */
export interface OpusSeekableDecoder {
  readonly profile: "opus-1";
  readonly channels: number;
  /** Upper bound of what `saveState` writes. */
  readonly maxStateBytes: number;
  reset(): void;
  /** Decodes one packet, or conceals `frames` where it is null; returns sample frames. */
  decode(packet: Uint8Array | null, out: Float32Array, frames?: number): number;
  /** As `decode` where nobody wants the samples; not for more than two channels. */
  follow?(packet: Uint8Array | null, frames?: number): number;
  saveState(into: Uint8Array, sections: "live" | "all", version?: number): number;
  loadState(from: Uint8Array): void;
  /** Four words over the live state. */
  liveStateDigest(into: Uint32Array): void;
  /** The same over the whole state; not for more than two channels. */
  wholeStateDigest?(into: Uint32Array): void;
  /**
   * Writes what no run-up brings back once there was concealment (counters, slow averages); a decoder that is given it behind a few
   * packets of silence comes to the whole state soon. `withNoise`: the excitation of comfort noise too, where no silence can be decoded for it. Returns bytes,
   * fewer than `maxStateBytes`; 0 = there is nothing of the kind.
   */
  saveLasting?(into: Uint8Array, withNoise: boolean): number;
  /** Takes that, beside what the state is otherwise. Validates everything first, throws a LongwaveError of kind malformed. */
  loadLasting?(from: Uint8Array): void;
  /** How far back into its history the packet decoded last reached, in samples of the decoder's own; not for more than two channels. */
  historyReach?(): number;
  /** Clears what a next packet that reaches back so far replaces: behind it the state is most often the same. */
  forgetReplaced?(reach: number): void;
  close(): void;
}

/**
 * Makes a decoder for the stream of an `OpusHead`.
 *
 * @param head streams and mapping are needed for more than two channels
 * @throws OpusError `opus/profile-mismatch` for another profile, `opus/bad-argument`
 */
export function createSeekableDecoder(
  head: { readonly channels: number; readonly gainQ8: number; readonly family?: number } & Partial<
    Omit<OpusMultistreamLayout, "channels">
  >,
  profile: string,
): OpusSeekableDecoder {
  if (profile !== OpusDecoder.profile) {
    throw new OpusError(
      "opus/profile-mismatch",
      `The profile ${profile} is not known; this decoder is ${OpusDecoder.profile}.`,
    );
  }
  const decoder = createFor(head);
  return {
    profile: OpusDecoder.profile,
    channels: head.channels,
    maxStateBytes: decoder.snapshotBytes,
    reset: () => decoder.reset(),
    decode: (packet, out, frames) => decoder.decode(packet, out, frames),
    saveState: (into, sections, version) => decoder.snapshot(into, sections, version),
    loadState: (from) => decoder.restore(from),
    liveStateDigest: (into) => decoder.liveStateDigest(into),
    ...(decoder instanceof OpusDecoder && {
      follow: (packet, frames) => decoder.follow(packet, frames),
      wholeStateDigest: (into) => decoder.wholeStateDigest(into),
      saveLasting: (into, withNoise) => decoder.lastingState(into, withNoise),
      loadLasting: (from) => decoder.takeLastingState(from),
      historyReach: () => decoder.historyReach,
      forgetReplaced: (reach) => decoder.forgetReplaced(reach),
    }),
    close: () => decoder.close(),
  };
}

function createFor(head: Parameters<typeof createSeekableDecoder>[0]): OpusDecoder | OpusMultistreamDecoder {
  const { channels, gainQ8, family, streams, coupled, mapping, demixingMatrix } = head;
  if ((channels === 1 || channels === 2) && (family ?? 0) === 0) return new OpusDecoder({ channels, gainQ8 });
  if (streams === undefined || coupled === undefined || mapping === undefined) {
    throw new OpusError(
      "opus/bad-argument",
      `A head of ${channels} channels must tell its streams, coupled streams and mapping.`,
    );
  }
  return new OpusMultistreamDecoder({
    channels,
    gainQ8,
    streams,
    coupled,
    mapping,
    ...(demixingMatrix && { demixingMatrix }),
  });
}
