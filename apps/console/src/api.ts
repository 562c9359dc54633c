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

export function setToken(token: string): void {
  sessionStorage.setItem(tokenKey, token);
  needsToken.value = false;
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
  if (response.ok || response.status === 503) {
    if (response.ok || !(response.headers.get("content-type") ?? "").includes("problem")) return response;
  }
  if (response.status === 401) needsToken.value = true;
  const problem = (await response.json().catch(() => ({}))) as { detail?: string; code?: string };
  throw new ApiError(
    response.status,
    problem.code ?? "server/unknown",
    problem.detail ?? `The server answered ${response.status}.`,
  );
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await request(path, signal === undefined ? {} : { signal });
  return (await response.json()) as T;
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
  return (await response.json()) as T;
}
