/** Builds one package's core into src/generated/, unless a build of the same sources is there. */
export function buildCore(options: {
  packageDirectory: string;
  target?: "release" | "debug";
  force?: boolean;
}): Promise<{ cached: boolean; hash: string; wasmBytes: number; milliseconds: number }>;

/** Compiles and returns the binary without writing anything; the source map comes with the debug target only. */
export function compileCore(
  packageDirectory: string,
  target: "release" | "debug",
): Promise<{ binary: Uint8Array<ArrayBuffer>; sourceMap: string | undefined }>;

/** The text form of a binary, read by `decodeCore`. */
export function encodeCore(binary: Uint8Array): string;
