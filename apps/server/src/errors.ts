import { type ErrorKind, LongwaveError } from "@longwave/base";

/**
 * What can go wrong in the server. Codes: `server/port-in-use`, `server/no-permission`, `server/cannot-listen`,
 * `server/token-required`, `server/bad-option`, `server/bad-request`, `server/body-too-large`, `server/busy`,
 * `server/timeout`, `server/not-found`, `server/unauthorized`, `server/forbidden`,
 * `server/method-not-allowed`, `server/unsupported-type`, `server/client-gone`, `server/range-not-satisfiable`, `server/range-too-long`.
 */
export class ServerError extends LongwaveError {
  override readonly name = "ServerError";
  /** HTTP status where it is not the one of the kind. */
  readonly status: number | undefined;
  /** Headers that the answer has besides. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: `server/${string}`,
    kind: ErrorKind,
    message: string,
    options: { cause?: unknown; status?: number; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(code, kind, message, options);
    this.status = options.status;
    this.headers = options.headers ?? {};
  }
}

/** 405 for a path that is there, with the methods that it takes. */
export function methodNotAllowed(method: string, path: string, allow: string): ServerError {
  const message = `${path} does not take ${method.slice(0, 20)}; it takes ${allow}.`;
  return new ServerError("server/method-not-allowed", "usage", message, { status: 405, headers: { allow } });
}

/** 404 for a thing that is not there. */
export function notFound(what: string): ServerError {
  return new ServerError("server/not-found", "usage", `There is no ${what}.`, { status: 404 });
}

/** The client left before its request was whole, or answered. Nobody reads this answer; it is for the figures (499, as nginx has it). */
export function clientGone(cause: unknown): ServerError {
  return new ServerError("server/client-gone", "unavailable", "The client left.", { status: 499, cause });
}
