import { createHash, createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A small S3-compatible service on loopback, for tests. */
export interface FakeS3 {
  readonly endpoint: string;
  readonly bucket: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Requests so far, for example `GET rec/a`. */
  readonly log: string[];
  /** The next requests fail: with this status, or (0) with a broken connection. */
  failNext(...statuses: number[]): void;
  /** From now on every connection breaks, until `comeBack`. */
  goAway(): void;
  comeBack(): void;
  /** Uploads that were started and neither finished nor aborted. */
  readonly openUploads: number;
  close(): Promise<void>;
}

const secret = "fake/secret+key";
const accessKeyId = "FAKEACCESSKEY";
const bucket = "sounds";

/**
 * Starts the service: objects with MD5 etags, ranges, `If-None-Match: *` and `If-Match`, ListObjectsV2 in pages of
 * `pageSize`, multipart uploads. Every request's signature (Version 4) is checked by an implementation of its own.
 */
export async function startFakeS3(options: { pageSize?: number } = {}): Promise<FakeS3> {
  const objects = new Map<string, { bytes: Buffer; etag: string }>();
  const uploads = new Map<string, Map<number, Buffer>>();
  const log: string[] = [];
  const failures: number[] = [];
  let uploadCount = 0;
  let version = 0;
  let isAway = false;
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
    const body = Buffer.concat(pieces);
    const url = new URL(request.url ?? "/", `http://${request.headers.host}`);
    const key = decodeURIComponent(url.pathname.slice(bucket.length + 2));
    log.push(`${request.method} ${key || url.searchParams.get("prefix") || ""}`.trim());
    if (isAway) return void request.socket.destroy();
    const failure = failures.shift();
    if (failure === 0) return void request.socket.destroy();
    if (failure !== undefined) return refuse(response, failure, "InternalError");
    const trouble = signatureTrouble(request, url, body);
    if (trouble !== undefined) return refuse(response, 403, trouble);
    if (url.pathname.split("/")[1] !== bucket) return refuse(response, 404, "NoSuchBucket");
    const upload = url.searchParams.get("uploadId");
    if (request.method === "GET" && key === "") return list(url, response);
    if (request.method === "POST" && url.searchParams.has("uploads")) {
      const id = `upload-${++uploadCount}`;
      uploads.set(id, new Map());
      return void response.end(
        `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
      );
    }
    if (upload !== null) return multipart(request, response, url, key, upload, body);
    const found = objects.get(key);
    if (request.method === "PUT") {
      const conflict =
        (request.headers["if-none-match"] === "*" && found !== undefined) ||
        (request.headers["if-match"] !== undefined && request.headers["if-match"] !== found?.etag);
      if (conflict) return refuse(response, found === undefined ? 404 : 412, "PreconditionFailed");
      return void response.setHeader("etag", store(key, body)).end();
    }
    if (request.method === "DELETE") {
      objects.delete(key);
      return void response.writeHead(204).end();
    }
    if (found === undefined) return refuse(response, 404, "NoSuchKey");
    response.setHeader("etag", found.etag);
    if (request.method === "HEAD") return void response.setHeader("content-length", found.bytes.length).end();
    sendBytes(request, response, found.bytes);
  });

  const store = (key: string, bytes: Buffer): string => {
    const etag = `"${createHash("md5").update(bytes).digest("hex")}-${++version}"`;
    objects.set(key, { bytes, etag });
    return etag;
  };

  const list = (url: URL, response: ServerResponse) => {
    const prefix = url.searchParams.get("prefix") ?? "";
    const after = url.searchParams.get("continuation-token") ?? "";
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    const page = keys.slice(0, options.pageSize ?? 1000);
    const entries = page.map((key) => {
      const { bytes, etag } = objects.get(key)!;
      const quoted = etag.replaceAll('"', "&quot;");
      return `<Contents><Key>${encodeURIComponent(key)}</Key><Size>${bytes.length}</Size><ETag>${quoted}</ETag></Contents>`;
    });
    const rest = keys.length > page.length;
    const next = rest ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : "";
    response.end(
      `<?xml version="1.0"?><ListBucketResult><IsTruncated>${rest}</IsTruncated>${next}${entries.join("")}</ListBucketResult>`,
    );
  };

  const multipart = (
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    key: string,
    id: string,
    body: Buffer,
  ) => {
    const parts = uploads.get(id);
    if (parts === undefined) return refuse(response, 404, "NoSuchUpload");
    if (request.method === "PUT") {
      parts.set(Number(url.searchParams.get("partNumber")), body);
      return void response.setHeader("etag", `"${createHash("md5").update(body).digest("hex")}"`).end();
    }
    uploads.delete(id);
    if (request.method === "DELETE") return void response.writeHead(204).end();
    const named = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>([^<]*)<\/ETag>/g)];
    const bytes = named.map(([, number, etag]) => {
      const part = parts.get(Number(number));
      const right = part && `&quot;${createHash("md5").update(part).digest("hex")}&quot;` === etag;
      return right ? part : undefined;
    });
    if (named.length !== parts.size || bytes.some((part) => part === undefined)) {
      // As the real service does: a failure with status 200.
      return void response.end("<Error><Code>InvalidPart</Code></Error>");
    }
    const etag = store(key, Buffer.concat(bytes as Buffer[]));
    response.end(
      `<CompleteMultipartUploadResult><ETag>${etag.replaceAll('"', "&quot;")}</ETag></CompleteMultipartUploadResult>`,
    );
  };

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bucket,
    credentials: { accessKeyId, secretAccessKey: secret },
    log,
    failNext: (...statuses) => void failures.push(...statuses),
    goAway: () => {
      isAway = true;
    },
    comeBack: () => {
      isAway = false;
    },
    get openUploads() {
      return uploads.size;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status).end(`<Error><Code>${code}</Code></Error>`);
}

function sendBytes(request: IncomingMessage, response: ServerResponse, bytes: Buffer): void {
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  if (range === null) {
    response.end(bytes);
    return;
  }
  const start = Number(range[1]);
  const end = Math.min(bytes.length, Number(range[2]) + 1);
  if (start >= bytes.length) {
    refuse(response, 416, "InvalidRange");
    return;
  }
  response.writeHead(206, { "content-range": `bytes ${start}-${end - 1}/${bytes.length}` });
  response.end(bytes.subarray(start, end));
}

/** Undefined where the request is signed as the specification of Signature Version 4 says; otherwise the error code. */
function signatureTrouble(request: IncomingMessage, url: URL, body: Buffer): string | undefined {
  const authorization =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? "",
    );
  if (authorization === null) return "AccessDenied";
  const [, id, day, region, names, signature] = authorization as unknown as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  if (id !== accessKeyId) return "InvalidAccessKeyId";
  const bodyHash = createHash("sha256").update(body).digest("hex");
  if (request.headers["x-amz-content-sha256"] !== bodyHash) return "XAmzContentSHA256Mismatch";
  const query = url.search.slice(1).split("&").filter(Boolean).sort().join("&");
  const headers = names.split(";").map((name) => `${name}:${String(request.headers[name]).trim()}\n`);
  const canonical = [request.method, url.pathname, query, headers.join(""), names, bodyHash].join("\n");
  const stamp = String(request.headers["x-amz-date"]);
  const scope = `${day}/${region}/s3/aws4_request`;
  const toSign = `AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${createHash("sha256").update(canonical).digest("hex")}`;
  let key: Buffer | string = `AWS4${secret}`;
  for (const part of [day, region, "s3", "aws4_request"])
    key = createHmac("sha256", key).update(part).digest();
  const expected = createHmac("sha256", key).update(toSign).digest("hex");
  return stamp.startsWith(day) && expected === signature ? undefined : "SignatureDoesNotMatch";
}
