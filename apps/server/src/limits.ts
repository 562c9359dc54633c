import { ServerError } from "./errors.ts";
import type { Route } from "./route.ts";

const defaultMaxBodyBytes = 64 * 1024;
const defaultMaxConcurrent = 64;
const defaultTimeoutMs = 10_000;

/** Runs a route's handler inside its limits: so many at once, so long until the answer begins. */
export class RouteLimiter {
  readonly #route: Route;
  #running = 0;

  constructor(route: Route) {
    this.#route = route;
  }

  /** @throws ServerError `server/busy` (503), `server/timeout` (503), `server/body-too-large` (413) */
  async run(
    request: Request,
    handle: (signal: AbortSignal) => Promise<Response> | Response,
  ): Promise<Response> {
    const limit = this.#route.maxConcurrent ?? defaultMaxConcurrent;
    if (this.#running >= limit) {
      throw new ServerError(
        "server/busy",
        "unavailable",
        `At most ${limit} of these requests run at once; try again.`,
      );
    }
    refuseLargeBody(request, this.#route.maxBodyBytes ?? defaultMaxBodyBytes);
    this.#running++;
    const timeoutMs = this.#route.timeoutMs ?? defaultTimeoutMs;
    const stop = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const tooSlow = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const error = new ServerError("server/timeout", "unavailable", `No answer within ${timeoutMs} ms.`);
        stop.abort(error);
        reject(error);
      }, timeoutMs);
    });
    try {
      return await Promise.race([handle(stop.signal), tooSlow]);
    } finally {
      clearTimeout(timer);
      this.#running--;
    }
  }
}

function tooLarge(limit: number): ServerError {
  return new ServerError("server/body-too-large", "limit", `The body is larger than ${limit} bytes.`);
}

function refuseLargeBody(request: Request, limit: number): void {
  const length = Number(request.headers.get("content-length") ?? 0);
  if (length > limit) throw tooLarge(limit);
}

/** Reads a body of at most `limit` bytes; the declared length is not trusted. @throws ServerError `server/body-too-large` */
export async function readBody(request: Request, limit: number = defaultMaxBodyBytes): Promise<Uint8Array> {
  if (request.body === null) return new Uint8Array(0);
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of request.body) {
    size += piece.length;
    if (size > limit) throw tooLarge(limit);
    pieces.push(piece);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Reads a body that must be a JSON object. @throws ServerError `server/bad-request`, `server/body-too-large` */
export async function readJsonObject(request: Request): Promise<Record<string, unknown>> {
  const bytes = await readBody(request);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new ServerError("server/bad-request", "usage", "The body is no JSON.", { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ServerError("server/bad-request", "usage", "The body must be a JSON object.");
  }
  return value as Record<string, unknown>;
}
