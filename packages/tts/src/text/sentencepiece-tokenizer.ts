import { TtsError } from "../errors.ts";
import { CharacterMap } from "./character-map.ts";
import { parseSentencePieceModel, pieceType, type SentencePieceModel } from "./sentencepiece-model.ts";

const spaceSymbol = "\u2581";
const spaceSymbolBytes = [0xe2, 0x96, 0x81];
/** How far an unknown character scores below the worst piece (sentencepiece `kUnkPenalty`). */
const unknownPenalty = 10;

interface TrieNode {
  readonly children: Map<number, TrieNode>;
  id: number;
}

/**
 * SentencePiece unigram tokenizer: normalisation by the file's character map, Viterbi over single-precision sums where ties
 * keep the first path, byte fallback, and decoding. Same ids as the reference implementation.
 */
export class SentencePieceTokenizer {
  readonly #model: SentencePieceModel;
  readonly #map: CharacterMap | undefined;
  readonly #trie: TrieNode = { children: new Map(), id: -1 };
  readonly #userDefined: TrieNode = { children: new Map(), id: -1 };
  readonly #byteIds = new Int32Array(256).fill(-1);
  readonly #unknownId: number;
  readonly #highest: number;
  readonly #unknownScore: number;

  /** @throws TtsError `tts/tokenizer-unsupported` for a damaged file, or any model type but unigram */
  constructor(file: Uint8Array) {
    this.#model = parseSentencePieceModel(file);
    const encoder = new TextEncoder();
    let lowest = Number.POSITIVE_INFINITY;
    let highest = Number.NEGATIVE_INFINITY;
    let unknownId = -1;
    for (const [id, piece] of this.#model.pieces.entries()) {
      if (piece.type === pieceType.byte) {
        const byte = /^<0x([0-9A-F]{2})>$/.exec(piece.text)?.[1];
        if (byte !== undefined) this.#byteIds[Number.parseInt(byte, 16)] = id;
      } else if (piece.type === pieceType.unknown) unknownId = id;
      else if (piece.type === pieceType.normal || piece.type === pieceType.userDefined) {
        const bytes = encoder.encode(piece.text);
        insert(this.#trie, bytes, id);
        if (piece.type === pieceType.userDefined) insert(this.#userDefined, bytes, id);
      }
      if (piece.type === pieceType.normal) {
        lowest = Math.min(lowest, piece.score);
        highest = Math.max(highest, piece.score);
      }
    }
    if (unknownId < 0 || !Number.isFinite(lowest)) {
      throw new TtsError(
        "tts/tokenizer-unsupported",
        "The tokenizer has no unknown piece or no finite scores.",
      );
    }
    if (this.#model.byteFallback && this.#byteIds.includes(-1)) {
      throw new TtsError(
        "tts/tokenizer-unsupported",
        "The tokenizer wants byte fallback but lacks byte pieces.",
      );
    }
    this.#unknownId = unknownId;
    this.#highest = highest;
    this.#unknownScore = Math.fround(lowest - unknownPenalty);
    try {
      this.#map = this.#model.charsmap.length > 0 ? new CharacterMap(this.#model.charsmap) : undefined;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new TtsError("tts/tokenizer-unsupported", `The tokenizer's normaliser is damaged: ${reason}`, {
        cause,
      });
    }
  }

  /** Number of pieces; ids are in [0, size). */
  get size(): number {
    return this.#model.pieces.length;
  }

  /** Text to ids, without begin or end tokens. Lone surrogates count as U+FFFD. */
  encode(text: string): number[] {
    const bytes = this.#normalize(new TextEncoder().encode(text));
    if (bytes.length === 0) return [];
    const count = bytes.length;
    const startOf = new Int32Array(count + 1).fill(-1);
    const idAt = new Int32Array(count + 1);
    const score = new Float32Array(count + 1);
    for (let start = 0; start < count; ) {
      const length = Math.min(characterLength(bytes[start]!), count - start);
      let hasSingle = false;
      const before = score[start]!;
      let node: TrieNode | undefined = this.#trie;
      for (let end = start + 1; end <= count; end++) {
        node = node.children.get(bytes[end - 1]!);
        if (node === undefined) break;
        if (node.id < 0) continue;
        const piece = this.#model.pieces[node.id]!;
        const own =
          piece.type === pieceType.userDefined
            ? Math.fround((end - start) * this.#highest - 0.1)
            : piece.score;
        const candidate = Math.fround(own + before);
        if (startOf[end] === -1 || candidate > score[end]!) {
          score[end] = candidate;
          startOf[end] = start;
          idAt[end] = node.id;
        }
        if (end - start === length) hasSingle = true;
      }
      if (!hasSingle) {
        const end = start + length;
        const candidate = Math.fround(this.#unknownScore + before);
        if (startOf[end] === -1 || candidate > score[end]!) {
          score[end] = candidate;
          startOf[end] = start;
          idAt[end] = this.#unknownId;
        }
      }
      start += length;
    }
    return this.#collect(bytes, startOf, idAt);
  }

  /**
   * Ids back to text: control pieces vanish, unknown ones become the model's unknown surface, runs of byte pieces are joined
   * as UTF-8, the dummy space at the start is removed.
   * @throws TtsError `tts/tensor-invalid` for an id outside [0, size)
   */
  decode(ids: readonly number[]): string {
    const { pieces, addDummyPrefix, removeExtraWhitespaces, unknownSurface } = this.#model;
    let text = "";
    let run: number[] = [];
    let atStart = true;
    let sawStartSpace = false;
    for (const id of ids) {
      const piece = pieces[id];
      if (piece === undefined) {
        throw new TtsError(
          "tts/tensor-invalid",
          `Token id ${id} is outside the vocabulary of ${pieces.length}.`,
        );
      }
      if (piece.type === pieceType.byte) {
        run.push(Number.parseInt(piece.text.slice(3, 5), 16));
        continue;
      }
      text += decodeUtf8(run);
      run = [];
      if (sawStartSpace || text !== "") atStart = false;
      if (piece.type === pieceType.control) continue;
      if (piece.type === pieceType.unknown) {
        text += unknownSurface;
        continue;
      }
      let surface = piece.text;
      if (atStart && (addDummyPrefix || removeExtraWhitespaces) && surface.startsWith(spaceSymbol)) {
        surface = surface.slice(1);
        sawStartSpace = !removeExtraWhitespaces;
      }
      text += surface.replaceAll(spaceSymbol, " ");
    }
    return text + decodeUtf8(run);
  }

  #collect(bytes: Uint8Array, startOf: Int32Array, idAt: Int32Array): number[] {
    const ids: number[] = [];
    for (let end = bytes.length; end > 0; end = startOf[end]!) {
      const id = idAt[end]!;
      if (id !== this.#unknownId) ids.push(id);
      else if (this.#model.byteFallback) {
        for (let i = end - 1; i >= startOf[end]!; i--) ids.push(this.#byteIds[bytes[i]!]!);
      } else if (ids.at(-1) !== id) ids.push(id);
    }
    return ids.reverse();
  }

  #normalize(input: Uint8Array): Uint8Array {
    const { addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces } = this.#model;
    const out: number[] = [];
    const pushSpace = () => {
      if (escapeWhitespaces) out.push(...spaceSymbolBytes);
      else out.push(0x20);
    };
    let at = 0;
    if (removeExtraWhitespaces) {
      while (at < input.length) {
        const [from, start, end, length] = this.#prefix(input, at);
        if (end - start !== 1 || from[start] !== 0x20) break;
        at += length;
      }
    }
    if (at >= input.length) return new Uint8Array(0);
    if (addDummyPrefix) pushSpace();
    let afterSpace = removeExtraWhitespaces;
    while (at < input.length) {
      const [from, begin, end, length] = this.#prefix(input, at);
      let start = begin;
      while (afterSpace && start < end && from[start] === 0x20) start++;
      for (let i = start; i < end; i++) {
        if (from[i] === 0x20) pushSpace();
        else out.push(from[i]!);
      }
      if (start < end) afterSpace = from[end - 1] === 0x20;
      if (!removeExtraWhitespaces) afterSpace = false;
      at += length;
    }
    let count = out.length;
    if (removeExtraWhitespaces) {
      const width = escapeWhitespaces ? 3 : 1;
      const isSpace = (end: number) =>
        escapeWhitespaces
          ? out[end - 3] === 0xe2 && out[end - 2] === 0x96 && out[end - 1] === 0x81
          : out[end - 1] === 0x20;
      while (count >= width && isSpace(count)) count -= width;
    }
    return Uint8Array.from(out.slice(0, count));
  }

  /** What the next piece of input turns into: source bytes, range in them, and how much input it consumes. */
  #prefix(input: Uint8Array, at: number): [from: Uint8Array, start: number, end: number, length: number] {
    let node: TrieNode | undefined = this.#userDefined;
    let matched = 0;
    for (let i = at; i < input.length && node.children.size > 0; i++) {
      node = node.children.get(input[i]!);
      if (node === undefined) break;
      if (node.id >= 0) matched = i + 1 - at;
    }
    if (matched > 0) return [input, at, at + matched, matched];
    const rule = this.#map?.match(input, at);
    if (rule !== undefined) return [this.#map!.replacements, rule.start, rule.end, rule.length];
    const length = Math.min(characterLength(input[at]!), input.length - at);
    return [input, at, at + length, length];
  }
}

function insert(root: TrieNode, bytes: Uint8Array, id: number): void {
  if (bytes.length === 0) return;
  let node = root;
  for (const byte of bytes) {
    let child = node.children.get(byte);
    if (child === undefined) {
      child = { children: new Map(), id: -1 };
      node.children.set(byte, child);
    }
    node = child;
  }
  // The first of equal pieces keeps the name, as in the reference's index.
  if (node.id < 0) node.id = id;
}

function characterLength(lead: number): number {
  return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

function decodeUtf8(bytes: readonly number[]): string {
  return bytes.length === 0
    ? ""
    : new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
}
