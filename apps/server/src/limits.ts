import { clientGone, ServerError } from "./errors.ts";
import type { Route } from "./route.ts";
import { StreamAnswer } from "./stream-answer.ts";

const defaultMaxBodyBytes = 64 * 1024;
const defaultMaxConcurrent = 64;
const defaultTimeoutMs = 10_000;

/** Runs a route's handler inside its limits: so many at once until the last byte of the answer, so long until it begins. */
export class RouteLimiter {
  readonly #route: Route;
  readonly #endless: Set<StreamAnswer>;
  #running = 0;

  /** @param endless holds the answers that go on, while they do */
  constructor(route: Route, endless: Set<StreamAnswer>) {
    this.#route = route;
    this.#endless = endless;
  }

  /**
   * The signal ends with the time and, where the route may take long, when the client leaves.
   *
   * @throws ServerError `server/busy` (503), `server/timeout` (503), `server/body-too-large` (413), `server/client-gone` (499)
   */
  async run(
    request: Request,
    handle: (signal: AbortSignal) => ReturnType<Route["handle"]>,
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
    let isStreaming = false;
    try {
      const answer = await this.#inTime(request, handle);
      if (!(answer instanceof StreamAnswer)) return answer;
      if (request.method === "HEAD") return answer.head();
      const response = answer.isEndless
        ? this.#endlessResponse(answer)
        : answer.response(() => {
            this.#running--;
          });
      isStreaming = !answer.isEndless;
      return response;
    } catch (error) {
      throw request.signal.aborted ? clientGone(error) : error;
    } finally {
      if (!isStreaming) this.#running--;
    }
  }

  #endlessResponse(answer: StreamAnswer): Response {
    const response = answer.response(() => this.#endless.delete(answer));
    this.#endless.add(answer);
    return response;
  }

  async #inTime(
    request: Request,
    handle: (signal: AbortSignal) => ReturnType<Route["handle"]>,
  ): Promise<Response | StreamAnswer> {
    const timeoutMs = this.#route.timeoutMs ?? defaultTimeoutMs;
    const stop = new AbortController();
    const signal =
      this.#route.timeoutMs === undefined ? stop.signal : AbortSignal.any([stop.signal, request.signal]);
    let timer: NodeJS.Timeout | undefined;
    const tooSlow = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const error = new ServerError("server/timeout", "unavailable", `No answer within ${timeoutMs} ms.`);
        stop.abort(error);
        reject(error);
      }, timeoutMs);
    });
    const handling = (async () => handle(signal))();
    try {
      return await Promise.race([handling, tooSlow]);
    } catch (error) {
      // What is made too late is given back.
      handling.then((late) => (late instanceof StreamAnswer ? late.discard() : undefined)).catch(() => {});
      throw error;
    } finally {
      clearTimeout(timer);
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

/** Reads a body of at most `limit` bytes; the declared length is not trusted. @throws ServerError `server/body-too-large`, `server/client-gone` */
export async function readBody(request: Request, limit: number = defaultMaxBodyBytes): Promise<Uint8Array> {
  if (request.body === null) return new Uint8Array(0);
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const piece of request.body) {
      size += piece.length;
      if (size > limit) throw tooLarge(limit);
      pieces.push(piece);
    }
  } catch (error) {
    // Nothing else ends a body early.
    throw error instanceof ServerError ? error : clientGone(error);
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
  return jsonObject(await readBody(request));
}

/** @throws ServerError `server/bad-request` for bytes that are no JSON object */
export function jsonObject(bytes: Uint8Array): Record<string, unknown> {
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

/** @throws ServerError `server/bad-request` naming the first of the fields that nobody knows */
export function refuseUnknown(rest: Readonly<Record<string, unknown>>): void {
  for (const key of Object.keys(rest)) {
    throw new ServerError("server/bad-request", "usage", `Unknown field "${key.slice(0, 60)}".`);
  }
}
