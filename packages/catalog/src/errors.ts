import { type ErrorKind, LongwaveError } from "@longwave/base";

/** Why a catalog could not do what was asked. */
export type CatalogErrorCode =
  | "catalog/exists"
  | "catalog/not-found"
  | "catalog/bad-id"
  | "catalog/missing"
  | "catalog/foreign"
  | "catalog/corrupt"
  | "catalog/version"
  | "catalog/profile-mismatch"
  | "catalog/locked"
  | "catalog/read-only"
  | "catalog/write-failed"
  | "catalog/closed"
  | "catalog/engine-failed"
  | "catalog/busy"
  | "catalog/bad-message"
  | "catalog/query-too-long"
  | "catalog/job-abandoned"
  | "catalog/shards-disagree";

const kinds: Readonly<Record<CatalogErrorCode, ErrorKind>> = {
  "catalog/exists": "usage",
  "catalog/not-found": "usage",
  "catalog/bad-id": "usage",
  "catalog/missing": "unavailable",
  "catalog/foreign": "usage",
  "catalog/corrupt": "malformed",
  "catalog/version": "unsupported",
  "catalog/profile-mismatch": "usage",
  "catalog/locked": "unavailable",
  "catalog/read-only": "usage",
  "catalog/write-failed": "unavailable",
  "catalog/closed": "usage",
  "catalog/engine-failed": "unavailable",
  "catalog/busy": "limit",
  "catalog/bad-message": "malformed",
  "catalog/query-too-long": "limit",
  "catalog/job-abandoned": "limit",
  "catalog/shards-disagree": "usage",
};

/** The errors of `@longwave/catalog`; `code` is one of {@link CatalogErrorCode}. */
export class CatalogError extends LongwaveError {
  override readonly name = "CatalogError";

  constructor(code: CatalogErrorCode, message: string, options?: { cause?: unknown }) {
    super(code, kinds[code], message, options);
  }
}
