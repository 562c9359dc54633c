import { printResult } from "../output.ts";
import { withArchive } from "./with-archive.ts";

export interface RepairCommandOptions {
  readonly dropParts?: boolean;
  readonly reprove?: boolean;
  readonly compact?: boolean;
  readonly json?: boolean;
}

/** `longwave archive repair STORE [ID]`. */
export async function repair(
  store: string,
  id: string | undefined,
  options: RepairCommandOptions,
): Promise<void> {
  const rewritten: string[] = [];
  const found = await withArchive(
    store,
    async (archive) => {
      const result = await archive.repair({ dropParts: options.dropParts === true });
      if (options.reprove === true || options.compact === true) {
        const ids =
          id === undefined ? (await archive.list(undefined, () => {})).map((info) => info.id) : [id];
        for (const each of ids) {
          await archive.rewrite(each);
          rewritten.push(each);
        }
      }
      await archive.consolidate();
      return result;
    },
    { mustExist: true },
  );
  if (found.damaged.length > 0) process.exitCode = 5;
  const report = { ...found, rewritten };
  printResult(options.json === true, report, () => [
    `${report.finished.length} live recordings finished, ${report.deleted.length} leftovers removed, ${report.hashesMended} look-ups mended.`,
    ...report.finished.map((id) => `  finished ${id}`),
    ...report.rewritten.map((each) => `  proven anew and compacted ${each}`),
    ...report.damaged.map((each) => `  cannot mend ${each}: restore rec/${each}/zarr.json from a copy`),
    ...report.parts.map(
      (id) => `  interrupted import ${id}: import the same file with --resume, or repair with --drop-parts`,
    ),
  ]);
}
