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
 * Throws unless the request may be served: the right token where one is set; on loopback without a token a `Host` that
 * means this machine (a page on the web cannot reach us by rebinding its name); no change ordered by a foreign page.
 *
 * @throws ServerError `server/unauthorized` (401), `server/forbidden` (403)
 */
export function guardRequest(request: Request, options: GuardOptions, isOpen: boolean): void {
  const host = request.headers.get("host") ?? new URL(request.url).host;
  if (options.token === undefined && options.loopback && !isLoopbackHost(hostName(host))) {
    throw forbidden(`This server answers to localhost only, not to ${JSON.stringify(host.slice(0, 100))}.`);
  }
  const origin = request.headers.get("origin");
  if (origin !== null && origin !== "null" && !options.corsOrigins.includes(origin)) {
    const foreign = hostOf(origin) !== host;
    if (foreign && request.method !== "GET" && request.method !== "HEAD") {
      throw forbidden(`Pages of ${JSON.stringify(origin.slice(0, 100))} may not change anything here.`);
    }
  }
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
