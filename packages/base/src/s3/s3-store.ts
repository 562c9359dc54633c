import { type Clock, sleepUs } from "../clock.ts";
import {
  checkKey,
  type ObjectInfo,
  type ObjectStore,
  type ObjectWriter,
  type PutCondition,
  StoreError,
} from "../object-store.ts";
import { field, parseListPage } from "./list-page.ts";
import { encodeStrictly, type S3Credentials, signRequest } from "./sign-request.ts";

export interface S3StoreOptions {
  /** Address of the service, for example `https://s3.eu-central-1.amazonaws.com`; the bucket goes into the path. */
  readonly endpoint: string;
  readonly bucket: string;
  /** Put in front of all keys; with or without a slash at its end. */
  readonly prefix?: string;
  /** Default `us-east-1`. */
  readonly region?: string;
  readonly credentials: S3Credentials;
  /** Time of the signatures, and waiting before another attempt. */
  readonly clock: Clock;
  readonly fetch?: typeof globalThis.fetch;
  /** Parts of a large object; default 8 MiB, at least 5 MiB but for tests. */
  readonly partBytes?: number;
  /** Attempts of a request that failed in a way that may pass; default 4. */
  readonly attempts?: number;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

interface Call {
  readonly method: string;
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Stop reading the answer beyond this. */
  readonly limit?: number;
  /** A second attempt could not be told from somebody else's: conditional puts. */
  readonly once?: boolean;
  readonly signal?: AbortSignal | undefined;
}

const none = new Uint8Array(0);
const maxListPageBytes = 16 * 1024 * 1024;
const firstWaitUs = 100_000;

/**
 * An object store in a bucket of an S3-compatible service: ranged reads, conditional puts (`If-None-Match`, `If-Match`),
 * paged lists, multipart uploads for objects written in pieces. Requests are signed with Signature Version 4. Failures
 * that may pass (5xx, 429, no connection) are tried again with growing waits.
 *
 * @example
 * const store = new S3Store({ endpoint, bucket: "sounds", credentials, clock: new SystemClock() });
 */
export class S3Store implements ObjectStore {
  readonly #options: S3StoreOptions;
  readonly #fetch: typeof globalThis.fetch;
  readonly #prefix: string;

  constructor(options: S3StoreOptions) {
    this.#options = options;
    this.#fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
    const prefix = (options.prefix ?? "").replace(/\/+$/, "");
    if (prefix !== "") checkKey(prefix);
    if (!/^[\w.-]{1,255}$/.test(options.bucket)) {
      throw new StoreError("store/bad-key", "usage", `${JSON.stringify(options.bucket)} is no bucket name.`);
    }
    this.#prefix = prefix === "" ? "" : `${prefix}/`;
  }

  async get(
    key: string,
    range?: { start: number; end: number },
    signal?: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    checkKey(key);
    if (range !== undefined && range.end <= range.start)
      return (await this.head(key, signal)) && new Uint8Array(0);
    const headers = range && { range: `bytes=${range.start}-${range.end - 1}` };
    const limit = range === undefined ? Number.POSITIVE_INFINITY : range.end - range.start;
    const answer = await this.#send({ method: "GET", key, signal, limit, ...(headers && { headers }) });
    if (answer.status === 416) return new Uint8Array(0);
    if (isAbsent(answer)) return undefined;
    this.#requireOk(answer, key);
    if (range === undefined) return answer.body;
    const start = /^bytes (\d+)-\d+\//.exec(answer.headers.get("content-range") ?? "")?.[1];
    if (answer.status !== 206 || Number(start) !== range.start)
      throw this.#failure(key, "it did not answer with the range that was asked for");
    return answer.body;
  }

  async head(key: string, signal?: AbortSignal): Promise<ObjectInfo | undefined> {
    checkKey(key);
    const answer = await this.#send({ method: "HEAD", key, signal });
    if (isAbsent(answer)) return undefined;
    this.#requireOk(answer, key);
    const size = Number(answer.headers.get("content-length") ?? Number.NaN);
    const etag = answer.headers.get("etag");
    if (!Number.isSafeInteger(size) || etag === null)
      throw this.#failure(key, "it does not tell size and etag");
    return { key, size, etag };
  }

  async put(
    key: string,
    bytes: Uint8Array,
    condition?: PutCondition,
    signal?: AbortSignal,
  ): Promise<ObjectInfo> {
    checkKey(key);
    const headers: Record<string, string> = {};
    if (condition !== undefined) {
      if ("ifAbsent" in condition) headers["if-none-match"] = "*";
      else headers["if-match"] = condition.ifMatch;
    }
    const once = condition !== undefined;
    const answer = await this.#send({ method: "PUT", key, body: bytes, headers, once, signal });
    const lost = answer.status === 412 || answer.status === 409 || (once && answer.status === 404);
    if (lost) {
      throw new StoreError(
        "store/conflict",
        "unavailable",
        `${key} was changed by somebody else in the meantime; read it again and retry.`,
      );
    }
    this.#requireOk(answer, key, true);
    return { key, size: bytes.length, etag: this.#etag(answer, key) };
  }

  async delete(key: string, signal?: AbortSignal): Promise<void> {
    checkKey(key);
    const answer = await this.#send({ method: "DELETE", key, signal });
    if (answer.status !== 404) this.#requireOk(answer, key, true);
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncIterable<ObjectInfo> {
    let next: string | undefined;
    do {
      const query = {
        "list-type": "2",
        "encoding-type": "url",
        prefix: this.#prefix + prefix,
        ...(next !== undefined && { "continuation-token": next }),
      };
      const answer = await this.#send({ method: "GET", query, signal, limit: maxListPageBytes });
      this.#requireOk(answer, prefix);
      const page = parseListPage(new TextDecoder().decode(answer.body));
      if (page === undefined) throw this.#failure(prefix, "its list cannot be read");
      for (const object of page.objects) {
        if (object.key.startsWith(this.#prefix))
          yield { ...object, key: object.key.slice(this.#prefix.length) };
      }
      next = page.next;
    } while (next !== undefined);
  }

  /** A multipart upload once there is more than one part; before that nothing is sent. */
  async create(key: string, signal?: AbortSignal): Promise<ObjectWriter> {
    checkKey(key);
    const partBytes = this.#options.partBytes ?? 8 * 1024 * 1024;
    let buffer = new Uint8Array(0);
    let length = 0;
    let total = 0;
    let uploadId: string | undefined;
    const etags: string[] = [];
    const sendPart = async () => {
      uploadId ??= await this.#startUpload(key, signal);
      const query = { partNumber: String(etags.length + 1), uploadId };
      const body = buffer.slice(0, length);
      const answer = await this.#send({ method: "PUT", key, query, body, signal });
      this.#requireOk(answer, key, true);
      etags.push(this.#etag(answer, key));
      length = 0;
    };
    return {
      write: async (bytes) => {
        total += bytes.length;
        for (let at = 0; at < bytes.length; ) {
          if (length === partBytes) await sendPart();
          const piece = bytes.subarray(at, at + partBytes - length);
          if (length + piece.length > buffer.length) {
            const larger = new Uint8Array(
              Math.min(partBytes, Math.max(2 * buffer.length, length + piece.length)),
            );
            larger.set(buffer.subarray(0, length));
            buffer = larger;
          }
          buffer.set(piece, length);
          length += piece.length;
          at += piece.length;
        }
      },
      commit: async () => {
        if (uploadId === undefined) return this.put(key, buffer.slice(0, length), undefined, signal);
        if (length > 0) await sendPart();
        const etag = await this.#finishUpload(key, uploadId, etags, signal);
        uploadId = undefined;
        return { key, size: total, etag };
      },
      abort: async () => {
        if (uploadId === undefined) return;
        const query = { uploadId };
        uploadId = undefined;
        await this.#send({ method: "DELETE", key, query });
      },
    };
  }

  async #startUpload(key: string, signal?: AbortSignal): Promise<string> {
    const answer = await this.#send({ method: "POST", key, query: { uploads: "" }, signal });
    this.#requireOk(answer, key, true);
    const id = field(new TextDecoder().decode(answer.body), "UploadId");
    if (id === undefined) throw this.#failure(key, "it gave no upload id");
    return id;
  }

  async #finishUpload(
    key: string,
    uploadId: string,
    etags: readonly string[],
    signal?: AbortSignal,
  ): Promise<string> {
    const parts = etags.map(
      (etag, i) =>
        `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag.replaceAll('"', "&quot;")}</ETag></Part>`,
    );
    const body = new TextEncoder().encode(
      `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`,
    );
    const answer = await this.#send({ method: "POST", key, query: { uploadId }, body, signal });
    this.#requireOk(answer, key, true);
    // This request alone may fail with status 200 (API reference, CompleteMultipartUpload).
    const xml = new TextDecoder().decode(answer.body);
    const etag = field(xml, "ETag");
    if (/<Error>/.test(xml) || etag === undefined)
      throw this.#failure(key, `it could not put the parts together (${field(xml, "Code") ?? "no reason"})`);
    return etag.replaceAll("&quot;", '"');
  }

  async #send(call: Call): Promise<Answer> {
    const attempts = call.once === true ? 1 : (this.#options.attempts ?? 4);
    for (let attempt = 1; ; attempt++) {
      let failure: unknown;
      try {
        const answer = await this.#sendOnce(call);
        if (answer.status < 500 && answer.status !== 429) return answer;
        if (attempt >= attempts) return answer;
      } catch (error) {
        if (call.signal?.aborted) throw call.signal.reason;
        if (error instanceof StoreError) throw error;
        failure = error;
        if (attempt >= attempts) {
          const { cause } = failure as { cause?: { code?: string } };
          const how = cause?.code === undefined ? "" : ` (${cause.code})`;
          throw this.#failure(call.key ?? "", `it cannot be reached${how}`, failure);
        }
      }
      await sleepUs(this.#options.clock, firstWaitUs * 4 ** (attempt - 1), call.signal);
    }
  }

  async #sendOnce(call: Call): Promise<Answer> {
    const { endpoint, bucket, credentials, region, clock } = this.#options;
    const url = new URL(endpoint);
    const path = [bucket, ...(call.key === undefined ? [] : (this.#prefix + call.key).split("/"))];
    url.pathname = `${url.pathname.replace(/\/+$/, "")}/${path.map(encodeStrictly).join("/")}`;
    url.search = Object.entries(call.query ?? {})
      .map(([name, value]) => `${encodeStrictly(name)}=${encodeStrictly(value)}`)
      .join("&");
    const body = call.body ?? none;
    const request = { method: call.method, url, headers: call.headers ?? {}, body };
    const headers = await signRequest(request, credentials, region ?? "us-east-1", clock.wallUs());
    const response = await this.#fetch(url, {
      method: call.method,
      headers,
      ...(call.body !== undefined && { body: body as Uint8Array<ArrayBuffer> }),
      ...(call.signal && { signal: call.signal }),
    });
    const { status } = response;
    return { status, headers: response.headers, body: await this.#body(response, call) };
  }

  async #body(response: Response, call: Call): Promise<Uint8Array> {
    const limit = response.ok ? (call.limit ?? maxListPageBytes) : maxListPageBytes;
    const pieces: Uint8Array[] = [];
    let size = 0;
    const reader = response.body?.getReader();
    for (let step = await reader?.read(); step !== undefined && !step.done; step = await reader?.read()) {
      size += step.value.length;
      if (size > limit) {
        await reader?.cancel();
        throw this.#failure(call.key ?? "", `it sent more than the ${limit} bytes that were asked for`);
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

  #requireOk(answer: Answer, key: string, writes = false): void {
    if (answer.status >= 200 && answer.status < 300) return;
    const code = errorCode(answer);
    if (writes && answer.status === 403) {
      throw new StoreError("store/read-only", "unavailable", `No permission to write ${key} (${code}).`);
    }
    throw this.#failure(key, `it answered ${answer.status}${code === "" ? "" : ` (${code})`}`);
  }

  #etag(answer: Answer, key: string): string {
    const etag = answer.headers.get("etag");
    if (etag === null) throw this.#failure(key, "it gave no etag");
    return etag;
  }

  #failure(key: string, reason: string, cause?: unknown): StoreError {
    const where = `${this.#options.bucket}/${this.#prefix}${key}`;
    const { origin } = new URL(this.#options.endpoint);
    const message = `The object storage at ${origin} failed on ${where}: ${reason}.`;
    return new StoreError("store/failed", "unavailable", message, { cause });
  }
}

/** Codes of a 403 that speak of the keys, not of the object. */
const keyTroubles =
  /^(SignatureDoesNotMatch|InvalidAccessKeyId|RequestTimeTooSkewed|ExpiredToken|InvalidToken)$/;

/** Services answer 403 for keys that do not exist where listing is not allowed. */
function isAbsent(answer: Answer): boolean {
  if (answer.status === 404) return errorCode(answer) !== "NoSuchBucket";
  return answer.status === 403 && !keyTroubles.test(errorCode(answer));
}

function errorCode(answer: Answer): string {
  return answer.body.length === 0 ? "" : (field(new TextDecoder().decode(answer.body), "Code") ?? "");
}
