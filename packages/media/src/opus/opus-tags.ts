import { MediaError } from "../errors.ts";
import { hasMagic } from "./opus-head.ts";

/** The comment header of an Opus stream (RFC 7845 section 5.2). */
export interface OpusTags {
  /** Name of the encoder library. */
  readonly vendor: string;
  /** Comments as `NAME=value`, in order, duplicates kept. */
  readonly comments: readonly string[];
  /** Binary data behind the comments whose first bit asks to keep it; empty where there is none. */
  readonly binary: Uint8Array;
  /** The whole packet as it was read; undefined for tags that were made here. */
  readonly raw?: Uint8Array | undefined;
}

/** Limits against hostile tags. */
export interface OpusTagLimits {
  /** Default 64 KiB. */
  readonly maxVendorBytes: number;
  /** Default 10,000. */
  readonly maxComments: number;
  /** The whole packet; default 16 MiB. */
  readonly maxTagBytes: number;
}

export const defaultOpusTagLimits: OpusTagLimits = {
  maxVendorBytes: 1 << 16,
  maxComments: 10_000,
  maxTagBytes: 16 << 20,
};

const magic = "OpusTags";
const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Whether a packet is a comment header. */
export function isOpusTags(bytes: Uint8Array, start = 0): boolean {
  return hasMagic(bytes, magic, start);
}

/**
 * Reads a comment header; the result owns its bytes. Invalid UTF-8 becomes U+FFFD in the strings and stays in `raw`.
 * @throws MediaError `media/not-opus` where lengths run over the end, `media/limit`
 */
export function parseOpusTags(bytes: Uint8Array, limits: Partial<OpusTagLimits> = {}): OpusTags {
  const { maxVendorBytes, maxComments, maxTagBytes } = { ...defaultOpusTagLimits, ...limits };
  if (!isOpusTags(bytes)) throw damaged("it does not start with OpusTags");
  if (bytes.length > maxTagBytes) throw overLimit(`${bytes.length} bytes`, maxTagBytes);
  const raw = new Uint8Array(bytes);
  const view = new DataView(raw.buffer);
  let at = 8;
  const length = (): number => {
    if (at + 4 > raw.length) throw damaged("a length field is cut");
    at += 4;
    return view.getUint32(at - 4, true);
  };
  const text = (count: number): string => {
    if (count > raw.length - at) throw damaged(`a string claims ${count} bytes of ${raw.length - at} left`);
    at += count;
    return decoder.decode(raw.subarray(at - count, at));
  };
  const vendorBytes = length();
  const vendor = text(vendorBytes);
  if (vendorBytes > maxVendorBytes) {
    throw overLimit(`a vendor string of ${vendorBytes} bytes`, maxVendorBytes);
  }
  const count = length();
  if (4 * count > raw.length - at) throw damaged(`${count} comments cannot be in ${raw.length - at} bytes`);
  if (count > maxComments) throw overLimit(`${count} comments`, maxComments);
  const comments: string[] = [];
  for (let i = 0; i < count; i++) comments.push(text(length()));
  // RFC 7845 section 5.2: what follows is padding unless the lowest bit of its first byte is set.
  const binary = ((raw[at] ?? 0) & 1) === 1 ? raw.slice(at) : new Uint8Array(0);
  return { vendor, comments, binary, raw };
}

/** The bytes of a comment header; `raw` is not looked at. */
export function writeOpusTags(tags: OpusTags): Uint8Array {
  const strings = [tags.vendor, ...tags.comments].map((value) => encoder.encode(value));
  const length = 12 + strings.reduce((sum, value) => sum + 4 + value.length, 0) + tags.binary.length;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  bytes.set(encoder.encode(magic));
  let at = 8;
  for (const [i, value] of strings.entries()) {
    view.setUint32(at, value.length, true);
    bytes.set(value, at + 4);
    at += 4 + value.length;
    if (i === 0) {
      view.setUint32(at, tags.comments.length, true);
      at += 4;
    }
  }
  bytes.set(tags.binary, at);
  return bytes;
}

/** All values of a comment name (ASCII case does not count), in order. */
export function opusTagValues(tags: OpusTags, name: string): readonly string[] {
  const prefix = `${name.toUpperCase()}=`;
  return tags.comments
    .filter((comment) => comment.slice(0, prefix.length).toUpperCase() === prefix)
    .map((comment) => comment.slice(prefix.length));
}

/**
 * The R128 gain of the track or album (RFC 7845 section 5.2.1): 1/256 dB towards -23 LUFS, to be added to the header's gain.
 * undefined where it is absent or not a decimal from -32768 to 32767.
 */
export function opusR128Gain(tags: OpusTags, of: "track" | "album"): number | undefined {
  const value = opusTagValues(tags, of === "track" ? "R128_TRACK_GAIN" : "R128_ALBUM_GAIN")[0];
  if (value === undefined || !/^[+-]?\d{1,6}$/.test(value.trim())) return undefined;
  const gain = Number(value);
  return gain >= -32_768 && gain <= 32_767 ? gain : undefined;
}

function damaged(what: string): MediaError {
  return new MediaError("media/not-opus", `The Opus comment header is damaged: ${what}.`);
}

function overLimit(what: string, limit: number): MediaError {
  return new MediaError("media/limit", `The Opus comment header has ${what}; the limit is ${limit}.`);
}
