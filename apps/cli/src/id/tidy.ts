import type { AnyCatalog } from "./open-catalog.ts";

/** Changes that may be left to be read one by one when a catalog is opened. */
const mostLooseChanges = 500;
/** The same while many are made: opening after a kill reads so many, and a segment is not worth writing for fewer. */
export const mostChangesUnderWay = 2000;
/** Segments beside each other before they become one; a search asks all of them. */
const mostSegments = 8;

/** Writes a segment where more than `most` changes wait in the journal. A database has neither. */
export async function tidy(catalog: AnyCatalog, most: number = mostLooseChanges): Promise<void> {
  if (!("storage" in catalog) || catalog.storage.journalEntries <= most) return;
  await catalog.compact({ merge: catalog.storage.segments >= mostSegments });
}
