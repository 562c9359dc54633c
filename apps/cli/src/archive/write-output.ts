import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rm, stat } from "node:fs/promises";

/** Writes pieces to a file or, for `-`, to standard output, waiting for the reader. A file that fails halfway is removed. */
export async function writeOutput(output: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const out = output === "-" ? process.stdout : createWriteStream(output);
  // A file that cannot be opened is refused here, and left as it was.
  if (output !== "-") {
    await once(out, "open");
    // Each write reports its own error.
    out.on("error", () => {});
  }
  const write = (bytes: Uint8Array) =>
    new Promise<void>((resolve, reject) => out.write(bytes, (error) => (error ? reject(error) : resolve())));
  try {
    for await (const piece of pieces) await write(piece);
    if (output !== "-") {
      await new Promise<void>((resolve, reject) =>
        out.end((error?: Error | null) => (error ? reject(error) : resolve())),
      );
    }
  } catch (error) {
    // Never a device or a pipe.
    if (output !== "-" && (await stat(output)).isFile()) await rm(output, { force: true });
    throw error;
  }
}
