import { checkKey, type ObjectInfo, type ObjectStore, StoreError } from "./object-store.ts";

export interface HttpStoreOptions {
  /** Makes requests; default the platform's `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
  readonly headers?: Readonly<Record<string, string>>;
  /** A server that ignores ranges is served by fetching the whole object, up to this many bytes; default 64 MiB. */
  readonly maxWholeBytes?: number;
  /** The largest object that is read as a whole because it was asked for; default 512 MiB. */
  readonly maxObjectBytes?: number;
}

const defaultMaxWholeBytes = 64 * 1024 * 1024;
const defaultMaxObjectBytes = 512 * 1024 * 1024;

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
  readonly #maxObjectBytes: number;

  /** @param url of the directory, with or without a slash at its end */
  constructor(url: string, options: HttpStoreOptions = {}) {
    this.url = url.endsWith("/") ? url : `${url}/`;
    this.#fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
    this.#headers = options.headers ?? {};
    this.#maxWholeBytes = options.maxWholeBytes ?? defaultMaxWholeBytes;
    this.#maxObjectBytes = options.maxObjectBytes ?? defaultMaxObjectBytes;
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
    if (range === undefined) {
      if (response.status === 200)
        return this.#body(key, response, this.#maxObjectBytes, signal, () => this.#tooLarge(key));
      await response.body?.cancel();
      throw this.#failure(key, `it answered ${response.status} to a request for all of it`);
    }
    if (response.status === 416) {
      await response.body?.cancel();
      return new Uint8Array(0);
    }
    if (response.status !== 200 && response.status !== 206) {
      await response.body?.cancel();
      throw this.#failure(key, `it answered ${response.status} to a request for a range`);
    }
    if (response.status !== 206) {
      const whole = await this.#body(key, response, this.#maxWholeBytes, signal, () => this.#noRange(key));
      return whole.slice(range.start, range.end);
    }
    const told = response.headers.get("content-range") ?? "(none)";
    const [, start, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)/.exec(told) ?? [];
    const size = Number(last) + 1 - Number(start);
    const reachesEnd = total === "*" || Number(last) + 1 === Number(total);
    const wanted = range.end - range.start;
    if (Number(start) !== range.start || !(size >= 1 && (size === wanted || (size < wanted && reachesEnd)))) {
      await response.body?.cancel();
      throw this.#failure(key, `it answered with the range ${told}`);
    }
    const differs = (found: string) =>
      this.#failure(key, `it told ${size} bytes of the range and sent ${found}`);
    const bytes = await this.#body(key, response, size, signal, () => differs("more"));
    if (bytes.length < size) throw differs(`${bytes.length}`);
    return bytes;
  }

  async head(key: string, signal?: AbortSignal): Promise<ObjectInfo | undefined> {
    checkKey(key);
    const response = await this.#request("HEAD", key, this.#headers, signal);
    if (response === undefined) return undefined;
    // A server that compresses on the way hides the length.
    const told = Number(response.headers.get("content-length") ?? Number.NaN);
    const size = Number.isSafeInteger(told) ? told : await this.#sizeByReading(key, signal);
    if (size === undefined) return undefined;
    const etag = response.headers.get("etag") ?? response.headers.get("last-modified") ?? String(size);
    return { key, size, etag };
  }

  async #sizeByReading(key: string, signal?: AbortSignal): Promise<number | undefined> {
    const response = await this.#request("GET", key, { ...this.#headers, Range: "bytes=0-0" }, signal);
    if (response === undefined) return undefined;
    const total = /^bytes (?:0-0|\*)\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1];
    if (total === undefined && response.status === 200)
      return (await this.#body(key, response, this.#maxWholeBytes, signal, () => this.#noRange(key))).length;
    await response.body?.cancel();
    if (total === undefined) throw this.#failure(key, "it does not tell the size");
    return Number(total);
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
  async #body(
    key: string,
    response: Response,
    limit: number,
    signal: AbortSignal | undefined,
    tooLong: () => StoreError,
  ): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    let size = 0;
    const reader = response.body?.getReader();
    const next = async () => {
      try {
        return await reader?.read();
      } catch (cause) {
        if (signal?.aborted) throw signal.reason;
        throw this.#failure(key, `the answer broke off after ${size} bytes`, cause);
      }
    };
    for (let step = await next(); step !== undefined && !step.done; step = await next()) {
      size += step.value.length;
      if (size > limit) {
        await reader?.cancel();
        throw tooLong();
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

  #noRange(key: string): StoreError {
    return new StoreError(
      "store/no-range",
      "unavailable",
      `${this.url}${key}: the server ignores ranges and the object is over ${this.#maxWholeBytes} bytes; use one that answers 206.`,
    );
  }

  #tooLarge(key: string): StoreError {
    return new StoreError(
      "store/too-large",
      "unavailable",
      `${this.url}${key} is over ${this.#maxObjectBytes} bytes; raise maxObjectBytes if that is meant.`,
    );
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
