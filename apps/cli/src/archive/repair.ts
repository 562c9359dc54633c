import { printResult } from "../output.ts";
import { withArchive } from "./with-archive.ts";

/** `longwave archive repair STORE`. */
export async function repair(store: string, options: { dropParts?: boolean; json?: boolean }): Promise<void> {
  const report = await withArchive(
    store,
    async (archive) => {
      const result = await archive.repair({ dropParts: options.dropParts === true });
      await archive.consolidate();
      return result;
    },
    { mustExist: true },
  );
  printResult(options.json === true, report, () => [
    `${report.finished.length} live recordings finished, ${report.deleted.length} leftovers removed, ${report.hashesMended} look-ups mended.`,
    ...report.finished.map((id) => `  finished ${id}`),
    ...report.parts.map(
      (id) => `  interrupted import ${id}: import the same file with --resume, or repair with --drop-parts`,
    ),
  ]);
}
