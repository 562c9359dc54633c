/** Keys of an S3-compatible service. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials. */
  readonly sessionToken?: string;
}

/** A request as it will be sent; `headers` without `host`. */
export interface UnsignedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const text = new TextEncoder();

/**
 * Headers of a request with AWS Signature Version 4 (AWS General Reference, "Signing AWS API requests"), service `s3`: all
 * given headers are signed, and the body by its SHA-256.
 * @param wallUs time of the request, microseconds since the Unix epoch
 */
export async function signRequest(
  request: UnsignedRequest,
  credentials: S3Credentials,
  region: string,
  wallUs: number,
): Promise<Record<string, string>> {
  const stamp = new Date(wallUs / 1000).toISOString().replace(/[-:]|\.\d+/g, "");
  const day = stamp.slice(0, 8);
  const bodyHash = toHex(await sha256(request.body));
  const headers: Record<string, string> = {
    ...request.headers,
    host: request.url.host,
    "x-amz-content-sha256": bodyHash,
    "x-amz-date": stamp,
    ...(credentials.sessionToken && { "x-amz-security-token": credentials.sessionToken }),
  };
  const names = Object.keys(headers).sort();
  const signedHeaders = names.join(";");
  const canonical = [
    request.method,
    request.url.pathname,
    canonicalQuery(request.url),
    ...names.map((name) => `${name}:${headers[name]!.trim()}`),
    "",
    signedHeaders,
    bodyHash,
  ].join("\n");
  const scope = `${day}/${region}/s3/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", stamp, scope, toHex(await sha256(text.encode(canonical)))].join("\n");
  let key = await hmac(text.encode(`AWS4${credentials.secretAccessKey}`), day);
  for (const part of [region, "s3", "aws4_request"]) key = await hmac(key, part);
  const signature = toHex(await hmac(key, toSign));
  const { host: _, ...sent } = headers;
  const authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
  return { ...sent, authorization };
}

/** Percent-encoding of RFC 3986: everything but unreserved characters. */
export function encodeStrictly(value: string): string {
  return encodeURIComponent(value).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function canonicalQuery(url: URL): string {
  const pairs = [...url.searchParams].map(([name, value]) => [encodeStrictly(name), encodeStrictly(value)]);
  pairs.sort((a, b) => (a[0] === b[0] ? (a[1]! < b[1]! ? -1 : 1) : a[0]! < b[0]! ? -1 : 1));
  return pairs.map(([name, value]) => `${name}=${value}`).join("&");
}

async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
}

async function hmac(key: Uint8Array, message: string): Promise<Uint8Array> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key as Uint8Array<ArrayBuffer>, algorithm, false, [
    "sign",
  ]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, text.encode(message)));
}

function toHex(bytes: Uint8Array): string {
  let out = "";
  for (const byte of bytes) out += byte.toString(16).padStart(2, "0");
  return out;
}
