import { readFileSync } from "node:fs";
import { isLongwaveError } from "@longwave/base";
import { systemErrorKind, systemReason } from "@longwave/base/node";
import { engineNames } from "@longwave/tts/node";
import { parseYaml } from "@longwave/tts/yaml";
import { parse } from "smol-toml";
import { parseDurationUs } from "./duration.ts";
import { ConfigError } from "./errors.ts";
import { configFormat, requireKnownVersion } from "./migrate-config.ts";

/** Where a value came from, strongest first. */
export type Origin = "flag" | "environment" | "file" | "default";

export interface Setting {
  readonly value: string | number | boolean | undefined;
  readonly origin: Origin;
  /** Name of the flag, the variable or the file. */
  readonly from: string;
}

export interface Definition {
  readonly kind: "text" | "integer" | "duration" | "secret" | "flag";
  readonly fallback: string | number | boolean | undefined;
  /** The only values that are taken. */
  readonly choices?: readonly string[];
  /** Least and greatest value of an integer. */
  readonly range?: readonly [number, number];
  /** The shortest duration, such as "1m". */
  readonly least?: string;
  readonly description: string;
}

export type SettingName =
  | "address"
  | "port"
  | "token"
  | "cors"
  | "seed"
  | "songs"
  | "input"
  | "impair"
  | "catalog"
  | "archive"
  | "keep"
  | "signkey"
  | "stations"
  | "speech"
  | "model"
  | "voice"
  | "bitrate"
  | "send"
  | "report"
  | "texts"
  | "every";

/** Every setting: its key in longwave.toml, `--key` on the command line, LONGWAVE_KEY in the environment. */
export const settingDefinitions: Readonly<Record<SettingName, Definition>> = {
  address: { kind: "text", fallback: "127.0.0.1", description: "address to listen on" },
  port: { kind: "integer", fallback: 7373, range: [0, 65_535], description: "TCP port, 0 for any free one" },
  token: { kind: "secret", fallback: undefined, description: "bearer token; needed off loopback" },
  cors: {
    kind: "text",
    fallback: undefined,
    description: "origins of other pages that may call, with commas, such as https://radio.example",
  },
  seed: {
    kind: "integer",
    fallback: 7,
    range: [0, 0xffffffff],
    description: "seed of the built-in programme",
  },
  songs: { kind: "integer", fallback: 24, range: [1, 500], description: "songs of the built-in programme" },
  input: {
    kind: "text",
    fallback: undefined,
    description: "file, directory, http(s):// or rist:// address, or -",
  },
  impair: {
    kind: "text",
    fallback: undefined,
    choices: ["demo", "none"],
    description:
      "what is put on the sound's way: demo for losses and noise, none; none where there is an input",
  },
  catalog: {
    kind: "text",
    fallback: undefined,
    description: "directory of the catalog, postgres:// or nats:// address; in memory without",
  },
  archive: {
    kind: "text",
    fallback: undefined,
    description: "directory of the archive, or s3://bucket/prefix; temporary without",
  },
  keep: {
    kind: "duration",
    fallback: undefined,
    least: "1m",
    description: "how long recordings are kept, such as 42d",
  },
  speech: {
    kind: "text",
    fallback: undefined,
    choices: engineNames,
    description: "speech engine; native with a model, else formant",
  },
  model: { kind: "text", fallback: undefined, description: "folder of the speech model" },
  voice: { kind: "text", fallback: undefined, description: "voice of the announcements" },
  bitrate: {
    kind: "integer",
    fallback: 96_000,
    range: [6000, 510_000],
    description: "bit rate of the programme's encoder",
  },
  send: {
    kind: "text",
    fallback: undefined,
    description: "RIST addresses that get the programme, with commas",
  },
  report: {
    kind: "text",
    fallback: undefined,
    description: "directory of the daily report of what was heard",
  },
  texts: { kind: "text", fallback: undefined, description: "file of announcements, one a line" },
  every: {
    kind: "duration",
    fallback: "10m",
    least: "1s",
    description: "time between two announcements of that file",
  },
  signkey: {
    kind: "text",
    fallback: undefined,
    description: "Ed25519 key (PEM) that proofs are signed with",
  },
  stations: {
    kind: "integer",
    fallback: 1,
    range: [1, 16],
    description: "stations with programmes of their own",
  },
};

export type Settings = Readonly<Record<SettingName, Setting>>;

/** The tables of longwave.toml: settings of speech (speech/speech-settings.ts) and of the job queue (jobs/jobs-settings.ts). */
export const speechTable = "tts";
export const jobsTable = "jobs";

/** The file that is read from the working directory where none is named. */
export const defaultConfigFile = "longwave.toml";

/**
 * Resolves all settings: flag, then environment, then file, then default.
 *
 * @param flags values as the command line gave them
 * @param file named by the user; must then exist
 * @throws ConfigError for an unreadable file, an unknown key, a value of the wrong kind
 */
export function resolveSettings(
  flags: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
  file?: string,
): Settings {
  const stored = readConfig(environment, file);
  const settings: Partial<Record<SettingName, Setting>> = {};
  for (const [name, definition] of Object.entries(settingDefinitions) as [SettingName, Definition][]) {
    settings[name] = resolveSetting(name, definition, {
      flags,
      environment,
      variables: [`LONGWAVE_${name.toUpperCase()}`],
      stored,
    });
  }
  return settings as Settings;
}

/** A table of the configuration file with settings of its own. */
export interface TableDefinition<Name extends string> {
  readonly table: string;
  readonly definitions: Readonly<Record<Name, Definition>>;
  /** Beginnings of its environment variables, the first one first. */
  readonly prefixes: readonly string[];
}

/** Resolves the settings of a table. @throws ConfigError for an unknown key or a value of the wrong kind */
export function resolveTable<Name extends string>(
  { table, definitions, prefixes }: TableDefinition<Name>,
  flags: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
  file?: string,
): Readonly<Record<Name, Setting>> {
  const { path, values: whole } = readConfig(environment, file);
  const found = whole[table] ?? {};
  if (typeof found !== "object" || found === null || Array.isArray(found)) {
    throw new ConfigError("config/bad-value", "usage", `${table} in ${path} must be a table.`);
  }
  const values = found as Record<string, unknown>;
  for (const key of Object.keys(values)) {
    if (Object.hasOwn(definitions, key)) continue;
    const known = Object.keys(definitions).join(", ");
    throw new ConfigError(
      "config/unknown-key",
      "usage",
      `[${table}] in ${path} has the unknown key ${key}; known are ${known}.`,
    );
  }
  const settings: Partial<Record<Name, Setting>> = {};
  for (const [name, definition] of Object.entries(definitions) as [Name, Definition][]) {
    const upper = name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
    const variables = prefixes.map((prefix) => `${prefix}${upper}`);
    settings[name] = resolveSetting(name, definition, {
      flags,
      environment,
      variables,
      stored: { path, values },
    });
  }
  return settings as Record<Name, Setting>;
}

/** A configuration file as it was read. */
export interface StoredConfig {
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Reads the file that was named, or that `LONGWAVE_CONFIG` names, or the default where it exists. @throws ConfigError */
export function readConfig(
  environment: Readonly<Record<string, string | undefined>>,
  file?: string,
): StoredConfig {
  const path = file ?? environment["LONGWAVE_CONFIG"];
  return readConfigFile(path ?? defaultConfigFile, path !== undefined);
}

/** One setting: flag, then the first variable that is set, then file, then default. @throws ConfigError */
export function resolveSetting(
  name: string,
  definition: Definition,
  sources: {
    readonly flags: Readonly<Record<string, unknown>>;
    readonly environment: Readonly<Record<string, string | undefined>>;
    readonly variables: readonly string[];
    readonly stored: StoredConfig;
  },
): Setting {
  const { flags, environment, stored } = sources;
  if (flags[name] !== undefined) {
    const from = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return { value: checked(flags[name], definition, from), origin: "flag", from };
  }
  const variable = sources.variables.find((each) => environment[each] !== undefined);
  if (variable !== undefined) {
    return {
      value: checked(environment[variable], definition, variable),
      origin: "environment",
      from: variable,
    };
  }
  if (stored.values[name] !== undefined) {
    const value = checked(stored.values[name], definition, `${name} in ${stored.path}`);
    return { value, origin: "file", from: stored.path };
  }
  return { value: definition.fallback, origin: "default", from: "default" };
}

function readConfigFile(path: string, required: boolean): { path: string; values: Record<string, unknown> } {
  let content: string;
  try {
    content = readFileSync(path, "utf8");
  } catch (cause) {
    if (!required && (cause as NodeJS.ErrnoException).code === "ENOENT") return { path, values: {} };
    throw new ConfigError(
      "config/unreadable",
      systemErrorKind(cause),
      `Cannot read ${path}: ${systemReason(cause)}.`,
      {
        cause,
      },
    );
  }
  const values = parseConfig(content, path);
  requireKnownVersion(values["version"], path);
  for (const key of Object.keys(values)) {
    if (key === "version" || key === speechTable || key === jobsTable) continue;
    if (Object.hasOwn(settingDefinitions, key)) continue;
    const known = Object.keys(settingDefinitions).join(", ");
    throw new ConfigError(
      "config/unknown-key",
      "usage",
      `${path} has the unknown key ${key}; known are ${known}, and the tables [${speechTable}] and [${jobsTable}]. For an older file: longwave config migrate.`,
    );
  }
  return { path, values };
}

function parseConfig(content: string, path: string): Record<string, unknown> {
  const format = configFormat(path);
  let values: unknown;
  try {
    if (format === "YAML") values = parseYaml(content, path);
    else values = format === "JSON" ? JSON.parse(content) : parse(content);
  } catch (cause) {
    const line = (cause as Error).message.split("\n")[0] ?? "";
    const reason = isLongwaveError(cause) ? cause.message : `${path} is no ${format}: ${line}`;
    throw new ConfigError("config/malformed", "malformed", reason, { cause });
  }
  if (typeof values === "object" && values !== null && !Array.isArray(values)) {
    return values as Record<string, unknown>;
  }
  throw new ConfigError("config/malformed", "malformed", `${path} holds no settings, only ${typeof values}.`);
}

function checked(value: unknown, definition: Definition, from: string): string | number | boolean {
  const bad = (what: string) => new ConfigError("config/bad-value", "usage", `${from} ${what}.`);
  const shown = JSON.stringify(value);
  if (definition.kind === "flag") {
    if (typeof value === "boolean") return value;
    if (value === "true" || value === "1") return true;
    if (value === "false" || value === "0") return false;
    throw bad(`must be true or false, not ${shown}`);
  }
  if (definition.kind === "integer") {
    const number =
      typeof value === "number" ? value : /^-?\d{1,15}$/.test(String(value)) ? Number(value) : Number.NaN;
    if (!Number.isSafeInteger(number)) throw bad(`must be a whole number, not ${shown}`);
    const [low, high] = definition.range ?? [-Infinity, Infinity];
    if (number < low || number > high) throw bad(`must be ${low} to ${high}, not ${number}`);
    return number;
  }
  if (typeof value !== "string" || value === "") throw bad(`must be text, not ${shown}`);
  const { choices, least } = definition;
  if (definition.kind === "duration") {
    let durationUs: number;
    try {
      durationUs = parseDurationUs(value);
    } catch (error) {
      throw bad(`is wrong: ${(error as Error).message.replace(/\.$/, "")}`);
    }
    if (least !== undefined && durationUs < parseDurationUs(least)) {
      throw bad(`must be at least ${least}, not ${value}`);
    }
  }
  if (choices !== undefined && !choices.includes(value)) {
    throw bad(`is ${shown}; it must be one of ${choices.join(", ")}`);
  }
  return value;
}
