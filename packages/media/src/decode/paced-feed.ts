import { throwIfAborted, turn } from "./audio-decoder.ts";

const minPieceBytes = 1024;
const maxPieceBytes = 16_384;

/** Samples per input byte above which the input is taken for hostile or silent, and fed in the smallest pieces. */
const denseSamplesPerByte = 64;

/**
 * Feeds `bytes` to a decoder in pieces, so that one call of it can only make so much sound: a compressed kilobyte of
 * silence can hold minutes. `decode` takes a piece and returns the samples (all channels) that it made.
 */
export async function feedInPieces(
  bytes: Uint8Array,
  signal: AbortSignal,
  decode: (piece: Uint8Array) => number | Promise<number>,
): Promise<void> {
  let pieceBytes = minPieceBytes;
  let sinceTurn = 0;
  for (let at = 0; at < bytes.length; ) {
    const piece = bytes.subarray(at, at + pieceBytes);
    const samples = await decode(piece);
    at += piece.length;
    if (samples > denseSamplesPerByte * piece.length) pieceBytes = minPieceBytes;
    else pieceBytes = Math.min(maxPieceBytes, 2 * pieceBytes);
    sinceTurn += piece.length;
    if (sinceTurn >= 1 << 17) {
      sinceTurn = 0;
      await turn();
    }
    throwIfAborted(signal);
  }
}
