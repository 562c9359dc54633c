import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";

/** Writes pieces to a file or, for `-`, to standard output, waiting for the reader. A file that fails halfway is removed. */
export async function writeOutput(output: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const out = output === "-" ? process.stdout : createWriteStream(output);
  const write = (bytes: Uint8Array) =>
    new Promise<void>((resolve, reject) => out.write(bytes, (error) => (error ? reject(error) : resolve())));
  try {
    for await (const piece of pieces) await write(piece);
    if (output !== "-") await new Promise<void>((resolve) => out.end(resolve));
  } catch (error) {
    if (output !== "-") await rm(output, { force: true });
    throw error;
  }
}
