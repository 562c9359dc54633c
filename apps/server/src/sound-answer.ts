import type { ByteRange } from "./byte-range.ts";
import { StreamAnswer, sourceOf } from "./stream-answer.ts";

/**
 * An answer of sound that is made as the client takes it.
 * @param size of the whole, where it is known
 * @param part that `pieces` are, where a range of bytes was asked for
 * @param saveAs name of the file, where browsers shall save it
 */
export function soundAnswer(
  pieces: AsyncGenerator<Uint8Array>,
  contentType: string,
  size: number | undefined,
  part: ByteRange | undefined,
  saveAs: string | undefined,
): StreamAnswer {
  const headers = {
    "content-type": contentType,
    "accept-ranges": "bytes",
    "cache-control": "no-store",
    ...(part !== undefined && { "content-range": `bytes ${part.start}-${part.end - 1}/${size}` }),
    ...(part === undefined
      ? size !== undefined && { "content-length": String(size) }
      : { "content-length": String(part.end - part.start) }),
    ...(saveAs !== undefined && { "content-disposition": `attachment; filename="${saveAs}"` }),
  };
  return new StreamAnswer(() => sourceOf(pieces), headers, { status: part === undefined ? 200 : 206 });
}
