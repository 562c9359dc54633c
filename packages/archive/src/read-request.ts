/** A position in a recording: a sample frame, or a wall-clock time in nanoseconds since the Unix epoch. */
export type ArchivePosition = number | { readonly unixNs: bigint };

export interface ReadOptions {
  readonly from: ArchivePosition;
  readonly to: ArchivePosition;
  readonly signal?: AbortSignal;
  /** Refuse what cannot be proven exact; default false. */
  readonly requireExact?: boolean;
  /** Compare the digests of what is decoded, and decode again from an earlier place where one differs; default false. */
  readonly verify?: boolean;
  /** Form of the samples: floats, or 16-bit integers by the profile's rule (x * 32768, half to even, saturated). */
  readonly as?: SampleForm;
}

export type SampleForm = "float32" | "int16";

/** One read of a batch. */
export interface ReadRequest extends Omit<ReadOptions, "signal"> {
  readonly id: string;
}

/** Bytes of the samples of a request, stereo assumed; a wall-clock range counts by its length. */
export function requestBytes(request: Pick<ReadOptions, "from" | "to">): number {
  const { from, to } = request;
  if (typeof from === "number" && typeof to === "number") return Math.max(0, to - from) * 8;
  if (typeof from === "number" || typeof to === "number") return 0;
  return Number(((to.unixNs - from.unixNs) * 48n) / 1_000_000n) * 8;
}
