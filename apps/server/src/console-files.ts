import { readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join, sep } from "node:path";
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

interface ConsoleFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
}

/**
 * Serves the built console, which is read once: a page that is open goes on while the files are built anew below a running server. Names
 * with a hash are kept for a year, the page itself is asked for each time.
 */
export function consoleHandler(directory: string): (context: Context) => Promise<Response> {
  const files = readConsole(directory);
  return async (context) => {
    const path = decodePath(context.req.path);
    const file = path === undefined ? undefined : files.get(path === "/" ? "/index.html" : path);
    if (file === undefined) return problemResponse(notFound(`page ${context.req.path.slice(0, 200)}`));
    return new Response(file.bytes, {
      headers: {
        "content-type": file.type,
        "content-length": String(file.bytes.length),
        "cache-control": path?.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
        "content-security-policy": contentSecurityPolicy,
      },
    });
  };
}

/** All files of the kinds above, by their path in an address. */
function readConsole(directory: string): ReadonlyMap<string, ConsoleFile> {
  const files = new Map<string, ConsoleFile>();
  for (const name of readdirSync(directory, { recursive: true, encoding: "utf8" })) {
    const type = contentTypes[extname(name)];
    const path = join(directory, name);
    if (type === undefined || !statSync(path).isFile()) continue;
    files.set(`/${name.replaceAll(sep, "/")}`, { bytes: new Uint8Array(readFileSync(path)), type });
  }
  return files;
}

function decodePath(path: string): string | undefined {
  try {
    const decoded = decodeURIComponent(path);
    return decoded.includes("\0") ? undefined : decoded;
  } catch {
    return undefined;
  }
}
