import { openReplacement } from "../replace-file.ts";

/** Writes pieces to a file or, for `-`, to standard output, waiting for the reader. A file that fails halfway is as it was before. */
export async function writeOutput(output: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  if (output === "-") {
    for await (const piece of pieces) await written(piece);
    return;
  }
  const replacement = await openReplacement(output);
  try {
    for await (const piece of pieces) await replacement.file.writeFile(piece);
    await replacement.commit();
  } finally {
    await replacement.discard();
  }
}

function written(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) =>
    process.stdout.write(bytes, (error) => (error ? reject(error) : resolve())),
  );
}
