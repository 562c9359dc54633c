/** Identifiers of the elements that matter here (RFC 8794, RFC 9559), marker bits kept. */
export const ebmlIds = {
  header: 0x1a45dfa3,
  docType: 0x4282,
  segment: 0x18538067,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  codecId: 0x86,
  codecPrivate: 0x63a2,
  codecDelay: 0x56aa,
  contentEncodings: 0x6d80,
  cluster: 0x1f43b675,
  timestamp: 0xe7,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
  discardPadding: 0x75a2,
} as const;

/** The size of an element that ends where its parent's next child begins (RFC 8794 section 6.2). */
export const unknownSize: number = Number.POSITIVE_INFINITY;

/** Bytes of the variable-length integer that begins with `first` (RFC 8794 section 4); 9 where there is no marker. */
export function vintBytes(first: number): number {
  return Math.clz32(first) - 23;
}

/** An element identifier of 1 to 4 bytes, marker kept; -1 where `bytes[at]` begins none. */
export function readId(bytes: Uint8Array, at: number): number {
  const length = vintBytes(bytes[at]!);
  if (length > 4) return -1;
  let id = 0;
  for (let i = 0; i < length; i++) id = id * 256 + bytes[at + i]!;
  return id;
}

/** A size without its marker; `unknownSize` where all bits are set, -1 where it is none or beyond 2^53. */
export function readSize(bytes: Uint8Array, at: number): number {
  const length = vintBytes(bytes[at]!);
  if (length > 8) return -1;
  let value = bytes[at]! & (0xff >> length);
  let allSet = value === 0xff >> length;
  for (let i = 1; i < length; i++) {
    value = value * 256 + bytes[at + i]!;
    allSet &&= bytes[at + i] === 0xff;
  }
  if (allSet) return unknownSize;
  return Number.isSafeInteger(value) ? value : -1;
}

/** A big-endian unsigned integer of up to 8 bytes; capped at 2^53 - 1. */
export function readUnsigned(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) value = Math.min(Number.MAX_SAFE_INTEGER, value * 256 + bytes[i]!);
  return value;
}

/** A big-endian signed integer of up to 8 bytes. */
export function readSigned(bytes: Uint8Array, start: number, end: number): number {
  if (end <= start) return 0;
  let value = bytes[start]! >= 0x80 ? bytes[start]! - 256 : bytes[start]!;
  for (let i = start + 1; i < end; i++) value = value * 256 + bytes[i]!;
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value));
}

/**
 * Calls `visit` for each child in `bytes[start, end)` that is whole, and stops at the first that is not.
 * @returns whether the children fill the range
 */
export function eachChild(
  bytes: Uint8Array,
  start: number,
  end: number,
  visit: (id: number, start: number, end: number) => void,
): boolean {
  let at = start;
  while (at < end) {
    const idBytes = vintBytes(bytes[at]!);
    const sizeAt = at + idBytes;
    if (idBytes > 4 || sizeAt >= end || sizeAt + vintBytes(bytes[sizeAt]!) > end) return false;
    const size = readSize(bytes, sizeAt);
    const from = sizeAt + vintBytes(bytes[sizeAt]!);
    if (size < 0 || size > end - from) return false;
    visit(readId(bytes, at), from, from + size);
    at = from + size;
  }
  return true;
}
