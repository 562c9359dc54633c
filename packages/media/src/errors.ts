import { type ErrorKind, LongwaveError } from "@longwave/base";

/** Every code that `@longwave/media` throws. */
export type MediaErrorCode =
  /** An argument breaks a documented rule. */
  | "media/bad-argument"
  /** A reader or writer was used after it was closed, or its calls came in a wrong order. */
  | "media/bad-state"
  /** The file is not there. */
  | "media/not-found"
  /** The file is there, but reading it failed (permission, I/O, a directory). */
  | "media/unreadable"
  /** There are no bytes, or no audio in them. */
  | "media/empty"
  /** The content is no audio format that is known here. */
  | "media/unknown-format"
  /** The format is known, but nothing at hand decodes it (ffmpeg absent, no decoder passed in). */
  | "media/no-decoder"
  /** A decoder gave up on the content. */
  | "media/decode-failed"
  /** The ffmpeg subprocess could not be started or was ended from outside. */
  | "media/ffmpeg"
  /** A limit on bytes, duration, samples, channels, chunks, tags or pages was hit. */
  | "media/limit"
  /** Decoding took longer than the hard time limit. */
  | "media/timeout"
  /** The caller's `AbortSignal` fired. */
  | "media/aborted"
  | "media/wav-malformed"
  /** A WAV file that holds a compressed codec. */
  | "media/wav-codec"
  /** There is no Opus stream in the container, or its header is damaged. */
  | "media/not-opus"
  /** A WebM file whose structure is damaged before its sound. */
  | "media/webm-malformed"
  /** No rule says how to turn this number of channels into that. */
  | "media/channel-mix";

/** The kind of each code. */
export const mediaErrorKinds: Readonly<Record<MediaErrorCode, ErrorKind>> = {
  "media/bad-argument": "usage",
  "media/bad-state": "usage",
  "media/not-found": "usage",
  "media/unreadable": "unavailable",
  "media/empty": "malformed",
  "media/unknown-format": "unsupported",
  "media/no-decoder": "unsupported",
  "media/decode-failed": "malformed",
  "media/ffmpeg": "unavailable",
  "media/limit": "limit",
  "media/timeout": "limit",
  "media/aborted": "unavailable",
  "media/wav-malformed": "malformed",
  "media/wav-codec": "unsupported",
  "media/not-opus": "malformed",
  "media/webm-malformed": "malformed",
  "media/channel-mix": "unsupported",
};

/** A failure of `@longwave/media`; `code` is one of `mediaErrorKinds`. */
export class MediaError extends LongwaveError {
  override readonly name = "MediaError";
  declare readonly code: MediaErrorCode;

  constructor(code: MediaErrorCode, message: string, options?: { cause?: unknown }) {
    super(code, mediaErrorKinds[code], message, options);
  }
}
