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

/** How a configuration file is written, by its name: .yaml and .yml, .json, and every other TOML; the keys are the same. */
export function configFormat(path: string): "TOML" | "YAML" | "JSON" {
  if (/\.ya?ml$/i.test(path)) return "YAML";
  return /\.json$/i.test(path) ? "JSON" : "TOML";
}

/**
 * Brings the text of a configuration file up to the current version, comments and order kept.
 *
 * @returns the new text, the same where nothing had to change
 * @throws ConfigError `config/version` for a file of a newer program, `config/malformed` for what is no JSON
 */
export function migrateConfig(text: string, path: string): string {
  const format = configFormat(path);
  if (format === "JSON") return migrateJson(text, path);
  const [sign, versionLine] = format === "YAML" ? [":", "version: "] : ["=", "version = "];
  const written = new RegExp(`^version\\s*${sign}\\s*(\\d{1,6})\\s*(?:#.*)?$`, "m").exec(text)?.[1];
  const from = written === undefined ? 0 : Number(written);
  requireKnownVersion(from, path);
  // In YAML an indented key belongs to another one.
  const indent = format === "YAML" ? "" : "\\s*";
  let migrated = text;
  for (const [old, current] of renamedSince(from)) {
    migrated = migrated.replace(new RegExp(`^(${indent})${old}(\\s*${sign})`, "m"), `$1${current}$2`);
  }
  if (written === undefined) {
    return migrated.replace(/^(?:---[ \t]*\r?\n)?/, (start) => `${start}${versionLine}${configVersion}\n`);
  }
  return migrated.replace(new RegExp(`^(version\\s*${sign}\\s*)\\d+`, "m"), `$1${configVersion}`);
}

function migrateJson(text: string, path: string): string {
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch (cause) {
    const reason = `${path} is no JSON: ${(cause as Error).message}`;
    throw new ConfigError("config/malformed", "malformed", reason, { cause });
  }
  if (typeof values !== "object" || values === null || Array.isArray(values)) {
    throw new ConfigError("config/malformed", "malformed", `${path} holds no settings.`);
  }
  const { version, ...rest } = values as Record<string, unknown>;
  requireKnownVersion(version, path);
  if (version === configVersion) return text;
  const renamed = new Map(renamedSince((version as number | undefined) ?? 0));
  const entries = Object.entries(rest).map(([key, value]) => [renamed.get(key) ?? key, value]);
  return `${JSON.stringify({ version: configVersion, ...Object.fromEntries(entries) }, null, 2)}\n`;
}

/** Old and current names of keys that were renamed after version `from`. */
function renamedSince(from: number): [string, string][] {
  return migrations.filter(({ to }) => from < to).flatMap(({ renamed }) => Object.entries(renamed));
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
