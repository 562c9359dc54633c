import { ConfigError } from "./errors.ts";

/** Version of the configuration file that this program writes and reads. A file without one is of version 1, too. */
export const configVersion = 1;

/** One step: from the version before to this one. Works on lines, so that comments and order stay. */
interface Migration {
  readonly to: number;
  /** Keys that have another name since. */
  readonly renamed: Readonly<Record<string, string>>;
}

/** Names that were in use before version 1 (0.0.x). */
const migrations: readonly Migration[] = [
  { to: 1, renamed: { host: "address", retention: "keep", source: "input", bitrate_bps: "bitrate" } },
];

/**
 * Brings the text of a configuration file up to the current version, comments and order kept.
 *
 * @returns the new text, the same where nothing had to change
 * @throws ConfigError `config/version` for a file of a newer program
 */
export function migrateConfig(text: string, path: string): string {
  const written = /^version\s*=\s*(\d{1,6})\s*(?:#.*)?$/m.exec(text)?.[1];
  const from = written === undefined ? 0 : Number(written);
  requireKnownVersion(from, path);
  let migrated = text;
  for (const { to, renamed } of migrations) {
    if (from >= to) continue;
    for (const [old, current] of Object.entries(renamed)) {
      migrated = migrated.replace(new RegExp(`^(\\s*)${old}(\\s*=)`, "m"), `$1${current}$2`);
    }
  }
  if (written === undefined) return `version = ${configVersion}\n${migrated}`;
  return migrated.replace(/^(version\s*=\s*)\d+/m, `$1${configVersion}`);
}

/** @throws ConfigError `config/version` */
export function requireKnownVersion(version: unknown, path: string): void {
  if (version === undefined) return;
  if (Number.isInteger(version) && (version as number) >= 0 && (version as number) <= configVersion) return;
  throw new ConfigError(
    "config/version",
    "unsupported",
    `${path} has version ${JSON.stringify(version)}; this program reads up to ${configVersion}. Use a newer Longwave.`,
  );
}
