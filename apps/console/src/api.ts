import { signal } from "@preact/signals";

/** A problem report of the server (RFC 9457), or a failure to reach it. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const tokenKey = "longwave-token";

/** True while the server wants a token that we do not have. */
export const needsToken = signal(false);
/** The token that was given is not the server's. */
export const isTokenRefused = signal(false);

/** Whether requests carry a token: then a plain link to the server is refused. */
export function hasToken(): boolean {
  return sessionStorage.getItem(tokenKey) !== null;
}

export function setToken(token: string): void {
  sessionStorage.setItem(tokenKey, token);
  needsToken.value = false;
}

/** What went wrong, in a sentence for people; what the browser says of itself is left out. */
export function problemText(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  if (error instanceof DOMException && error.name !== "AbortError" && error.name !== "NetworkError")
    return "The browser did not allow it.";
  if (error instanceof DOMException || error instanceof TypeError) return "The connection broke off.";
  return error instanceof Error ? error.message : "Something went wrong.";
}

/** A request to the server, with the token where one is known. @throws ApiError */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  const token = sessionStorage.getItem(tokenKey);
  if (token !== null) headers.set("authorization", `Bearer ${token}`);
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers });
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    throw new ApiError(0, "console/unreachable", "The server cannot be reached.");
  }
  if (response.ok) return response;
  if (response.status === 401) {
    isTokenRefused.value = token !== null;
    needsToken.value = true;
    throw new ApiError(401, "server/unauthorized", "The server wants its token.");
  }
  const problem = (await response.json().catch(() => ({}))) as { detail?: string; code?: string };
  throw new ApiError(
    response.status,
    problem.code ?? "server/unknown",
    problem.detail ??
      (response.status === 503
        ? "The server is busy or starting."
        : `The server answered with the error ${response.status}.`),
  );
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  return await readJson(await request(path, signal === undefined ? {} : { signal }));
}

export function putJson<T>(path: string, value: unknown): Promise<T> {
  return sendJson("PUT", path, value);
}

export function postJson<T>(path: string, value: unknown): Promise<T> {
  return sendJson("POST", path, value);
}

async function sendJson<T>(method: string, path: string, value: unknown): Promise<T> {
  const response = await request(path, {
    method,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(value),
  });
  return await readJson(response);
}

/** @throws ApiError `console/unreadable` for what only looks like an answer of the server */
async function readJson<T>(response: Response): Promise<T> {
  try {
    return (await response.json()) as T;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ApiError(response.status, "console/unreadable", "What answered is not a Longwave server.");
  }
}
