import type { ArchivePosition } from "@longwave/archive";
import { parseDurationUs } from "../duration.ts";
import { CliError } from "../errors.ts";

/** A place in a recording as users write it: `480000` (samples), `90s`, `1:30`, `2026-03-01T12:00:00Z`. */
export function parsePosition(text: string): ArchivePosition {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  if (/^\d{4}-\d\d-\d\dT/.test(text)) return { unixNs: parseTimeNs(text) };
  return Math.round((parseDurationUs(text) * 48) / 1000);
}

/** Nanoseconds since the Unix epoch of an ISO 8601 time; a zone (or Z) is required, so that nobody's zone is guessed. */
export function parseTimeNs(text: string): bigint {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)$/.exec(text);
  const ms = match === null ? Number.NaN : Date.parse(`${match[1]}${match[3]}`);
  if (match === null || Number.isNaN(ms)) {
    throw new CliError(
      "cli/bad-argument",
      "usage",
      `${JSON.stringify(text)} is no time; write 2026-03-01T12:00:00Z or with an offset such as +01:00.`,
    );
  }
  return BigInt(ms) * 1_000_000n + BigInt((match[2] ?? "0").padEnd(9, "0"));
}

/** Minutes ahead of UTC of an offset such as `+02:00`, `-0330` or `Z`. */
export function parseUtcOffset(text: string): number {
  const match = /^(?:Z|([+-])(\d\d):?(\d\d))$/.exec(text);
  const minutes = Number(match?.[2] ?? 0) * 60 + Number(match?.[3] ?? 0);
  if (match === null || minutes > 18 * 60 || Number(match[3] ?? 0) > 59) {
    throw new CliError("cli/bad-argument", "usage", `--utc-offset is one such as +02:00, not ${text}.`);
  }
  return match[1] === "-" ? -minutes || 0 : minutes;
}
