import { defaultCalibrationOf } from "../calibration.ts";
import { ContrastSearch } from "../contrast-search.ts";
import { CatalogError } from "../errors.ts";
import type { Identification, IdentifyOptions } from "../identification.ts";
import type { Query } from "../query.ts";
import { VerifiedSearch } from "../verified-search.ts";
import { PostgresLookup } from "./postgres-lookup.ts";
import type { CatalogRow } from "./schema.ts";
import type { SqlClient } from "./sql-client.ts";

/** Searches that may wait; what comes beyond is refused at once. */
const maxWaiting = 1000;

/** What one search at a time works with. */
interface Desk {
  readonly lookup: PostgresLookup;
  readonly byContrast: ContrastSearch;
  readonly byVerification: VerifiedSearch;
}

/** Searches that run side by side, each with tables of its own; more than the pool holds wait their turn. */
export class SearchPool {
  readonly #make: () => Desk;
  readonly #idle: Desk[] = [];
  readonly #waiting: ((desk: Desk) => void)[] = [];
  #unmade: number;

  constructor(client: SqlClient, schema: string, row: CatalogRow, size: number) {
    this.#unmade = size;
    const calibration = row.calibration ?? defaultCalibrationOf(row.profile);
    this.#make = () => {
      const lookup = new PostgresLookup(client, schema, row);
      return {
        lookup,
        byContrast: new ContrastSearch(lookup, calibration),
        byVerification: new VerifiedSearch(lookup, calibration),
      };
    };
  }

  async search(query: Query, options: IdentifyOptions): Promise<Identification> {
    const desk = await this.#take();
    try {
      options.signal?.throwIfAborted();
      desk.lookup.clear();
      const { verifiable } = query;
      if (verifiable === undefined) return await desk.byContrast.search(query, options);
      return await desk.byVerification.search(query, verifiable, options);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#idle.push(desk);
      else next(desk);
    }
  }

  async #take(): Promise<Desk> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#unmade > 0) {
      this.#unmade--;
      return this.#make();
    }
    if (this.#waiting.length >= maxWaiting) {
      throw new CatalogError("catalog/busy", `${maxWaiting} searches wait already; try again later.`);
    }
    return new Promise((resolve) => void this.#waiting.push(resolve));
  }
}
