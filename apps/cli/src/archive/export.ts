import { type Archive, oggPages } from "@longwave/archive";
import { writeWav } from "./extract.ts";
import { withArchive } from "./with-archive.ts";
import { writeOutput } from "./write-output.ts";

/** `longwave archive export STORE ID`: the whole recording. */
export async function exportRecording(
  store: string,
  id: string,
  options: { output: string; format: string },
): Promise<void> {
  await withArchive(
    store,
    async (archive) => {
      if (options.format === "wav") {
        const { frames } = await archive.info(id);
        await writeWav(archive, id, { start: 0, end: frames }, options.output, "s16");
      } else if (options.format === "packets") await writeOutput(options.output, framed(archive, id));
      else await writeOutput(options.output, oggPages(await archive.info(id), archive.packets(id)));
    },
    { mustExist: true },
  );
}

/** u32 big-endian length and bytes; a loss is a length of 0 per piece. */
async function* framed(archive: Archive, id: string): AsyncGenerator<Uint8Array> {
  for await (const item of archive.packets(id)) {
    if (item.type === "segment") continue;
    const data = item.type === "packet" ? item.data : new Uint8Array(0);
    const bytes = new Uint8Array(4 + data.length);
    new DataView(bytes.buffer).setUint32(0, data.length);
    bytes.set(data, 4);
    yield bytes;
  }
}
