import { MediaError } from "../errors.ts";

/** Limits of one decoding. Every one of them has a default, and hitting it throws `media/limit` or `media/timeout`. */
export interface DecodeLimits {
  /** Size of the encoded input in bytes; default 1 GiB. */
  readonly maxBytes: number;
  /** Duration of the sound in seconds; default 6 h. */
  readonly maxSeconds: number;
  /** Samples (frames times channels) of the result, checked before they are allocated; default 2^28, which is 1 GiB. */
  readonly maxSamples: number;
  /** Channels of the source; default 64. */
  readonly maxChannels: number;
  /** Hard limit on the time that decoding may take, in milliseconds; default 5 minutes. */
  readonly timeoutMs: number;
}

export const defaultDecodeLimits: DecodeLimits = {
  maxBytes: 2 ** 30,
  maxSeconds: 6 * 3600,
  maxSamples: 2 ** 28,
  maxChannels: 64,
  timeoutMs: 300_000,
};

/** What whoever meets a limit can do: in a program it is an option, on a command line the input can be cut. */
export const howToGoOn = "Cut it into parts, or decode it with a higher limit.";

/** The defaults with `limits` laid over them. @throws MediaError `media/bad-argument` for a limit that is not positive */
export function resolveLimits(limits: Partial<DecodeLimits> = {}): DecodeLimits {
  const resolved = { ...defaultDecodeLimits };
  for (const [name, value] of Object.entries(limits)) {
    if (value === undefined) continue;
    if (!(name in resolved) || !(value > 0)) {
      throw new MediaError("media/bad-argument", `The limit ${name} must be positive, not ${value}.`);
    }
    Object.assign(resolved, { [name]: value });
  }
  return resolved;
}

/** @throws MediaError `media/limit` if `bytes` exceed the limit */
export function checkByteLimit(bytes: number, limits: DecodeLimits): void {
  if (bytes <= limits.maxBytes) return;
  throw new MediaError(
    "media/limit",
    `The input has ${bytes} bytes; the limit is ${limits.maxBytes}. ${howToGoOn}`,
  );
}
