import { ServerError } from "./errors.ts";

/** Half-open range of bytes. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The range of bytes that is asked for (RFC 9110 section 14): undefined without one, where it is of a form that may be ignored
 * (several ranges, another unit), and for HEAD, for which ranges mean nothing.
 *
 * @throws ServerError `server/range-not-satisfiable` (416)
 */
export function parseRange(request: Request, size: number): ByteRange | undefined {
  const header = rangeHeader(request);
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
    { status: 416, headers: { "content-range": `bytes */${size}` } },
  );
}

/** The header `Range`, where it counts. */
export function rangeHeader({ method, headers }: Request): string | undefined {
  return method === "GET" ? (headers.get("range") ?? undefined) : undefined;
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
