import { DirectoryStore } from "@longwave/base/node";
import { Catalog } from "@longwave/catalog";

/** `longwave id remove ID...`. */
export async function remove(
  ids: readonly string[],
  options: { catalog: string; json?: boolean },
): Promise<void> {
  await using catalog = await Catalog.open(new DirectoryStore(options.catalog));
  for (const id of ids) {
    await catalog.remove(id);
    if (options.json !== true) console.log(`removed ${id}`);
  }
  if (options.json === true) console.log(JSON.stringify({ removed: ids, tracks: catalog.size }));
}
