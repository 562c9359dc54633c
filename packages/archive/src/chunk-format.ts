import { sha256 } from "@noble/hashes/sha2.js";
import { deflateSync, inflateSync } from "fflate";
import { ArchiveError } from "./errors.ts";
import { xxHash64 } from "./hash-core.ts";
import type { PacketEvent, SeekPoint } from "./seek-point.ts";
import { decodeStates, encodeStates, formsOf, type StateForms, type StoredStates } from "./state-section.ts";
import { readVarints, varintSize, writeVarint } from "./varint.ts";

/**
 * Chunk payload: the Opus packets of one inner Zarr chunk with everything needed to decode it exactly. Layout in
 * docs/design/archive.md. All integers are little-endian. Format 1 begins with a header. Format 2 ends with it, so that a chunk
 * can begin with packets that end the chunk before, in the same bytes of their shard.
 */
export interface Chunk extends StoredStates {
  readonly channels: number;
  readonly profile: string;
  /** Chunk starts from `states.get(0)` instead of a fresh decoder and its pre-roll. */
  readonly startsFromState: boolean;
  readonly startProvenFloat: boolean;
  /** The pre-roll only serves foreign readers; it does not make the start exact. */
  readonly preRollApproximate: boolean;
  readonly last: boolean;
  /** Packets in front of the chunk's own ones. */
  readonly preRollCount: number;
  /** Index in the recording of the packet with the chunk's first sample frame. */
  readonly firstPacket: number;
  /** First sample frame of the chunk on the recording's axis. */
  readonly firstSample: number;
  /** Decoded frames (after the pre-roll) in front of `firstSample`: the rest of a straddling packet, or the pre-skip. */
  readonly trimHead: number;
  /** Sample frames in this chunk. */
  readonly validFrames: number;
  /** Stored length of every packet, pre-roll included; 0 = lost. */
  readonly lengths: Uint32Array;
  /** Position of every packet in `packets`, and one more for the end. */
  readonly offsets: Uint32Array;
  readonly points: readonly SeekPoint[];
  readonly events: readonly PacketEvent[];
  /** All packet bytes, pre-roll first. */
  readonly packets: Uint8Array;
  /** Bytes at the start of `packets` that lie in the chunk before (format 2). */
  readonly sharedBytes: number;
  /** Bytes of the payload that this was parsed from, without those that lie in the chunk before. */
  readonly storedBytes: number;
}

/** How chunks of a shard lie: each for itself (format 1), or over the end of the one before (format 2). */
export type ChunkLayout = "apart" | "overlapping";

/** What a chunk shares with the one before it in its shard. */
export interface ChunkOverlap {
  /** Packets at the start of the list whose bytes end the packets of the chunk before. */
  readonly sharedCount: number;
  /** What lies between them and the chunk's own bytes: the end of the chunk before, its trailer and checksum. */
  readonly between: Uint8Array;
}

/** Nothing is shared: the first chunk of a shard. */
export const nothingShared: ChunkOverlap = { sharedCount: 0, between: new Uint8Array(0) };

export const chunkHeaderBytes = 72;
/** The header's fields up to the hash, u32 shared bytes, u32 bytes between, u64 hash. */
export const chunkTrailerBytes = 80;
export const chunkMagic = 0x434f574c; // "LWOC"
const formats = { apart: 1, overlapping: 2 } as const;
const flag = {
  trailer: 1,
  startsFromState: 2,
  hasEvents: 4,
  startProvenFloat: 8,
  preRollApproximate: 16,
  last: 32,
} as const;
/** How the sections but the packets are stored (byte 6); 2 is reserved for zstd. */
const compressions = {
  none: 0,
  /** Raw deflate. */
  deflate: 1,
  /** Raw deflate, seek points as differences without what the lengths tell, states as they deflate best. */
  compact: 3,
  /** The same, and some states are differences. */
  differences: 4,
  /** The same, and some are seeds of a run-up, or states in the form of today, whole or as differences. */
  seeds: 5,
  /** The same, and some differences are coded (difference-code.ts) or have packets behind the state. */
  coded: 6,
} as const;
const eventTypes = ["loss", "segment-start", "end-trim"] as const;
/** A chunk is at most 30 s, a packet at least 2.5 ms; with 128 units of 20 ms of pre-roll that is under this. */
const maxPackets = 1 << 16;
/** Inflated size of one section; 64 states of 64 KiB and every table fit several times. */
const maxSectionBytes = 1 << 23;

/** Profiles are few, chunks are many. */
const profileHashes = new Map<string, number>();

/** First 32 bits (little-endian) of SHA-256 of the profile's name. */
export function profileHash(profile: string): number {
  let hash = profileHashes.get(profile);
  if (hash === undefined) {
    const bytes = sha256(new TextEncoder().encode(profile));
    hash = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    if (profileHashes.size < 16) profileHashes.set(profile, hash);
  }
  return hash;
}

export interface ChunkParts
  extends Omit<Chunk, "offsets" | "lengths" | "packets" | "sharedBytes" | "storedBytes"> {
  readonly packetList: readonly (Uint8Array | undefined)[];
}

/**
 * Serialises a chunk. The result depends on nothing but the arguments.
 * @param overlap makes it one of format 2, `nothingShared` included: shared packets, what lies between, sections, own packets,
 * trailer
 */
export function encodeChunk(chunk: ChunkParts, overlap?: ChunkOverlap): Uint8Array {
  const lengths = deflated(encodeLengths(chunk.packetList));
  const points = deflated(encodePoints(chunk.points));
  const events = deflated(encodeEvents(chunk.events));
  const states = deflated(encodeStates(chunk));
  const sections = [lengths, points, events, states];
  const bytesOf = (packets: readonly (Uint8Array | undefined)[]) =>
    packets.reduce((sum, packet) => sum + (packet?.length ?? 0), 0);
  const shared = chunk.packetList.slice(0, overlap?.sharedCount ?? 0);
  const own = chunk.packetList.slice(shared.length);
  const sharedBytes = bytesOf(shared);
  const between = overlap?.between ?? nothingShared.between;
  const fixed = overlap === undefined ? chunkHeaderBytes : chunkTrailerBytes;
  const body = sections.reduce((sum, each) => sum + each.length, bytesOf(own));
  const bytes = new Uint8Array(sharedBytes + between.length + body + fixed);
  let at = overlap === undefined ? chunkHeaderBytes : 0;
  const put = (piece: Uint8Array) => {
    bytes.set(piece, at);
    at += piece.length;
  };
  for (const packet of shared) if (packet !== undefined) put(packet);
  put(between);
  for (const section of sections) put(section);
  for (const packet of own) if (packet !== undefined) put(packet);

  const header = bytes.subarray(overlap === undefined ? 0 : at);
  const view = new DataView(header.buffer, header.byteOffset, fixed);
  view.setUint32(0, chunkMagic, true);
  header[4] = overlap === undefined ? formats.apart : formats.overlapping;
  header[5] =
    (overlap === undefined ? 0 : flag.trailer) |
    (chunk.startsFromState ? flag.startsFromState : 0) |
    (chunk.events.length > 0 ? flag.hasEvents : 0) |
    (chunk.startProvenFloat ? flag.startProvenFloat : 0) |
    (chunk.preRollApproximate ? flag.preRollApproximate : 0) |
    (chunk.last ? flag.last : 0);
  // A program that knows no states of today shall refuse the chunk, not begin somewhere else without a word.
  const forms = formsOf(chunk);
  if (forms !== "older") header[6] = compressions[forms];
  else header[6] = chunk.differences.size > 0 ? compressions.differences : compressions.compact;
  header[7] = chunk.channels;
  view.setUint32(8, chunk.preRollCount, true);
  view.setUint32(12, chunk.packetList.length - chunk.preRollCount, true);
  setU64(view, 16, chunk.firstPacket);
  setU64(view, 24, chunk.firstSample);
  view.setUint32(32, chunk.trimHead, true);
  view.setUint32(36, chunk.validFrames, true);
  for (const [i, section] of sections.entries()) view.setUint32(40 + 4 * i, section.length, true);
  view.setUint32(56, sharedBytes + bytesOf(own), true);
  view.setUint32(60, profileHash(chunk.profile), true);
  if (overlap !== undefined) {
    view.setUint32(64, sharedBytes, true);
    view.setUint32(68, between.length, true);
  }
  const hash = hashOf(bytes, overlap === undefined ? "apart" : "overlapping");
  view.setUint32(fixed - 8, hash[0]!, true);
  view.setUint32(fixed - 4, hash[1]!, true);
  return bytes;
}

function formsKnownTo(compression: number): StateForms {
  if (compression >= compressions.coded) return "coded";
  return compression >= compressions.seeds ? "seeds" : "older";
}

/** XXH64 of the header or trailer without the hash itself, then of all the rest. */
function hashOf(bytes: Uint8Array, layout: ChunkLayout): Uint32Array {
  const hash = new Uint32Array(2);
  if (layout === "apart") xxHash64(hash, bytes.subarray(0, 64), bytes.subarray(chunkHeaderBytes));
  else {
    const at = bytes.length - chunkTrailerBytes;
    xxHash64(hash, bytes.subarray(at, at + 72), bytes.subarray(0, at));
  }
  return hash;
}

/**
 * Parses and validates a chunk. The packet bytes are a view of `bytes`, or a copy where some lie in the chunk before.
 * @param where names the chunk in errors
 * @param layout as the recording's description tells
 * @throws ArchiveError `archive/chunk-corrupt`, `archive/version`, `archive/profile`, `archive/limit`
 */
export function decodeChunk(
  bytes: Uint8Array,
  profile: string,
  where: string,
  layout: ChunkLayout = "apart",
): Chunk {
  const corrupt = (reason: string) =>
    new ArchiveError(
      "archive/chunk-corrupt",
      `${where} is damaged (${reason}); restore it from a copy or run repair.`,
    );
  const fixed = layout === "apart" ? chunkHeaderBytes : chunkTrailerBytes;
  if (bytes.length < fixed) throw corrupt(`${bytes.length} bytes are too few`);
  const header = layout === "apart" ? bytes : bytes.subarray(bytes.length - fixed);
  const view = new DataView(header.buffer, header.byteOffset, fixed);
  if (view.getUint32(0, true) !== chunkMagic) throw corrupt("no chunk header");
  const hash = hashOf(bytes, layout);
  if (hash[0] !== view.getUint32(fixed - 8, true) || hash[1] !== view.getUint32(fixed - 4, true))
    throw corrupt("its hash differs");
  if (header[4] !== formats[layout]) {
    throw new ArchiveError(
      "archive/version",
      `${where} has chunk format ${header[4]}; format ${formats[layout]} is expected here.`,
    );
  }
  if (view.getUint32(60, true) !== profileHash(profile)) {
    throw new ArchiveError("archive/profile", `${where} was not proven for decoder profile ${profile}.`);
  }
  const compression = header[6]!;
  if (!Object.values<number>(compressions).includes(compression)) {
    throw new ArchiveError(
      "archive/version",
      `${where} uses section compression ${compression}; 0, 1 and 3 to 6 are known.`,
    );
  }
  const isCompact = compression >= compressions.compact;
  const bits = header[5]!;
  const channels = header[7]!;
  const preRollCount = view.getUint32(8, true);
  const packetCount = preRollCount + view.getUint32(12, true);
  if (channels < 1 || channels > 2) throw corrupt(`${channels} channels`);
  if (packetCount > maxPackets)
    throw new ArchiveError("archive/limit", `${where} claims ${packetCount} packets.`);
  const sizes = [0, 1, 2, 3, 4].map((i) => view.getUint32(40 + 4 * i, true));
  const sharedBytes = layout === "apart" ? 0 : view.getUint32(64, true);
  const between = layout === "apart" ? 0 : view.getUint32(68, true);
  if (fixed + sizes.reduce((sum, each) => sum + each, between) !== bytes.length || sharedBytes > sizes[4]!)
    throw corrupt("section sizes");
  const body = layout === "apart" ? fixed : sharedBytes + between;
  const section = (i: number) => {
    const start = body + sizes.slice(0, i).reduce((sum, each) => sum + each, 0);
    return bytes.subarray(start, start + sizes[i]!);
  };
  const unpack = (i: number) => {
    if (compression === compressions.none) return section(i);
    const unpacked = inflated(section(i), maxSectionBytes);
    if (unpacked === undefined) throw corrupt(`section ${i} does not unpack`);
    return unpacked;
  };
  const ownStart = body + sizes.slice(0, 4).reduce((sum, each) => sum + each, 0);
  const ownPackets = bytes.subarray(ownStart, ownStart + sizes[4]! - sharedBytes);
  const packets = sharedBytes === 0 ? ownPackets : joined(bytes.subarray(0, sharedBytes), ownPackets);
  const lengths = readVarints(unpack(0), packetCount);
  if (lengths === undefined) throw corrupt("packet lengths");
  const offsets = new Uint32Array(packetCount + 1);
  for (let i = 0; i < packetCount; i++) offsets[i + 1] = offsets[i]! + lengths[i]!;
  if (offsets[packetCount] !== packets.length) throw corrupt("packet lengths do not add up");
  const table = unpack(1);
  const points = isCompact
    ? decodePoints(table, offsets.subarray(preRollCount, packetCount))
    : decodeWidePoints(table);
  const events = decodeEvents(unpack(2));
  const stored = decodeStates(unpack(3), formsKnownTo(compression));
  if (points === undefined || events === undefined || stored === undefined) throw corrupt("tables");
  const own = packetCount - preRollCount;
  if (points.some((point) => point.packet >= Math.max(1, own))) throw corrupt("a seek point lies outside");
  if (events.some((event) => event.packet >= packetCount)) throw corrupt("an event lies outside");
  return {
    channels,
    profile,
    startsFromState: (bits & flag.startsFromState) !== 0,
    startProvenFloat: (bits & flag.startProvenFloat) !== 0,
    preRollApproximate: (bits & flag.preRollApproximate) !== 0,
    last: (bits & flag.last) !== 0,
    preRollCount,
    firstPacket: getU64(view, 16),
    firstSample: getU64(view, 24),
    trimHead: view.getUint32(32, true),
    validFrames: view.getUint32(36, true),
    lengths,
    offsets,
    points,
    events,
    ...stored,
    packets,
    sharedBytes,
    storedBytes: bytes.length - sharedBytes - between,
  };
}

/** Where a chunk's bytes go. */
export interface ChunkBytes {
  /** Its own packets, those that the chunk before holds left out. */
  readonly packetBytes: number;
  /** Packets of run-ups that are stored a second time. */
  readonly preRollBytes: number;
  /** All others, the checksum that Zarr adds included. */
  readonly indexBytes: number;
}

export function chunkBytes(
  chunk: Pick<Chunk, "offsets" | "preRollCount" | "sharedBytes" | "storedBytes">,
): ChunkBytes {
  const { offsets, preRollCount, sharedBytes, storedBytes } = chunk;
  const all = offsets.at(-1)!;
  const own = Math.max(offsets[preRollCount]!, sharedBytes);
  return {
    packetBytes: all - own,
    preRollBytes: own - sharedBytes,
    indexBytes: storedBytes + 4 - (all - sharedBytes),
  };
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function encodeLengths(packets: readonly (Uint8Array | undefined)[]): Uint8Array {
  let size = 0;
  for (const packet of packets) size += varintSize(packet?.length ?? 0);
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const packet of packets) at = writeVarint(bytes, at, packet?.length ?? 0);
  return bytes;
}

/**
 * Columns: packet minus the one before, runUpFloat, runUpInt16 minus that, flags (u16 each), digest (u32). Where a packet lies
 * in its section is told by the lengths.
 */
function encodePoints(points: readonly SeekPoint[]): Uint8Array {
  const n = points.length;
  const bytes = new Uint8Array(12 * n);
  const view = new DataView(bytes.buffer);
  let before = 0;
  for (const [i, point] of points.entries()) {
    view.setUint16(2 * i, point.packet - before, true);
    view.setUint16(2 * (n + i), point.runUpFloat, true);
    view.setUint16(2 * (2 * n + i), point.runUpInt16 - point.runUpFloat, true);
    view.setUint16(2 * (3 * n + i), point.flags, true);
    view.setUint32(8 * n + 4 * i, point.digest, true);
    before = point.packet;
  }
  return bytes;
}

/** @param offsets of the chunk's own packets in the packet section */
function decodePoints(bytes: Uint8Array, offsets: Uint32Array): SeekPoint[] | undefined {
  if (bytes.length % 12 !== 0) return undefined;
  const n = bytes.length / 12;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let packet = 0;
  return Array.from({ length: n }, (_, i) => {
    packet = (packet + view.getUint16(2 * i, true)) & 0xffff;
    const runUpFloat = view.getUint16(2 * (n + i), true);
    return {
      packet,
      runUpFloat,
      runUpInt16: (runUpFloat + view.getUint16(2 * (2 * n + i), true)) & 0xffff,
      flags: view.getUint16(2 * (3 * n + i), true),
      byteOffset: offsets[packet] ?? 0,
      digest: view.getUint32(8 * n + 4 * i, true),
    };
  });
}

/** As older chunks have them; columns: packet, runUpFloat, runUpInt16, flags (u16 each), byteOffset, digest (u32 each). */
function decodeWidePoints(bytes: Uint8Array): SeekPoint[] | undefined {
  if (bytes.length % 16 !== 0) return undefined;
  const n = bytes.length / 16;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: n }, (_, i) => ({
    packet: view.getUint16(2 * i, true),
    runUpFloat: view.getUint16(2 * (n + i), true),
    runUpInt16: view.getUint16(2 * (2 * n + i), true),
    flags: view.getUint16(2 * (3 * n + i), true),
    byteOffset: view.getUint32(8 * n + 4 * i, true),
    digest: view.getUint32(12 * n + 4 * i, true),
  }));
}

function encodeEvents(events: readonly PacketEvent[]): Uint8Array {
  const bytes = new Uint8Array(16 * events.length);
  const view = new DataView(bytes.buffer);
  for (const [i, event] of events.entries()) {
    view.setUint32(16 * i, event.packet, true);
    bytes[16 * i + 4] = eventTypes.indexOf(event.type) + 1;
    view.setUint32(16 * i + 8, event.frames, true);
    view.setUint32(16 * i + 12, event.segment, true);
  }
  return bytes;
}

function decodeEvents(bytes: Uint8Array): PacketEvent[] | undefined {
  if (bytes.length % 16 !== 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const events: PacketEvent[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const type = eventTypes[bytes[at + 4]! - 1];
    if (type === undefined) return undefined;
    events.push({
      packet: view.getUint32(at, true),
      type,
      frames: view.getUint32(at + 8, true),
      segment: view.getUint32(at + 12, true),
    });
  }
  return events;
}

function deflated(bytes: Uint8Array): Uint8Array {
  return bytes.length === 0 ? bytes : deflateSync(bytes, { level: 9 });
}

/** What most sections unpack to; a larger one gets room for itself. */
const usualSectionBytes = 1 << 16;
let inflateRoom: Uint8Array | undefined;

/** Raw deflate, refused (undefined) where the output would reach `limit`. The result is valid until the next call. */
function inflated(bytes: Uint8Array, limit: number): Uint8Array | undefined {
  if (bytes.length === 0) return bytes;
  inflateRoom ??= new Uint8Array(usualSectionBytes);
  for (let room = inflateRoom; ; room = new Uint8Array(Math.min(limit, 16 * room.length))) {
    try {
      const output = inflateSync(bytes, { out: room });
      // Output beyond the room is dropped, so a result that fills it may have been longer.
      if (output.length < room.length) return output;
    } catch (error) {
      // A stored block beyond the room; anything else is damage.
      if (!(error instanceof RangeError)) return undefined;
    }
    if (room.length === limit) return undefined;
  }
}

function setU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true);
}

function getU64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 0x1_0000_0000;
}
