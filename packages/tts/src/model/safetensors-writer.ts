import { TtsError } from "../errors.ts";

/** A tensor to be written: 32-bit floats, 64-bit integers given as numbers, or bfloat16 bits. */
export type WritableTensor =
  | { readonly dtype: "F32"; readonly shape: readonly number[]; readonly data: Float32Array }
  | { readonly dtype: "BF16"; readonly shape: readonly number[]; readonly data: Uint16Array }
  | { readonly dtype: "I64"; readonly shape: readonly number[]; readonly data: readonly number[] };

/**
 * Serialises tensors in the given order. The header is padded with spaces to a multiple of 8, so that all data that can be
 * aligned is.
 * @throws TtsError `tts/tensor-invalid` where a shape and its data disagree
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, WritableTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header["__metadata__"] = metadata;
  let dataBytes = 0;
  for (const [name, tensor] of tensors) {
    const elements = tensor.shape.reduce((product, size) => product * size, 1);
    if (elements !== tensor.data.length) {
      throw new TtsError(
        "tts/tensor-invalid",
        `Tensor "${name}" of shape [${tensor.shape}] needs ${elements} values, has ${tensor.data.length}.`,
      );
    }
    const byteLength = elements * (tensor.dtype === "I64" ? 8 : tensor.dtype === "BF16" ? 2 : 4);
    header[name] = {
      dtype: tensor.dtype,
      shape: tensor.shape,
      data_offsets: [dataBytes, dataBytes + byteLength],
    };
    dataBytes += byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const headerBytes = (text.length + 7) & ~7;
  const file = new Uint8Array(8 + headerBytes + dataBytes);
  const view = new DataView(file.buffer);
  view.setUint32(0, headerBytes, true);
  file.fill(0x20, 8, 8 + headerBytes);
  file.set(text, 8);
  let at = 8 + headerBytes;
  for (const tensor of tensors.values()) {
    if (tensor.dtype === "I64") {
      for (const value of tensor.data) {
        view.setUint32(at, value >>> 0, true);
        view.setInt32(at + 4, Math.floor(value / 2 ** 32), true);
        at += 8;
      }
    } else {
      const { buffer, byteOffset, byteLength } = tensor.data;
      file.set(new Uint8Array(buffer, byteOffset, byteLength), at);
      at += byteLength;
    }
  }
  return file;
}
