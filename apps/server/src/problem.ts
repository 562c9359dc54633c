import { httpStatusOf, isLongwaveError } from "@longwave/base";
import { ServerError } from "./errors.ts";

/** A problem report (RFC 9457). `code` is the stable code of the error. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
}

const titles: Readonly<Record<number, string>> = {
  400: "Bad request",
  401: "Token missing or wrong",
  403: "Forbidden",
  404: "Not found",
  405: "Method not allowed",
  408: "Too slow",
  413: "Too large",
  416: "Range not satisfiable",
  415: "Unsupported",
  422: "Malformed",
  499: "Client left",
  500: "Internal error",
  502: "The engine failed",
  503: "Unavailable",
  504: "The engine was too slow",
};

/** The report of an error. Errors that are not ours are not described to the client. */
export function problemOf(error: unknown): Problem {
  const known = isLongwaveError(error);
  const own = error instanceof ServerError ? error.status : undefined;
  const status = own ?? (known && error.code === "archive/not-found" ? 404 : httpStatusOf(error));
  return {
    type: "about:blank",
    title: titles[status] ?? "Error",
    status,
    detail: known ? error.message : "The server failed; its log says why.",
    code: known ? error.code : "server/internal",
  };
}

/** The report as a response. */
export function problemResponse(error: unknown): Response {
  const problem = problemOf(error);
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: {
      "content-type": "application/problem+json",
      ...(problem.status === 401 ? { "www-authenticate": 'Bearer realm="longwave"' } : {}),
      ...(problem.status === 503 ? { "retry-after": "2" } : {}),
      ...(error instanceof ServerError ? error.headers : {}),
    },
  });
}
