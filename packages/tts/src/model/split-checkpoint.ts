import { TtsError } from "../errors.ts";
import type { ByteSource } from "./byte-source.ts";
import { SafetensorsFile, type TensorInfo } from "./safetensors.ts";

/** A tensor of the joined file: bytes of a part as they are, or bytes made of two of its tensors. */
interface Piece {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly byteLength: number;
  readonly read: (target: Uint8Array, offset: number) => void;
}

const flowLmNames: Readonly<Record<string, string>> = {
  "condition_provider.conditioners.transcript_in_segment.embed.weight": "conditioner.embed.weight",
  "condition_provider.conditioners.speaker_wavs.output_proj.weight": "speaker_proj_weight",
  "fuser.padding_value": "bos_before_voice",
};

/**
 * Joins a checkpoint in two files, as training writes it (language model, Mimi), into one file under the names of the published models: renamed,
 * without what speaking does not need, weight norms folded (w = g v / |v| for each first index). Nothing is copied but the folded ones.
 *
 * Source: pocket-tts 2.1.0, utils/weights_loading.py.
 * @throws TtsError `tts/model-malformed`
 */
export function joinCheckpoint(flowLm: ByteSource, mimi: ByteSource, label = "split checkpoint"): ByteSource {
  const pieces = new Map<string, Piece>();
  const add = (piece: Piece) => {
    if (pieces.has(piece.name)) {
      throw new TtsError(
        "tts/model-malformed",
        `${label}: two tensors become "${piece.name.slice(0, 120)}".`,
      );
    }
    pieces.set(piece.name, piece);
  };
  const language = SafetensorsFile.open(flowLm, `${label}, language model`);
  for (const info of language.tensors.values()) {
    const name = flowLmName(info.name);
    if (name !== undefined) add(copied(flowLm, info, `flow_lm.${name}`));
  }
  const sound = SafetensorsFile.open(mimi, `${label}, Mimi`);
  for (const info of sound.tensors.values()) {
    const name = mimiName(info.name);
    if (name === undefined) continue;
    if (info.name.endsWith(".weight_g")) add(folded(sound, info, `mimi.${name}`));
    else add(copied(mimi, info, `mimi.${name}`));
  }
  return new JoinedSource([...pieces.values()]);
}

function flowLmName(name: string): string | undefined {
  if (name.startsWith("flow.w_s_t.") || name.endsWith("learnt_padding") || name === "num_ema_updates") {
    return undefined;
  }
  return (flowLmNames[name] ?? name).replace(".self_attn.in_proj_weight", ".self_attn.in_proj.weight");
}

function mimiName(name: string): string | undefined {
  const isTraining =
    name.startsWith("model.quantizer.vq.") ||
    name.includes("_codebook") ||
    name.includes("wavlm") ||
    name.includes("quantizer.logvar") ||
    name.endsWith(".weight_v");
  if (isTraining) return undefined;
  return name
    .replace(/^model\./, "")
    .replace(/\.weight_g$/, ".weight")
    .replaceAll(".conv.conv.", ".conv.")
    .replaceAll(".convtr.convtr.", ".convtr.")
    .replace("in_proj_weight", "in_proj.weight");
}

function copied(source: ByteSource, info: TensorInfo, name: string): Piece {
  const { dtype, shape, byteLength } = info;
  return {
    name,
    dtype,
    shape,
    byteLength,
    read: (target, offset) => source.readInto(target, info.offset + offset),
  };
}

function folded(file: SafetensorsFile, gain: TensorInfo, name: string): Piece {
  const direction = file.info(gain.name.replace(/_g$/, "_v"));
  const rows = direction.shape[0] ?? 0;
  if (gain.elements !== rows || rows === 0) {
    throw new TtsError(
      "tts/model-malformed",
      `"${gain.name.slice(0, 120)}" has ${gain.elements} gains for ${rows} rows.`,
    );
  }
  const gains = file.floats(gain.name);
  const values = file.floats(direction.name);
  const length = values.length / rows;
  for (let row = 0; row < rows; row++) {
    let squares = 0;
    for (let i = row * length; i < (row + 1) * length; i++) squares += values[i]! * values[i]!;
    const factor = gains[row]! / Math.sqrt(squares);
    for (let i = row * length; i < (row + 1) * length; i++) values[i]! *= factor;
  }
  const bytes = new Uint8Array(values.buffer);
  return {
    name,
    dtype: "F32",
    shape: direction.shape,
    byteLength: bytes.length,
    read: (target, offset) => target.set(bytes.subarray(offset, offset + target.length)),
  };
}

/** A safetensors file that exists only where it is read. */
class JoinedSource implements ByteSource {
  readonly byteLength: number;
  readonly #head: Uint8Array;
  readonly #pieces: readonly Piece[];
  /** Where each piece starts, and where the last ends. */
  readonly #starts: readonly number[];

  constructor(pieces: readonly Piece[]) {
    const header: Record<string, unknown> = {};
    const starts = [0];
    for (const { name, dtype, shape, byteLength } of pieces) {
      const begin = starts.at(-1)!;
      header[name] = { dtype, shape, data_offsets: [begin, begin + byteLength] };
      starts.push(begin + byteLength);
    }
    const json = new TextEncoder().encode(JSON.stringify(header));
    this.#head = new Uint8Array(8 + json.length);
    new DataView(this.#head.buffer).setUint32(0, json.length, true);
    this.#head.set(json, 8);
    this.#pieces = pieces;
    this.#starts = starts.map((start) => start + this.#head.length);
    this.byteLength = this.#starts.at(-1)!;
  }

  readInto(target: Uint8Array, offset: number): void {
    if (offset < 0 || offset + target.length > this.byteLength) {
      throw new RangeError(`Bytes ${offset}..${offset + target.length} are outside ${this.byteLength}.`);
    }
    let done = Math.max(0, Math.min(target.length, this.#head.length - offset));
    target.set(this.#head.subarray(offset, offset + done));
    let index = this.#pieceAt(offset + done);
    while (done < target.length) {
      const start = this.#starts[index]!;
      const from = offset + done - start;
      const count = Math.min(target.length - done, this.#starts[index + 1]! - start - from);
      if (count > 0) this.#pieces[index]!.read(target.subarray(done, done + count), from);
      done += count;
      index++;
    }
  }

  /** The last piece that starts at or before a byte. */
  #pieceAt(offset: number): number {
    let low = 0;
    let high = this.#pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
