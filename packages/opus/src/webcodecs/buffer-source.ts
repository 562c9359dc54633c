/** Bytes as the Web's interfaces take them. */
export type BufferSource = ArrayBufferLike | ArrayBufferView;

/** A view of the bytes of a source. @throws TypeError where it is none, or was transferred away */
export function bytesOf(source: unknown, name: string): Uint8Array {
  const isView = ArrayBuffer.isView(source);
  const buffer = isView ? source.buffer : source;
  if (!(buffer instanceof ArrayBuffer) && !isShared(buffer)) {
    throw new TypeError(`${name} must be an ArrayBuffer or a view of one.`);
  }
  try {
    return isView
      ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
      : new Uint8Array(buffer);
  } catch {
    throw new TypeError(`The buffer of ${name} is detached.`);
  }
}

/** The bytes of a source for keeps: taken over where its buffer is in `transfer`, else copied. */
export function ownBytes(
  source: unknown,
  transfer: readonly unknown[] | undefined,
  name: string,
): Uint8Array {
  const bytes = bytesOf(source, name);
  // AudioWorklets cannot transfer to themselves: there the bytes are copied.
  if (!transfer?.includes(bytes.buffer) || typeof structuredClone !== "function") return bytes.slice();
  const moved = structuredClone(bytes.buffer, { transfer: [bytes.buffer as ArrayBuffer] });
  return new Uint8Array(moved, bytes.byteOffset, bytes.byteLength);
}

function isShared(buffer: unknown): buffer is SharedArrayBuffer {
  return typeof SharedArrayBuffer !== "undefined" && buffer instanceof SharedArrayBuffer;
}
