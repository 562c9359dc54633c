import { openOpusSource } from "@longwave/archive";
import { printResult, progress } from "../output.ts";
import { lengthText } from "./format.ts";
import { type InputOptions, openInput } from "./open-input.ts";
import { withArchive } from "./with-archive.ts";

/** `longwave archive append STORE ID FILE`: the file becomes a new segment of the recording. */
export async function append(
  store: string,
  id: string,
  file: string,
  options: InputOptions & { takeOver?: boolean; json?: boolean },
): Promise<void> {
  await withArchive(
    store,
    async (archive) => {
      const before = await archive.info(id);
      // Standard input may go on for days: what came is readable at once.
      const isLive = file === "-" && options.framing === undefined;
      const source = isLive
        ? await openOpusSource(process.stdin)
        : await (await openInput(file, options)).open();
      const writer = await archive.append(id, {
        takeOver: options.takeOver === true,
        live: isLive && before.v2Twin !== true,
      });
      try {
        for await (const item of source.items()) await writer.push(item);
      } catch (error) {
        writer.abandon();
        throw error;
      }
      const info = await writer.close();
      await archive.consolidate();
      progress(`${file}: ${lengthText(info.frames - before.frames)} appended`);
      printResult(options.json === true, info, () => [
        `${id}: ${lengthText(info.frames)}, ${info.segments.length} segments`,
      ]);
    },
    { mustExist: true },
  );
}
