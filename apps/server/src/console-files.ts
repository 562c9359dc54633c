import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { extname, join, normalize, sep } from "node:path";
import { Readable } from "node:stream";
import type { Context } from "hono";
import { notFound } from "./errors.ts";
import { problemResponse } from "./problem.ts";

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".json": "application/json",
  ".wasm": "application/wasm",
  ".woff2": "font/woff2",
  ".png": "image/png",
  ".webmanifest": "application/manifest+json",
};

/** What the console's pages may do: load from here, nothing else. */
const contentSecurityPolicy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'wasm-unsafe-eval'; " +
  "worker-src 'self' blob:; media-src 'self' blob:; img-src 'self' data:; connect-src 'self'; " +
  "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Serves the built console. Names with a hash are kept for a year, the page itself is asked for each time. */
export function consoleHandler(directory: string): (context: Context) => Promise<Response> {
  return async (context) => {
    const path = decodePath(context.req.path);
    const file =
      path === undefined ? undefined : join(directory, normalize(path === "/" ? "/index.html" : path));
    const type = file === undefined ? undefined : contentTypes[extname(file)];
    const info =
      file !== undefined && type !== undefined && file.startsWith(directory + sep)
        ? await stat(file).catch(() => undefined)
        : undefined;
    if (file === undefined || type === undefined || !info?.isFile()) {
      return problemResponse(notFound(`page ${context.req.path.slice(0, 200)}`));
    }
    return new Response(Readable.toWeb(createReadStream(file)) as ReadableStream<Uint8Array>, {
      headers: {
        "content-type": type,
        "content-length": String(info.size),
        "cache-control": path?.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
        "content-security-policy": contentSecurityPolicy,
      },
    });
  };
}

function decodePath(path: string): string | undefined {
  try {
    const decoded = decodeURIComponent(path);
    return decoded.includes("\0") ? undefined : decoded;
  } catch {
    return undefined;
  }
}
