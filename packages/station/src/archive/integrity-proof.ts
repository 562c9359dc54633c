import { clipPackets, type RecordingInfo } from "@longwave/archive";
import { Sha256 } from "@longwave/bond";
import { WavEncoder } from "@longwave/media";
import { StationError } from "../errors.ts";
import type { StationArchive } from "./station-archive.ts";

/**
 * What shows that an exported piece of sound is what the archive holds: hashes of the exported file, of the packets behind it, and of
 * the stored shards that hold them. Whoever has the archive can repeat every one of them.
 */
export interface IntegrityProof {
  readonly format: "longwave-proof";
  readonly version: 1;
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
  /** The exported WAV file (16 bits), header included. */
  readonly wav: { readonly bytes: number; readonly sha256: string };
  /** The packets behind the samples, run-up included: length (u32 little-endian, 2^32 - 1 for a lost one) and bytes of each. */
  readonly packets: { readonly count: number; readonly lost: number; readonly sha256: string };
  /** The stored shards that hold them; none for the part that was not complete when the proof was made. */
  readonly shards: readonly { readonly number: number; readonly sha256: string }[];
}

/** Longest piece that a proof is made for: 6 h. */
const maxFrames = 6 * 3600 * 48_000;
const pieceFrames = 480_000;

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
  const wav = new Sha256();
  let bytes = 0;
  let exact = true;
  for await (const piece of wavPieces(archive, info, range, signal)) {
    wav.update(piece.bytes);
    bytes += piece.bytes.length;
    exact &&= piece.exact;
  }
  const packets = new Sha256();
  const length = new Uint8Array(4);
  let count = 0;
  let lost = 0;
  for await (const { data } of clipPackets(archive.archive, id, range, signal)) {
    new DataView(length.buffer).setUint32(0, data === undefined ? 0xffff_ffff : data.length, true);
    packets.update(length);
    if (data === undefined) lost++;
    else packets.update(data);
    count++;
  }
  const shardFrames = info.chunkFrames * info.chunksPerShard;
  const shards: { number: number; sha256: string }[] = [];
  for (let number = Math.floor(start / shardFrames); number * shardFrames < end; number++) {
    const sha256 = info.shardSha256[number];
    // The last shard of a recording that still grows is written again.
    if (sha256 !== undefined && number < info.sealedShards) shards.push({ number, sha256 });
  }
  const span = spans.find((each) => each.startFrame <= start && start < each.endFrame);
  return {
    format: "longwave-proof",
    version: 1,
    recording: id,
    stream,
    from: start,
    to: end,
    startsAt:
      span === undefined ? null : new Date(span.startMs + (start - span.startFrame) / 48).toISOString(),
    profile: info.profile,
    exact,
    wav: { bytes, sha256: hex(wav.digest()) },
    packets: { count, lost, sha256: hex(packets.digest()) },
    shards,
  };
}

/**
 * Repeats a proof against an archive; returns what does not hold, in sentences, nothing where all does.
 *
 * @param proof as it was parsed from JSON
 * @param fileSha256 hash of the exported file, where it shall be compared too
 * @throws StationError `station/bad-proof` for what is no proof; ArchiveError where the recording cannot be read
 */
export async function checkIntegrity(
  archive: StationArchive,
  proof: unknown,
  fileSha256?: string,
): Promise<string[]> {
  const given = proof as Partial<IntegrityProof> | null;
  if (
    given?.format !== "longwave-proof" ||
    given.version !== 1 ||
    typeof given.recording !== "string" ||
    !Number.isSafeInteger(given.from) ||
    !Number.isSafeInteger(given.to)
  ) {
    throw new StationError("station/bad-proof", "malformed", "This is no Longwave proof of version 1.");
  }
  const problems: string[] = [];
  const now = await proveIntegrity(archive, given.recording, { start: given.from!, end: given.to! });
  const compare = (what: string, was: unknown, is: unknown) => {
    if (JSON.stringify(was) !== JSON.stringify(is)) problems.push(`${what} differs from the archive's.`);
  };
  compare("The hash of the packets", given.packets, now.packets);
  compare("The hash of the sound", given.wav, now.wav);
  compare("The time", given.startsAt, now.startsAt);
  compare("The decoder's profile", given.profile, now.profile);
  for (const { number, sha256 } of given.shards ?? []) {
    const stored = now.shards.find((each) => each.number === number);
    compare(`The hash of shard ${number}`, sha256, stored?.sha256);
  }
  if (fileSha256 !== undefined && fileSha256 !== given.wav?.sha256) {
    problems.push("The file is not the one that the proof was made for.");
  }
  return problems;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
