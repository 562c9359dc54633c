import { OpusError } from "../errors.ts";
import { createFrameTable, parseFrames } from "./frame-table.ts";
import { Repacketizer } from "./repacketizer.ts";

/** An extension of a packet (draft-ietf-mlcodec-opus-extension): bytes of the padding with a meaning. */
export interface PacketExtension {
  /** 3 to 127; below 32 the data is at most one byte. */
  readonly id: number;
  /** The frame of the packet that it belongs to. */
  readonly frame: number;
  readonly data: Uint8Array;
}

/** Ids of the framing itself: padding, frame separator, repeat. */
const separatorId = 1;
const repeatId = 2;
const firstLongId = 32;

/**
 * The extensions in a packet's padding, in the order of the bytes; repeated ones are listed for every frame they stand for.
 * `data` are views into the packet.
 * @throws OpusError `opus/invalid-packet` where the packet or an extension is malformed
 */
export function* packetExtensions(packet: Uint8Array): Generator<PacketExtension> {
  const table = createFrameTable();
  const frames = parseFrames(packet, 0, packet.length, false, table);
  if (frames < 0) throw malformed("the packet is no Opus packet");
  const bytes = packet.subarray(table.paddingStart, table.end);
  let at = 0;
  let frame = 0;
  /** Extensions since the last separator: what a repeat repeats. */
  let group: Header[] = [];
  while (at < bytes.length) {
    const byte = bytes[at]!;
    const id = byte >> 1;
    const flag = byte & 1;
    if (id === separatorId) {
      const step = flag === 0 ? 1 : bytes[at + 1];
      if (step === undefined) throw malformed("a frame separator is cut");
      at += 1 + flag;
      if (step === 0) continue;
      frame += step;
      if (frame >= frames) throw malformed(`an extension is for frame ${frame} of ${frames}`);
      group = [];
    } else if (id === repeatId) {
      at++;
      const lastLong = group.findLastIndex((header) => header.id >= firstLongId);
      const shortTail = shortBytes(group.slice(lastLong + 1));
      for (let each = frame + 1; each < frames; each++) {
        for (const [index, header] of group.entries()) {
          const toTheEnd = flag === 0 && each === frames - 1 && index === lastLong;
          const data = extensionData(bytes, at, header.id, toTheEnd ? 0 : header.flag, shortTail);
          yield { id: header.id, frame: each, data };
          at = data.byteOffset - bytes.byteOffset + data.length;
        }
      }
      group = [];
      if (flag === 0 && ++frame >= frames) return;
    } else if (id === 0) {
      // One byte of padding, or with the flag off, padding to the end.
      if (flag === 0) return;
      at++;
    } else {
      const data = extensionData(bytes, at + 1, id, flag, 0);
      group.push({ id, flag });
      yield { id, frame, data };
      at = data.byteOffset - bytes.byteOffset + data.length;
    }
  }
}

interface Header {
  readonly id: number;
  readonly flag: number;
}

/** Bytes that the short extensions behind the last long one take when they are repeated. */
function shortBytes(headers: readonly Header[]): number {
  return headers.reduce((sum, { flag }) => sum + flag, 0);
}

/** The payload that begins at `at`: short ones have `flag` bytes, long ones a length, or go on to `reserved` bytes before the end. */
function extensionData(
  bytes: Uint8Array,
  at: number,
  id: number,
  flag: number,
  reserved: number,
): Uint8Array {
  if (id < firstLongId) {
    if (at + flag > bytes.length) throw malformed(`extension ${id} is cut`);
    return bytes.subarray(at, at + flag);
  }
  if (flag === 0) {
    if (at + reserved > bytes.length) throw malformed(`extension ${id} is cut`);
    return bytes.subarray(at, bytes.length - reserved);
  }
  let length = 0;
  let from = at;
  let byte = 255;
  while (byte === 255) {
    if (from >= bytes.length) throw malformed(`the length of extension ${id} is cut`);
    byte = bytes[from++]!;
    length += byte;
  }
  if (from + length > bytes.length) throw malformed(`extension ${id} claims ${length} bytes`);
  return bytes.subarray(from, from + length);
}

const repacketizer = new Repacketizer();

/**
 * Puts `extensions` into the padding of the packet at `buffer[0, length)`, in place of what was there; returns the new
 * length. The decoder's sound does not change.
 * @throws OpusError `opus/bad-argument` for an id, frame or length out of range, `opus/invalid-packet`, `opus/buffer-too-small`
 */
export function writeExtensions(
  buffer: Uint8Array,
  length: number,
  extensions: readonly PacketExtension[],
): number {
  repacketizer.clear();
  repacketizer.addAt(buffer, 0, length, false);
  const frames = repacketizer.frameCount;
  const payload = extensionPayload(extensions, frames);
  const bare = repacketizer.outAt(buffer, 0, length, 0, frames, false, false);
  if (payload.length === 0) return bare;
  // Padding of n bytes costs one byte of length for each 254 of them; code 3 framing is forced by asking for padding.
  const amount = payload.length + Math.ceil(payload.length / 254);
  const framed = codeThreeBytes(buffer, bare) + amount;
  if (framed > buffer.length) {
    throw new OpusError(
      "opus/buffer-too-small",
      `The packet would have ${framed} bytes of ${buffer.length}.`,
    );
  }
  repacketizer.outAt(buffer, 0, framed, 0, frames, false, true);
  buffer.set(payload, framed - payload.length);
  return framed;
}

/** Length of the unpadded packet at `bytes[0, length)` once it is framed as code 3. */
function codeThreeBytes(bytes: Uint8Array, length: number): number {
  const code = bytes[0]! & 3;
  return code === 3 ? length : length + 1;
}

function extensionPayload(extensions: readonly PacketExtension[], frames: number): Uint8Array {
  for (const { id, frame, data } of extensions) {
    const fits = id >= firstLongId || data.length <= 1;
    if (!(Number.isInteger(id) && id > repeatId && id < 128 && frame >= 0 && frame < frames && fits)) {
      throw new OpusError(
        "opus/bad-argument",
        `Extension ${id} of ${data.length} bytes for frame ${frame} of ${frames} cannot be written.`,
      );
    }
  }
  const sorted = extensions.toSorted((a, b) => a.frame - b.frame);
  const bytes: number[] = [];
  let frame = 0;
  for (const [index, extension] of sorted.entries()) {
    const step = extension.frame - frame;
    if (step === 1) bytes.push(separatorId << 1);
    else if (step > 1) bytes.push((separatorId << 1) | 1, step);
    frame = extension.frame;
    const { id, data } = extension;
    if (id < firstLongId) bytes.push((id << 1) | data.length);
    else if (index === sorted.length - 1) bytes.push(id << 1);
    else {
      bytes.push((id << 1) | 1);
      for (let left = data.length; ; left -= 255) {
        bytes.push(Math.min(left, 255));
        if (left < 255) break;
      }
    }
    for (const byte of data) bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

function malformed(what: string): OpusError {
  return new OpusError("opus/invalid-packet", `The extensions cannot be read: ${what}.`);
}
