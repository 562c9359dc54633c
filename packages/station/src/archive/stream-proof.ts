import { StationError } from "../errors.ts";
import { stationRateHz } from "../sound.ts";
import {
  type ExportedFile,
  hashFile,
  type PacketsProof,
  type ProofGap,
  provePackets,
} from "./integrity-proof.ts";
import { type GapReason, gapReasons } from "./recording-gaps.ts";
import type { StationArchive } from "./station-archive.ts";
import { type ExportPiece, exportOpus, exportWav, planExport, type StreamExport } from "./stream-export.ts";

/** The part of a recording that an export holds. */
export interface StreamProofPiece extends PacketsProof {
  readonly recording: string;
  /** Sample frames `[from, to)` of the recording, and where in the export they begin. */
  readonly from: number;
  readonly to: number;
  readonly at: number;
  readonly profile: string;
}

/**
 * What shows that an export of a stream between two moments, over gaps and the ends of recordings, is what the archive holds, and which
 * parts of it are no recorded sound.
 */
export interface StreamProof {
  readonly format: "longwave-stream-proof";
  readonly version: 1;
  readonly stream: string;
  /** ISO 8601, `[from, to)`. */
  readonly from: string;
  readonly to: string;
  /** Sample frames of the WAV file. */
  readonly frames: number;
  /** Every sample of the recorded parts is proven bit-identical to a decode of its recording from the first packet. */
  readonly exact: boolean;
  readonly wav: ExportedFile;
  readonly opus: ExportedFile;
  /** Silence in the WAV file, left out of the Opus file. */
  readonly gaps: readonly ProofGap[];
  readonly pieces: readonly StreamProofPiece[];
}

/** @throws StationError `station/range-too-long`, `station/nothing-recorded`; ArchiveError where a recording cannot be read */
export async function proveStream(
  archive: StationArchive,
  stream: string,
  fromMs: number,
  toMs: number,
  signal?: AbortSignal,
): Promise<StreamProof> {
  const plan = await planExport(archive, stream, BigInt(fromMs) * 1_000_000n, BigInt(toMs) * 1_000_000n);
  let exact = true;
  const wav = await hashFile(
    exportWav(archive, plan, signal, (isExact) => {
      exact &&= isExact;
    }),
  );
  const opus = await hashFile(exportOpus(archive, plan, signal));
  const pieces: StreamProofPiece[] = [];
  const gaps: ProofGap[] = [];
  const startsAt = (at: number) => new Date(fromMs + (at * 1000) / stationRateHz).toISOString();
  const add = (at: number, end: number, reason: GapReason) => {
    const frames = end - at;
    if (frames > 0) gaps.push({ at, frames, ms: Math.round(frames / 48), startsAt: startsAt(at), reason });
  };
  let end = 0;
  let last: ExportPiece | undefined;
  for (const piece of plan.pieces) {
    const { info, start, at } = piece;
    add(end, at, reasonBehind(last) ?? gapReasons(info).get(start) ?? "not-recorded");
    const { gaps: lost, ...packets } = await provePackets(archive, info, { start, end: piece.end }, signal);
    for (const gap of lost) gaps.push({ ...gap, at: at + gap.at, startsAt: startsAt(at + gap.at) });
    pieces.push({ recording: info.id, from: start, to: piece.end, at, profile: info.profile, ...packets });
    end = at + piece.end - start;
    last = piece;
  }
  add(end, plan.frames, reasonBehind(last) ?? "not-recorded");
  return {
    format: "longwave-stream-proof",
    version: 1,
    stream,
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
    frames: plan.frames,
    exact,
    wav,
    opus,
    gaps,
    pieces,
  };
}

/** Why the recording of a piece says that there is a gap behind it. */
function reasonBehind(piece: StreamExport["pieces"][number] | undefined): GapReason | undefined {
  return piece === undefined ? undefined : gapReasons(piece.info).get(piece.end);
}

/**
 * Repeats the proof of an export; returns what does not hold, in sentences.
 * @throws StationError `station/bad-proof`
 */
export async function checkStream(archive: StationArchive, given: Partial<StreamProof>): Promise<string[]> {
  const [fromMs, toMs] = [Date.parse(String(given.from)), Date.parse(String(given.to))];
  if (given.version !== 1 || typeof given.stream !== "string" || !(toMs > fromMs)) {
    throw new StationError(
      "station/bad-proof",
      "malformed",
      "This is no Longwave proof of an export, version 1.",
    );
  }
  const now = await proveStream(archive, given.stream, fromMs, toMs);
  const problems: string[] = [];
  const compare = (what: string, was: unknown, is: unknown) => {
    if (JSON.stringify(was) !== JSON.stringify(is)) problems.push(`${what} from the archive's.`);
  };
  compare("The hash of the sound differs", given.wav, now.wav);
  compare("The hash of the Opus file differs", given.opus, now.opus);
  compare("The gaps differ", given.gaps, now.gaps);
  const pieces = Array.isArray(given.pieces) ? given.pieces : [];
  compare("The number of pieces differs", pieces.length, now.pieces.length);
  for (const [i, { shards, ...piece }] of now.pieces.entries()) {
    const { shards: sealed, ...was } = (pieces[i] ?? {}) as Partial<StreamProofPiece>;
    compare(`Piece ${i + 1} differs`, was, piece);
    // What was not complete when the proof was made has no hash there.
    for (const { number, sha256 } of Array.isArray(sealed) ? sealed : []) {
      const stored = shards.find((each) => each.number === number);
      compare(`The hash of shard ${number} of piece ${i + 1} differs`, sha256, stored?.sha256);
    }
  }
  return problems;
}
