import type { Archive } from "@longwave/archive";
import { printResult } from "../output.ts";
import { withArchive } from "./with-archive.ts";

export interface RepairCommandOptions {
  readonly dropParts?: boolean;
  readonly reprove?: boolean;
  readonly compact?: boolean;
  readonly quick?: boolean;
  readonly json?: boolean;
}

/** A chunk that no repair brings back. */
interface Loss {
  readonly id: string;
  readonly chunk: number | undefined;
  readonly code: string;
  readonly message: string;
}

/** `longwave archive repair STORE [ID]`: exit code 5 where something stays lost. */
export async function repair(
  store: string,
  id: string | undefined,
  options: RepairCommandOptions,
): Promise<void> {
  const rewritten: string[] = [];
  const lost: Loss[] = [];
  const found = await withArchive(
    store,
    async (archive) => {
      const result = await archive.repair({ dropParts: options.dropParts === true });
      const ids = id === undefined ? (await archive.list(undefined, () => {})).map((info) => info.id) : [id];
      const isRewriting = options.reprove === true || options.compact === true;
      for (const each of ids) {
        const losses = options.quick === true && !isRewriting ? [] : await lossesOf(archive, each);
        lost.push(...losses);
        if (!isRewriting || losses.length > 0) continue;
        await archive.rewrite(each);
        rewritten.push(each);
      }
      await archive.consolidate();
      return result;
    },
    { mustExist: true },
  );
  if (found.damaged.length > 0 || lost.length > 0) process.exitCode = 5;
  const report = { ...found, rewritten, lost };
  printResult(options.json === true, report, () => [
    `${report.finished.length} live recordings finished, ${report.deleted.length} leftovers removed, ${report.hashesMended} look-ups mended.`,
    ...report.finished.map((id) => `  finished ${id}`),
    ...report.indexesRebuilt.map((key) => `  index written anew ${key}`),
    ...report.rewritten.map((each) => `  proven anew and compacted ${each}`),
    ...report.damaged.map((each) => `  cannot mend ${each}: restore rec/${each}/zarr.json from a copy`),
    ...report.lost.map((each) => `  lost in ${each.id}: ${each.message}`),
    ...report.parts.map(
      (id) => `  interrupted import ${id}: import the same file with --resume, or repair with --drop-parts`,
    ),
  ]);
}

/** What of a recording cannot be read: every chunk's checksums, presence and form. */
async function lossesOf(archive: Archive, id: string): Promise<Loss[]> {
  const { findings } = await archive.verify(id, "structure");
  return findings.map(({ chunk, code, message }) => ({ id, chunk, code, message }));
}
