import { checkKey, type ObjectInfo, type ObjectStore, StoreError } from "./object-store.ts";

export interface HttpStoreOptions {
  /** Makes requests; default the platform's `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
  readonly headers?: Readonly<Record<string, string>>;
  /** A server that ignores ranges is served by fetching the whole object, up to this many bytes; default 64 MiB. */
  readonly maxWholeBytes?: number;
}

const defaultMaxWholeBytes = 64 * 1024 * 1024;

/**
 * A read-only object store over HTTP: a directory of a web server, a bucket, a CDN. Ranges need a `206` with a matching
 * `Content-Range`; a `200` with the whole object is cut here, under a limit. `404`, `410` and `403` mean absent (private
 * buckets answer 403 for keys that do not exist). It cannot list.
 */
export class HttpStore implements ObjectStore {
  readonly url: string;
  readonly #fetch: typeof globalThis.fetch;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #maxWholeBytes: number;

  /** @param url of the directory, with or without a slash at its end */
  constructor(url: string, options: HttpStoreOptions = {}) {
    this.url = url.endsWith("/") ? url : `${url}/`;
    this.#fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
    this.#headers = options.headers ?? {};
    this.#maxWholeBytes = options.maxWholeBytes ?? defaultMaxWholeBytes;
  }

  async get(
    key: string,
    range?: { start: number; end: number },
    signal?: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    checkKey(key);
    if (range !== undefined && range.end <= range.start)
      return (await this.head(key, signal)) && new Uint8Array(0);
    const headers = { ...this.#headers, ...(range && { Range: `bytes=${range.start}-${range.end - 1}` }) };
    const response = await this.#request("GET", key, headers, signal);
    if (response === undefined) return undefined;
    if (range === undefined || response.status === 416) {
      if (response.status === 416) {
        await response.body?.cancel();
        return new Uint8Array(0);
      }
      return this.#body(key, response, Number.POSITIVE_INFINITY);
    }
    if (response.status !== 206) {
      const whole = await this.#body(key, response, this.#maxWholeBytes);
      return whole.slice(range.start, range.end);
    }
    const start = /^bytes (\d+)-\d+\//.exec(response.headers.get("content-range") ?? "")?.[1];
    if (Number(start) !== range.start) {
      await response.body?.cancel();
      throw this.#failure(
        key,
        `it answered with the range ${response.headers.get("content-range") ?? "(none)"}`,
      );
    }
    return this.#body(key, response, range.end - range.start);
  }

  async head(key: string, signal?: AbortSignal): Promise<ObjectInfo | undefined> {
    checkKey(key);
    const response = await this.#request("HEAD", key, this.#headers, signal);
    if (response === undefined) return undefined;
    const length = response.headers.get("content-length");
    if (length === null) throw this.#failure(key, "it does not tell the size");
    const etag = response.headers.get("etag") ?? response.headers.get("last-modified") ?? length;
    return { key, size: Number(length), etag };
  }

  put(key: string): Promise<ObjectInfo> {
    return Promise.reject(this.#readOnly(key));
  }

  delete(key: string): Promise<void> {
    return Promise.reject(this.#readOnly(key));
  }

  // biome-ignore lint/correctness/useYield: the interface asks for a generator, and there is nothing to list
  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    throw new StoreError(
      "store/cannot-list",
      "unavailable",
      `A web server cannot list its objects (asked for ${JSON.stringify(prefix)}); open what you know by name.`,
    );
  }

  async #request(
    method: string,
    key: string,
    headers: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<Response | undefined> {
    let response: Response;
    try {
      const url = this.url + key.split("/").map(encodeURIComponent).join("/");
      response = await this.#fetch(url, { method, headers, ...(signal && { signal }) });
    } catch (cause) {
      if (signal?.aborted) throw signal.reason;
      throw this.#failure(key, "it cannot be reached", cause);
    }
    if (response.ok || response.status === 416) return response;
    await response.body?.cancel();
    if (response.status === 404 || response.status === 410 || response.status === 403) return undefined;
    throw this.#failure(key, `it answered ${response.status}`);
  }

  /** Reads the body, refusing more than `limit` bytes before they pile up. */
  async #body(key: string, response: Response, limit: number): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    let size = 0;
    const reader = response.body?.getReader();
    for (let step = await reader?.read(); step !== undefined && !step.done; step = await reader?.read()) {
      size += step.value.length;
      if (size > limit) {
        await reader?.cancel();
        throw new StoreError(
          "store/no-range",
          "unavailable",
          `${this.url}${key}: the server ignores ranges and the object is over ${limit} bytes; use one that answers 206.`,
        );
      }
      pieces.push(step.value);
    }
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  #failure(key: string, reason: string, cause?: unknown): StoreError {
    const message = `The server of ${this.url}${key} failed: ${reason}.`;
    return new StoreError("store/failed", "unavailable", message, { cause });
  }

  #readOnly(key: string): StoreError {
    return new StoreError(
      "store/read-only",
      "unavailable",
      `${key} cannot be written over HTTP; use a directory or a bucket.`,
    );
  }
}
