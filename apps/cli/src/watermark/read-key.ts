import { readFile } from "node:fs/promises";
import { CliError } from "../errors.ts";

export interface KeyOptions {
  readonly key?: string;
  readonly keyFile?: string;
}

/** The key of `--key`, of `--key-file` (its bytes, without one last line end), or of LONGWAVE_WATERMARK_KEY. */
export async function readKey({ key, keyFile }: KeyOptions): Promise<Uint8Array | string> {
  if (keyFile !== undefined) {
    const bytes = await readFile(keyFile);
    return bytes.subarray(0, bytes.at(-1) === 0x0a ? bytes.length - 1 : bytes.length);
  }
  const text = key ?? process.env["LONGWAVE_WATERMARK_KEY"];
  if (text !== undefined && text !== "") return text;
  throw new CliError(
    "cli/watermark-key",
    "usage",
    "Name the key with --key TEXT, --key-file FILE or LONGWAVE_WATERMARK_KEY.",
  );
}
