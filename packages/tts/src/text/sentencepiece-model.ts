import { TtsError } from "../errors.ts";
import { ProtobufReader } from "./protobuf-reader.ts";

/** What a piece is for, by the numbers of the file format. */
export const pieceType = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** One entry of the vocabulary; its id is its index. */
export interface Piece {
  readonly text: string;
  readonly score: number;
  readonly type: number;
}

/** The parts of a SentencePiece model file that encoding and decoding need. */
export interface SentencePieceModel {
  readonly pieces: readonly Piece[];
  readonly byteFallback: boolean;
  readonly unknownSurface: string;
  readonly charsmap: Uint8Array;
  readonly addDummyPrefix: boolean;
  readonly removeExtraWhitespaces: boolean;
  readonly escapeWhitespaces: boolean;
}

/** Most pieces that a model may have; the published ones have 4,000. */
const maxPieces = 1_000_000;

/**
 * Parses a SentencePiece model (protobuf `ModelProto`, sentencepiece_model.proto).
 * @throws TtsError `tts/tokenizer-unsupported` for a file that is damaged or not a unigram model
 */
export function parseSentencePieceModel(file: Uint8Array): SentencePieceModel {
  try {
    return parse(file);
  } catch (cause) {
    if (cause instanceof TtsError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TtsError("tts/tokenizer-unsupported", `The tokenizer is not a SentencePiece model: ${reason}`, {
      cause,
    });
  }
}

function parse(file: Uint8Array): SentencePieceModel {
  const pieces: Piece[] = [];
  let modelType = 1;
  let byteFallback = false;
  let unknownSurface = " \u2047 ";
  let charsmap: Uint8Array = new Uint8Array(0);
  let addDummyPrefix = true;
  let removeExtraWhitespaces = true;
  let escapeWhitespaces = true;
  const reader = new ProtobufReader(file);
  while (reader.next()) {
    if (reader.field === 1) {
      if (pieces.length >= maxPieces) throw new RangeError(`more than ${maxPieces} pieces.`);
      pieces.push(parsePiece(new ProtobufReader(reader.bytes())));
    } else if (reader.field === 2) {
      const trainer = new ProtobufReader(reader.bytes());
      while (trainer.next()) {
        if (trainer.field === 3 && trainer.wireType === 0) modelType = trainer.varint();
        else if (trainer.field === 35 && trainer.wireType === 0) byteFallback = trainer.varint() !== 0;
        else if (trainer.field === 44) unknownSurface = new TextDecoder().decode(trainer.bytes());
        else trainer.skip();
      }
    } else if (reader.field === 3) {
      const normalizer = new ProtobufReader(reader.bytes());
      while (normalizer.next()) {
        if (normalizer.field === 2) charsmap = normalizer.bytes().slice();
        else if (normalizer.field === 3 && normalizer.wireType === 0)
          addDummyPrefix = normalizer.varint() !== 0;
        else if (normalizer.field === 4 && normalizer.wireType === 0)
          removeExtraWhitespaces = normalizer.varint() !== 0;
        else if (normalizer.field === 5 && normalizer.wireType === 0)
          escapeWhitespaces = normalizer.varint() !== 0;
        else normalizer.skip();
      }
    } else reader.skip();
  }
  if (modelType !== 1) {
    throw new TtsError(
      "tts/tokenizer-unsupported",
      `The tokenizer is of model type ${modelType}; only unigram (1) is supported.`,
    );
  }
  if (pieces.length === 0) throw new RangeError("it has no pieces.");
  return {
    pieces,
    byteFallback,
    unknownSurface,
    charsmap,
    addDummyPrefix,
    removeExtraWhitespaces,
    escapeWhitespaces,
  };
}

function parsePiece(reader: ProtobufReader): Piece {
  let text = "";
  let score = 0;
  let type: number = pieceType.normal;
  while (reader.next()) {
    if (reader.field === 1) text = new TextDecoder().decode(reader.bytes());
    else if (reader.field === 2) score = reader.float();
    else if (reader.field === 3 && reader.wireType === 0) type = reader.varint();
    else reader.skip();
  }
  return { text, score, type };
}
