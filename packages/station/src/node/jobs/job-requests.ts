import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { systemReason } from "@longwave/base/node";
import { StationError } from "../../errors.ts";
import type { JobKind, JobRequest } from "../../jobs/index.ts";

export interface JobRequestOptions {
  readonly kind: JobKind;
  /** Default 5. */
  readonly maxAttempts?: number;
  readonly replace?: boolean;
  readonly lossy?: boolean;
}

/**
 * The job of a file: read once, for its hash. The same content is one import, however often and under whatever name it is added; and one
 * enrollment for each track id. @throws StationError `station/unreadable`
 */
export async function jobRequestOf(
  file: { readonly path: string; readonly id: string; readonly title: string },
  options: JobRequestOptions,
): Promise<JobRequest> {
  const { kind, maxAttempts = 5, replace, lossy } = options;
  const sha256 = await hashFile(file.path);
  const identity = kind === "import" ? sha256 : `${sha256} ${file.id}`;
  const digest = createHash("sha256").update(identity).digest("hex").slice(0, 24);
  return {
    id: `${kind}-${digest}`,
    kind,
    source: resolve(file.path),
    sha256,
    maxAttempts,
    ...(kind === "enroll" && { track: { id: file.id, title: file.title } }),
    ...(replace === true && { replace }),
    ...(lossy === true && { lossy }),
  };
}

/** SHA-256 of a file as hexadecimal text. @throws StationError `station/unreadable` */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece);
  } catch (cause) {
    throw new StationError(
      "station/unreadable",
      "unavailable",
      `${path} cannot be read: ${systemReason(cause)}.`,
      { cause },
    );
  }
  return hash.digest("hex");
}
