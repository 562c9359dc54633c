import { ServerError } from "./errors.ts";

/** Half-open range of bytes. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The range that a `Range` header asks for (RFC 9110 section 14): undefined without one, or where it is of a form that may be ignored
 * (several ranges, another unit).
 *
 * @throws ServerError `server/range-not-satisfiable` (416)
 */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "");
  if (match === null || (match[1] === "" && match[2] === "")) return undefined;
  const [, first, last] = match;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  if (start < end && start < size) return { start, end };
  throw new ServerError(
    "server/range-not-satisfiable",
    "usage",
    `There are ${size} bytes; ${header?.slice(0, 60)} lies outside.`,
    {
      status: 416,
    },
  );
}

/** The bytes of `pieces` that lie in the range. */
export async function* cutPieces(
  pieces: AsyncIterable<Uint8Array>,
  { start, end }: ByteRange,
): AsyncGenerator<Uint8Array> {
  let at = 0;
  for await (const piece of pieces) {
    const from = Math.max(0, start - at);
    const to = Math.min(piece.length, end - at);
    if (to > from) yield piece.subarray(from, to);
    at += piece.length;
    if (at >= end) return;
  }
}
