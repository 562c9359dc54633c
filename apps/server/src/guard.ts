import { createHash, timingSafeEqual } from "node:crypto";
import { ServerError } from "./errors.ts";

/** Who may call. */
export interface GuardOptions {
  /** Needed from every caller where set. */
  readonly token: string | undefined;
  /** The server is bound to loopback only. */
  readonly loopback: boolean;
  /** Origins of other web pages that may call; none by default. */
  readonly corsOrigins: readonly string[];
}

/** True for the names and addresses of this machine itself. */
export function isLoopbackHost(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, "");
  return name === "localhost" || name === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name);
}

/**
 * Throws unless the request may be served: a `Host` that may be answered, no change ordered by a foreign page, the right token
 * where one is set.
 *
 * @throws ServerError `server/unauthorized` (401), `server/forbidden` (403)
 */
export function guardRequest(request: Request, options: GuardOptions, isOpen: boolean): void {
  guardHost(request, options);
  guardChange(request, options);
  if (options.token === undefined || isOpen) return;
  const header = request.headers.get("authorization") ?? "";
  const given = /^Bearer\s+(\S+)$/i.exec(header)?.[1];
  if (given === undefined || !sameSecret(given, options.token)) {
    throw new ServerError(
      "server/unauthorized",
      "usage",
      "Send the server's token in the header Authorization: Bearer <token>.",
      { status: 401 },
    );
  }
}

/**
 * On loopback without a token only a `Host` that means this machine is answered: a page on the web cannot reach us by rebinding
 * its name.
 *
 * @throws ServerError `server/forbidden` (403)
 */
export function guardHost(request: Request, options: GuardOptions): void {
  const host = hostOfRequest(request);
  if (options.token === undefined && options.loopback && !isLoopbackHost(hostName(host))) {
    throw forbidden(`This server answers to localhost only, not to ${JSON.stringify(host.slice(0, 100))}.`);
  }
}

/**
 * Browsers say with every change whose page orders it: `Origin` (RFC 6454 section 7), which is `null` for pages that hide theirs, such as
 * a sandboxed frame, and `Sec-Fetch-Site` (W3C Fetch Metadata), which no page can set. Either alone is enough to refuse. What sends neither is no
 * page of a browser.
 */
function guardChange(request: Request, { corsOrigins }: GuardOptions): void {
  if (request.method === "GET" || request.method === "HEAD") return;
  const origin = request.headers.get("origin");
  if (origin !== null && corsOrigins.includes(origin)) return;
  const site = request.headers.get("sec-fetch-site");
  const isForeign =
    (origin !== null && hostOf(origin) !== hostOfRequest(request).toLowerCase()) ||
    (site !== null && site !== "same-origin" && site !== "none");
  if (!isForeign) return;
  const page = origin === null || origin === "null" ? "other origins" : JSON.stringify(origin.slice(0, 100));
  throw forbidden(`Pages of ${page} may not change anything here.`);
}

/**
 * A second lock on the same door: the bodies that a page may send anywhere without being asked (text/plain, forms, and those without a
 * type) are not taken from a browser where JSON is expected. Programs such as curl are free to send it as they like.
 *
 * @param expected types of body that the route names
 * @throws ServerError `server/unsupported-type` (415)
 */
export function guardBodyType(request: Request, expected: readonly string[]): void {
  if (!expected.includes("application/json") || !isFromBrowser(request)) return;
  const [essence] = (request.headers.get("content-type") ?? "").split(";");
  const type = essence!.trim().toLowerCase();
  if (expected.includes(type)) return;
  throw new ServerError(
    "server/unsupported-type",
    "unsupported",
    `Send ${expected.join(" or ")}, not ${JSON.stringify(type.slice(0, 60))}.`,
  );
}

function isFromBrowser({ headers }: Request): boolean {
  return (
    headers.has("origin") ||
    headers.has("sec-fetch-site") ||
    (headers.get("user-agent") ?? "").startsWith("Mozilla/")
  );
}

/** Whether a request may learn more than that the server is alive: it would be served where the token is needed. */
export function mayKnowMore(request: Request, options: GuardOptions): boolean {
  try {
    guardRequest(request, options, false);
    return true;
  } catch {
    return false;
  }
}

function forbidden(message: string): ServerError {
  return new ServerError("server/forbidden", "usage", message, { status: 403 });
}

function hostOfRequest(request: Request): string {
  return request.headers.get("host") ?? new URL(request.url).host;
}

function hostName(host: string): string {
  return host.startsWith("[") ? host.slice(0, host.indexOf("]") + 1) : host.replace(/:\d+$/, "");
}

function hostOf(origin: string): string {
  try {
    return new URL(origin).host;
  } catch {
    return "";
  }
}

/** Compares in a time that does not depend on where the two differ. */
function sameSecret(a: string, b: string): boolean {
  const hash = (value: string) => createHash("sha256").update(value).digest();
  return timingSafeEqual(hash(a), hash(b));
}
