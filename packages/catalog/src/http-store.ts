import { checkKey, type ObjectInfo, type ObjectStore, StoreError } from "@longwave/base";
import { CatalogError } from "./errors.ts";

/** Options of {@link HttpStore}. */
export interface HttpStoreOptions {
  /** Largest answer that is taken from a server which ignores ranges and sends the whole object; default 16 MiB. */
  readonly maxWholeBytes?: number;
  /** Headers of every request, for example an authorization. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default the global `fetch`. */
  readonly fetch?: typeof fetch;
}

/**
 * A catalog behind a plain web server or a CDN, read by range requests: a page searches it without a service. Compact the
 * catalog before publishing it (a server has no listing, so the journal is followed by number only).
 *
 * @example
 * const catalog = await Catalog.open(new HttpStore("https://example.org/catalog/"), { readOnly: true });
 */
export class HttpStore implements ObjectStore {
  readonly #base: string;
  readonly #options: HttpStoreOptions;

  /** @param base address of the catalog's folder */
  constructor(base: string, options: HttpStoreOptions = {}) {
    this.#base = base.endsWith("/") ? base : `${base}/`;
    this.#options = options;
  }

  /** @throws StoreError `store/failed`; CatalogError `catalog/no-range` */
  async get(
    key: string,
    range?: { start: number; end: number },
    signal?: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    if (range !== undefined && range.end <= range.start) return new Uint8Array(0);
    const headers = range === undefined ? {} : { range: `bytes=${range.start}-${range.end - 1}` };
    const response = await this.#request(key, "GET", headers, signal);
    if (response === undefined) return undefined;
    // The range begins behind the end of the object.
    if (response.status === 416) return new Uint8Array(0);
    if (range === undefined || response.status === 206) {
      const bytes = await this.#body(key, response, signal);
      return range === undefined ? bytes : bytes.subarray(0, range.end - range.start);
    }
    const limit = this.#options.maxWholeBytes ?? 1 << 24;
    const length = Number(response.headers.get("content-length") ?? Number.POSITIVE_INFINITY);
    if (!(length <= limit)) {
      await response.body?.cancel();
      throw new CatalogError(
        "catalog/no-range",
        `${this.#base}${key} is served without ranges and has ${length} bytes, more than ${limit}; use a server that ` +
          "answers range requests.",
      );
    }
    return (await this.#body(key, response, signal)).slice(range.start, range.end);
  }

  /** The content of an answer, which may break off after its head has come. */
  async #body(key: string, response: Response, signal?: AbortSignal): Promise<Uint8Array> {
    try {
      return new Uint8Array(await response.arrayBuffer());
    } catch (cause) {
      if (signal?.aborted) throw signal.reason;
      throw new StoreError("store/failed", "unavailable", `${this.#base}${key} broke off.`, { cause });
    }
  }

  async head(key: string, signal?: AbortSignal): Promise<ObjectInfo | undefined> {
    const response = await this.#request(key, "HEAD", {}, signal);
    if (response === undefined) return undefined;
    const size = Number(response.headers.get("content-length") ?? Number.NaN);
    // Where the length is hidden, what was read decides.
    if (!Number.isSafeInteger(size)) return undefined;
    return {
      key,
      size,
      etag: response.headers.get("etag") ?? response.headers.get("last-modified") ?? `"${size}"`,
    };
  }

  async put(key: string): Promise<ObjectInfo> {
    throw this.#readOnly(key);
  }

  async delete(key: string): Promise<void> {
    throw this.#readOnly(key);
  }

  // biome-ignore lint/correctness/useYield: there is nothing to list
  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    throw new StoreError(
      "store/cannot-list",
      "unavailable",
      `A web server cannot list ${this.#base}${prefix}.`,
    );
  }

  async #request(
    key: string,
    method: "GET" | "HEAD",
    headers: Record<string, string>,
    signal?: AbortSignal,
  ): Promise<Response | undefined> {
    checkKey(key);
    const url = this.#base + key.split("/").map(encodeURIComponent).join("/");
    const call = this.#options.fetch ?? fetch;
    let response: Response;
    try {
      const all = { ...this.#options.headers, ...headers };
      response = await call(url, { method, headers: all, ...(signal !== undefined && { signal }) });
    } catch (cause) {
      if (signal?.aborted) throw signal.reason;
      throw new StoreError("store/failed", "unavailable", `${url} could not be reached.`, { cause });
    }
    if (response.status === 404 || response.status === 410) return undefined;
    if (response.ok || response.status === 416) return response;
    throw new StoreError(
      "store/failed",
      "unavailable",
      `${url} answered ${response.status} ${response.statusText}.`,
    );
  }

  #readOnly(key: string): StoreError {
    return new StoreError(
      "store/read-only",
      "unavailable",
      `${key} cannot be changed: a web server is read only.`,
    );
  }
}
