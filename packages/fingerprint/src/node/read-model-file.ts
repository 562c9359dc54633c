import { readFile, stat } from "node:fs/promises";
import { NeuralError } from "../neural/errors.ts";

/** The bytes of a model for `OnnxModel.load`. @throws NeuralError `neural/model-missing` */
export async function readModelFile(path: string): Promise<Uint8Array> {
  try {
    if ((await stat(path)).isFile()) return new Uint8Array(await readFile(path));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const what = code === "ENOENT" ? "does not exist" : `cannot be read (${code})`;
    throw new NeuralError("neural/model-missing", `The model ${path} ${what}; name the .onnx file.`, {
      cause,
    });
  }
  throw new NeuralError("neural/model-missing", `The model ${path} is no file; name the .onnx file.`);
}
