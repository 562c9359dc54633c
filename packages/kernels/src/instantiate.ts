import { decodeBase64 } from "./base64.ts";
import { inflate } from "./inflate.ts";
import { KernelError } from "./kernel-error.ts";

/**
 * The WASM binary inside the text of a generated module: base64 of the size as u32 little-endian, then the binary as
 * a raw DEFLATE stream. Base64 of a binary as it is (it begins with `\0asm`) is taken too.
 *
 * @throws KernelError `kernels/corrupt` where the text is damaged
 */
export function decodeCore(base64: string): Uint8Array<ArrayBuffer> {
  const bytes = decodeBase64(base64);
  if (bytes[0] === 0 && bytes[1] === 0x61 && bytes[2] === 0x73 && bytes[3] === 0x6d) return bytes;
  const size = bytes.length < 4 ? 0 : new DataView(bytes.buffer).getUint32(0, true);
  if (size > maxCoreBytes) {
    throw new KernelError(
      "kernels/corrupt",
      "malformed",
      `The inlined core claims ${size} bytes, more than ${maxCoreBytes}. Install the package again.`,
    );
  }
  return inflateNatively(bytes.subarray(4), size) ?? inflate(bytes.subarray(4), size);
}

/** What Node >= 20.16 offers without an import; it saves the milliseconds that our own decoder takes before it is warm. */
interface NodeProcess {
  getBuiltinModule?(name: "node:zlib"): { inflateRawSync(bytes: Uint8Array): Uint8Array } | undefined;
}

/** The same bytes as `inflate`, or undefined where the host has nothing or finds the stream broken. */
function inflateNatively(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> | undefined {
  const host = (globalThis as { process?: NodeProcess }).process;
  try {
    const output = host?.getBuiltinModule?.("node:zlib")?.inflateRawSync(bytes);
    return output?.length === size ? new Uint8Array(output) : undefined;
  } catch {
    return undefined;
  }
}

/** Far above any core of ours; keeps a damaged size from allocating. */
const maxCoreBytes = 2 ** 24;

/**
 * Instantiates a core synchronously. Cores import nothing and never grow their memory, so views made once stay valid
 * for the life of the instance.
 *
 * @param base64 the text of the generated module
 * @throws KernelError `kernels/unsupported` where the engine has no WebAssembly SIMD, `kernels/corrupt` where the text
 * is damaged
 */
export function instantiateCore<Exports extends object>(
  base64: string,
): Exports & { memory: WebAssembly.Memory } {
  const bytes = decodeCore(base64);
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
