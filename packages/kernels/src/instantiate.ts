import { LongwaveError } from "@longwave/base";

/** A WASM core could not be started on this engine. */
export class KernelError extends LongwaveError {
  override readonly name = "KernelError";
}

/**
 * Turns the inlined base64 text of a core into bytes. Works in Node, browsers, workers and AudioWorklets (which have
 * no `atob`), so the decoder is our own.
 */
export function decodeBase64(text: string): Uint8Array {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let at = 0;
  let bits = 0;
  let bitCount = 0;
  for (let i = 0; i < text.length - padding; i++) {
    bits = (bits << 6) | base64Value(text.charCodeAt(i));
    bitCount += 6;
    if (bitCount >= 8) {
      bitCount -= 8;
      bytes[at++] = bits >> bitCount;
      bits &= (1 << bitCount) - 1;
    }
  }
  return bytes;
}

function base64Value(code: number): number {
  if (code >= 97) return code - 71;
  if (code >= 65) return code - 65;
  if (code >= 48) return code + 4;
  return code === 43 ? 62 : 63;
}

/**
 * Instantiates a core synchronously. Cores import nothing and never grow their memory, so views made once stay valid
 * for the life of the instance.
 *
 * @param base64 the text of the generated module
 * @throws KernelError `kernels/unsupported` where the engine has no WebAssembly SIMD
 */
export function instantiateCore<Exports extends object>(
  base64: string,
): Exports & { memory: WebAssembly.Memory } {
  const bytes = decodeBase64(base64) as Uint8Array<ArrayBuffer>;
  let module: WebAssembly.Module;
  try {
    module = new WebAssembly.Module(bytes);
  } catch (cause) {
    throw new KernelError(
      "kernels/unsupported",
      "unsupported",
      "This JavaScript engine cannot run WebAssembly with SIMD128; use Node 20.19 or a browser of 2021 or later.",
      { cause },
    );
  }
  return new WebAssembly.Instance(module).exports as unknown as Exports & { memory: WebAssembly.Memory };
}
