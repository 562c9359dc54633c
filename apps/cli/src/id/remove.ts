import { printLine } from "../output.ts";
import { countTracks, openCatalog } from "./open-catalog.ts";

/** `longwave id remove ID...`. */
export async function remove(
  ids: readonly string[],
  options: { catalog: string; json?: boolean },
): Promise<void> {
  await using catalog = await openCatalog(options.catalog);
  for (const id of ids) {
    await catalog.remove(id);
    if (options.json !== true) printLine(`removed ${id}`);
  }
  if (options.json === true) printLine(JSON.stringify({ removed: ids, tracks: await countTracks(catalog) }));
}
