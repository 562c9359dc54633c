import { printLine } from "../output.ts";
import { bitrateBps, indexShare, lengthText, startText } from "./format.ts";
import { withArchive } from "./with-archive.ts";

/** `longwave archive ls STORE`: one line (or JSON object) a recording. */
export async function list(store: string, options: { json?: boolean }): Promise<void> {
  await withArchive(
    store,
    async (archive) => {
      for (const info of await archive.list()) {
        if (options.json === true) {
          const { id, state, frames, channels, counts } = info;
          printLine(
            JSON.stringify({
              id,
              state,
              seconds: frames / 48_000,
              frames,
              channels,
              start: startText(info),
              counts,
            }),
          );
          continue;
        }
        const rate = `${(bitrateBps(info) / 1000).toFixed(1)} kbit/s`;
        const share = `index ${indexShare(info).toFixed(2)} %`;
        printLine(
          [info.id, lengthText(info.frames), startText(info), rate, share, info.source.name ?? ""]
            .join("  ")
            .trimEnd(),
        );
      }
    },
    { mustExist: true },
  );
}
