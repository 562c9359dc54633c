import { setTimeout as sleep } from "node:timers/promises";
import type { StationCatalog } from "../station-catalog.ts";

const lookMs = 500;

/** Does something with a catalog as soon as it is there, and once more where it went away meanwhile. @throws the signal's reason */
export async function whenThere<T>(
  catalog: StationCatalog,
  work: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  for (;;) {
    while (catalog.away !== undefined) await sleep(lookMs, undefined, { signal, ref: false });
    try {
      return await work();
    } catch (error) {
      if (catalog.away === undefined) throw error;
    }
  }
}
