import { MediaError } from "../errors.ts";
import type { AudioFormat } from "./audio-format.ts";
import type { PcmSink } from "./pcm-sink.ts";

/** What a decoder reports besides the sound. */
export interface DecodeReport {
  /** The input ended before its promised end, or parts of it were damaged and left out. */
  readonly truncated?: boolean;
  /** What was odd about the input, one plain sentence each. */
  readonly warnings?: readonly string[];
}

/**
 * One way to decode whole files. Decoders that another package owns (Opus) are passed as `decoders` and come before the
 * built-in ones. An error of kind "unsupported" passes the input on to the next decoder for its format.
 */
export interface AudioDecoder {
  /** Short name for reports, such as "wav" or "opus". */
  readonly name: string;
  readonly formats: readonly AudioFormat[];
  /** Decodes `bytes` into `sink`; it awaits something now and then, so that `signal` and time limits can take effect. */
  decode(bytes: Uint8Array, sink: PcmSink, signal: AbortSignal): Promise<DecodeReport>;
}

/** Throws `media/aborted` (or the limit's own error) once `signal` fired. */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw abortError(signal);
}

/** The signal's reason if it is a `MediaError`, else `media/aborted` with the reason as its cause. */
export function abortError(signal: AbortSignal): MediaError {
  if (signal.reason instanceof MediaError) return signal.reason;
  return new MediaError("media/aborted", "Decoding was aborted by its caller.", { cause: signal.reason });
}

/** Lets other work of the thread run (timers, aborts, I/O) and comes back. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
