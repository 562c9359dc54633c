import { timeAxis } from "@longwave/archive";
import { printLine } from "../output.ts";
import { bitrateBps, indexShare, lengthText, startOf, startText } from "./format.ts";
import { parseTimeNs } from "./position.ts";
import { withArchive } from "./with-archive.ts";

/** A little more than a sample lasts. */
const oneSampleNs = 20_834n;

/** `longwave archive ls STORE`: one line (or JSON object) a recording. */
export async function list(store: string, options: { json?: boolean; at?: string }): Promise<void> {
  const at = options.at === undefined ? undefined : parseTimeNs(options.at);
  await withArchive(
    store,
    async (archive) => {
      const infos = await archive.list(undefined, (_, error) => {
        process.exitCode = 3;
        process.stderr.write(`longwave: ${error.message} (${error.code})\n`);
      });
      for (const info of infos) {
        if (at !== undefined && timeAxis(info).rangesBetween(at, at + oneSampleNs).length === 0) continue;
        if (options.json === true) {
          const { id, state, frames, channels, counts } = info;
          printLine(
            JSON.stringify({
              id,
              state,
              seconds: frames / 48_000,
              frames,
              channels,
              start: startOf(info) ?? null,
              startSource: info.start?.source ?? null,
              startZoneAssumed: info.start?.zoneAssumed ?? null,
              counts,
            }),
          );
          continue;
        }
        const rate = `${(bitrateBps(info) / 1000).toFixed(1)} kbit/s`;
        const share = `index ${indexShare(info).toFixed(2)} %`;
        printLine(
          [
            info.id,
            lengthText(info.frames),
            startText(info),
            rate,
            share,
            info.source.name ?? "",
            info.source.truncated === true ? "(truncated)" : "",
          ]
            .join("  ")
            .trimEnd(),
        );
      }
    },
    { mustExist: true },
  );
}
