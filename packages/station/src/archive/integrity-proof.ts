import { clipPackets, clipPages, type RecordingInfo } from "@longwave/archive";
import { Sha256 } from "@longwave/bond";
import { WavEncoder } from "@longwave/media";
import { StationError } from "../errors.ts";
import { type GapReason, recordingGaps } from "./recording-gaps.ts";
import type { StationArchive } from "./station-archive.ts";

/** An exported file: all of its bytes, header included. */
export interface ExportedFile {
  readonly bytes: number;
  readonly sha256: string;
}

/** Time of an export that is no recorded sound. */
export interface ProofGap {
  /** Sample frame of the exported WAV file at which it begins. */
  readonly at: number;
  /** Sample frames of that file that stand for it (silence, or a decoder's guess where packets were lost); 0 where it goes on behind the gap. */
  readonly frames: number;
  /** How long it lasted. */
  readonly ms: number;
  /** Wall-clock time (ISO 8601), null where nobody said. */
  readonly startsAt: string | null;
  readonly reason: GapReason;
}

/** Hashes of what is stored. */
export interface PacketsProof {
  /** The packets behind the samples, run-up included: length (u32 little-endian, 2^32 - 1 for a lost one) and bytes of each. */
  readonly packets: { readonly count: number; readonly lost: number; readonly sha256: string };
  /** The stored shards that hold them; none for the part that was not complete when the proof was made. */
  readonly shards: readonly { readonly number: number; readonly sha256: string }[];
}

/**
 * What shows that an exported piece of sound is what the archive holds: hashes of the exported file, of the packets behind it, and of
 * the stored shards that hold them. Whoever has the archive can repeat every one of them.
 */
export interface IntegrityProof extends PacketsProof {
  readonly format: "longwave-proof";
  /** Version 1 had neither `opus` nor `gaps`. */
  readonly version: 2;
  readonly recording: string;
  readonly stream: string;
  /** Sample frames `[from, to)` at 48 kHz. */
  readonly from: number;
  readonly to: number;
  /** Wall-clock time of the first sample (ISO 8601), null where nobody said. */
  readonly startsAt: string | null;
  /** Decoder that the hash of the WAV file holds for. */
  readonly profile: string;
  /** The samples are proven bit-identical to a decode of the recording from its first packet. */
  readonly exact: boolean;
  /** The exported files: WAV (16 bits) and Ogg Opus. */
  readonly wav: ExportedFile;
  readonly opus: ExportedFile;
  /** In order. */
  readonly gaps: readonly ProofGap[];
}

/** Longest piece that a proof is made for: 6 h. */
const maxFrames = 6 * 3600 * 48_000;
const pieceFrames = 480_000;
/** Stretches of lost packets that a proof lists; behind that many the last one reaches to the end of the last loss. */
const maxLosses = 1000;

/** The header of what {@link wavPieces} gives for so many sample frames. */
export function wavHeader(info: RecordingInfo, frames: number): Uint8Array {
  return new WavEncoder({ sampleRate: 48_000, channels: info.channels, encoding: "s16" }).header(frames);
}

/**
 * Samples of a recording as a 16-bit WAV file, piece by piece; the first piece is the header.
 * @throws ArchiveError
 */
export async function* wavPieces(
  archive: StationArchive,
  info: RecordingInfo,
  range: { readonly start: number; readonly end: number },
  signal?: AbortSignal,
): AsyncGenerator<{ bytes: Uint8Array; exact: boolean }> {
  const { channels, id } = info;
  const encoder = new WavEncoder({ sampleRate: 48_000, channels, encoding: "s16" });
  yield { bytes: encoder.header(range.end - range.start), exact: true };
  for (let at = range.start; at < range.end; at += pieceFrames) {
    const to = Math.min(range.end, at + pieceFrames);
    const { pcm, report } = await archive.archive.read(id, { from: at, to, ...(signal && { signal }) });
    const bytes = new Uint8Array((to - at) * encoder.frameBytes);
    encoder.write(pcm, to - at, bytes);
    yield { bytes, exact: report.exact };
  }
}

/** Hashes a file that comes in pieces. */
export async function hashFile(pieces: AsyncIterable<Uint8Array>): Promise<ExportedFile> {
  const hash = new Sha256();
  let bytes = 0;
  for await (const piece of pieces) {
    hash.update(piece);
    bytes += piece.length;
  }
  return { bytes, sha256: hex(hash.digest()) };
}

/** The packets and shards behind a range, and what of it was lost (`at` from the range's start). @throws ArchiveError */
export async function provePackets(
  archive: StationArchive,
  info: RecordingInfo,
  range: { readonly start: number; readonly end: number },
  signal?: AbortSignal,
): Promise<PacketsProof & { gaps: Omit<ProofGap, "startsAt">[] }> {
  const { start, end } = range;
  const packets = new Sha256();
  const length = new Uint8Array(4);
  const losses: { from: number; to: number }[] = [];
  let count = 0;
  let lost = 0;
  let at = 0;
  let runEnd = start;
  for await (const { data, frames, run } of clipPackets(archive.archive, info.id, range, signal)) {
    new DataView(length.buffer).setUint32(0, data === undefined ? 0xffff_ffff : data.length, true);
    packets.update(length);
    if (run !== undefined) {
      at = runEnd - run.preSkip;
      runEnd += run.frames;
    }
    if (data === undefined) {
      lost++;
      addLoss(losses, Math.max(start, at), Math.min(runEnd, at + frames));
    } else packets.update(data);
    at += frames;
    count++;
  }
  const shardFrames = info.chunkFrames * info.chunksPerShard;
  const shards: { number: number; sha256: string }[] = [];
  for (let number = Math.floor(start / shardFrames); number * shardFrames < end; number++) {
    const sha256 = info.shardSha256[number];
    // The last shard of a recording that still grows is written again.
    if (sha256 !== undefined && number < info.sealedShards) shards.push({ number, sha256 });
  }
  const gaps = losses.map(({ from, to }) => ({
    at: from - start,
    frames: to - from,
    ms: Math.round((to - from) / 48),
    reason: "lost" as const,
  }));
  return { packets: { count, lost, sha256: hex(packets.digest()) }, shards, gaps };
}

function addLoss(losses: { from: number; to: number }[], from: number, to: number): void {
  if (to <= from) return;
  const last = losses.at(-1);
  if (last !== undefined && (last.to >= from || losses.length >= maxLosses)) last.to = to;
  else losses.push({ from, to });
}

/** @throws StationError `station/range-too-long`; ArchiveError `archive/range` and those of reading */
export async function proveIntegrity(
  archive: StationArchive,
  id: string,
  range: { readonly start: number; readonly end: number },
  signal?: AbortSignal,
): Promise<IntegrityProof> {
  const { start, end } = range;
  const { info, stream, spans } = await archive.recording(id);
  if (end - start > maxFrames) {
    throw new StationError("station/range-too-long", "limit", "A proof covers at most 6 h; make several.");
  }
  let exact = true;
  async function* bytesOf(): AsyncGenerator<Uint8Array> {
    for await (const piece of wavPieces(archive, info, range, signal)) {
      exact &&= piece.exact;
      yield piece.bytes;
    }
  }
  const timeOf = (frame: number) => {
    const span = spans.find((each) => each.startFrame <= frame && frame < each.endFrame);
    return span === undefined ? null : new Date(span.startMs + (frame - span.startFrame) / 48).toISOString();
  };
  const wav = await hashFile(bytesOf());
  const opus = await hashFile(clipPages(archive.archive, id, range, { ...(signal && { signal }) }));
  const { packets, shards, gaps: lost } = await provePackets(archive, info, range, signal);
  const jumps = recordingGaps(info)
    .filter(({ frame }) => start < frame && frame < end)
    .map(({ frame, startMs, ms, reason }) => {
      return { at: frame - start, frames: 0, ms, startsAt: new Date(startMs).toISOString(), reason };
    });
  const losses = lost.map(({ at, frames, ms, reason }) => {
    return { at, frames, ms, startsAt: timeOf(start + at), reason };
  });
  return {
    format: "longwave-proof",
    version: 2,
    recording: id,
    stream,
    from: start,
    to: end,
    startsAt: timeOf(start),
    profile: info.profile,
    exact,
    wav,
    opus,
    gaps: [...jumps, ...losses].sort((a, b) => a.at - b.at),
    packets,
    shards,
  };
}

/**
 * Repeats the proof of a piece of a recording; returns what does not hold, in sentences.
 * @throws StationError `station/bad-proof`
 */
export async function checkRecording(
  archive: StationArchive,
  given: Omit<Partial<IntegrityProof>, "version"> & { version?: unknown },
): Promise<string[]> {
  if (
    given.format !== "longwave-proof" ||
    (given.version !== 1 && given.version !== 2) ||
    typeof given.recording !== "string" ||
    !Number.isSafeInteger(given.from) ||
    !Number.isSafeInteger(given.to)
  ) {
    throw new StationError("station/bad-proof", "malformed", "This is no Longwave proof of version 1 or 2.");
  }
  const problems: string[] = [];
  const now = await proveIntegrity(archive, given.recording, { start: given.from!, end: given.to! });
  const compare = (what: string, was: unknown, is: unknown) => {
    if (JSON.stringify(was) !== JSON.stringify(is)) problems.push(`${what} from the archive's.`);
  };
  compare("The hash of the packets differs", given.packets, now.packets);
  compare("The hash of the sound differs", given.wav, now.wav);
  compare("The time differs", given.startsAt, now.startsAt);
  compare("The decoder's profile differs", given.profile, now.profile);
  if (given.version === 2) {
    compare("The hash of the Opus file differs", given.opus, now.opus);
    compare("The gaps differ", given.gaps, now.gaps);
  }
  for (const { number, sha256 } of given.shards ?? []) {
    const stored = now.shards.find((each) => each.number === number);
    compare(`The hash of shard ${number} differs`, sha256, stored?.sha256);
  }
  return problems;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
