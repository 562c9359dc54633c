import { verifyCatalog } from "@longwave/catalog";
import { printLine } from "../output.ts";
import { isDatabase, localStore, openDatabase, openLocal } from "./open-catalog.ts";

/** Exit code of a verification that found damage. */
const damagedExitCode = 5;

interface MaintainOptions {
  readonly catalog: string;
  readonly json?: boolean;
}

/** `longwave id compact`: journal and segments become one segment. */
export async function compact(options: MaintainOptions): Promise<void> {
  if (isDatabase(options.catalog)) return compactDatabase(options);
  await using catalog = await openLocal(options.catalog, "compact");
  const before = catalog.storage;
  await catalog.compact();
  const after = catalog.storage;
  if (options.json === true) printLine(JSON.stringify({ before, after, postings: catalog.postings }));
  else {
    printLine(
      `${before.segments} segments and ${before.journalEntries} journal entries became ${after.segments} segment of ` +
        `${after.segmentBytes} bytes with ${catalog.postings} hashes.`,
    );
  }
}

/** `longwave id verify`: reads every byte and checks every checksum. */
export async function verify(options: MaintainOptions): Promise<void> {
  if (isDatabase(options.catalog)) return verifyDatabase(options);
  const report = await verifyCatalog(localStore(options.catalog, "verify"));
  if (options.json === true) printLine(JSON.stringify(report));
  else {
    for (const problem of report.problems) printLine(problem);
    const { segments, blocks, postings, journalEntries, orphans } = report;
    printLine(
      `${report.ok ? "Sound" : "Damaged"}: ${segments} segments, ${blocks} blocks, ${postings} hashes, ` +
        `${journalEntries} journal entries, ${orphans.length} left-over objects.`,
    );
  }
  if (!report.ok) process.exitCode = damagedExitCode;
}

async function compactDatabase({ catalog: place, json }: MaintainOptions): Promise<void> {
  await using catalog = await openDatabase(place);
  const before = await catalog.verify();
  await catalog.compact();
  const after = await catalog.verify();
  if (json === true) printLine(JSON.stringify({ before, after, postings: after.postings }));
  else
    printLine(
      `${before.rows} rows became ${after.rows} with ${after.postings} hashes of ${after.tracks} tracks.`,
    );
}

async function verifyDatabase({ catalog: place, json }: MaintainOptions): Promise<void> {
  await using catalog = await openDatabase(place, { readOnly: true });
  const report = await catalog.verify();
  if (json === true) printLine(JSON.stringify(report));
  else {
    for (const problem of report.problems) printLine(problem);
    const { ok, tracks, rows, postings } = report;
    printLine(`${ok ? "Sound" : "Damaged"}: ${tracks} tracks, ${rows} rows, ${postings} hashes.`);
  }
  if (!report.ok) process.exitCode = damagedExitCode;
}
