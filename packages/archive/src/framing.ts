import { ArchiveError } from "./errors.ts";

/**
 * Ways of writing packets one behind the other: `opus-demo` (u32 big-endian length, u32 final range, packet), `be32` and
 * `le32` (length, packet), `self-delimited` (RFC 6716 appendix B). Lengths are never guessed.
 */
export type PacketFraming = "opus-demo" | "be32" | "le32" | "self-delimited";

export const packetFramings: readonly PacketFraming[] = ["opus-demo", "be32", "le32", "self-delimited"];

/** Largest packet taken: 48 frames of 1,275 bytes with their lengths, and generous padding. */
const maxPacketBytes = 1 << 20;

/**
 * Cuts bytes into packets (views of `bytes`).
 * @throws ArchiveError `archive/truncated` where the last packet is cut off, `archive/limit`
 */
export function* framedPackets(bytes: Uint8Array, framing: PacketFraming): Generator<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const head = framing === "opus-demo" ? 8 : 4;
  for (let at = 0; at < bytes.length; ) {
    if (framing === "self-delimited") {
      const packet = selfDelimitedPacket(bytes, at);
      yield packet.bytes;
      at = packet.end;
      continue;
    }
    if (at + head > bytes.length) throw cutOff(at);
    const length = view.getUint32(at, framing === "le32");
    if (length > maxPacketBytes) {
      throw new ArchiveError(
        "archive/limit",
        `The packet at byte ${at} claims ${length} bytes; is the framing ${framing}?`,
      );
    }
    at += head;
    if (at + length > bytes.length) throw cutOff(at - head);
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

/** Rewrites a self-delimited packet in the usual form: its last frame's length is left out. */
function selfDelimitedPacket(bytes: Uint8Array, start: number): { bytes: Uint8Array; end: number } {
  const byte = (i: number) => {
    const value = bytes[i];
    if (value === undefined) throw cutOff(start);
    return value;
  };
  let at = start + 1;
  const toc = byte(start);
  const code = toc & 3;
  const readLength = () => {
    const first = byte(at++);
    return first < 252 ? first : first + 4 * byte(at++);
  };
  let count = code === 0 ? 1 : 2;
  let padding = 0;
  let variable = code === 2;
  if (code === 3) {
    const flags = byte(at++);
    count = flags & 63;
    variable = (flags & 128) !== 0;
    if ((flags & 64) !== 0) {
      let more = 255;
      while (more === 255) {
        more = byte(at++);
        padding += more === 255 ? 254 : more;
      }
    }
  }
  let data = 0;
  if (variable) for (let i = 0; i < count - 1; i++) data += readLength();
  const headerEnd = at;
  const last = readLength();
  data += variable ? last : count * last;
  const end = at + data + padding;
  if (end > bytes.length) throw cutOff(start);
  if (end - start > maxPacketBytes)
    throw new ArchiveError("archive/limit", `The packet at byte ${start} is too long.`);
  const packet = new Uint8Array(headerEnd - start + data + padding);
  packet.set(bytes.subarray(start, headerEnd));
  packet.set(bytes.subarray(at, end), headerEnd - start);
  return { bytes: packet, end };
}

function cutOff(at: number): ArchiveError {
  return new ArchiveError("archive/truncated", `The packet list is cut off in the packet at byte ${at}.`);
}
