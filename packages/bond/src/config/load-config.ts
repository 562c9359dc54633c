import { parse, TomlError } from "smol-toml";
import type { SrpOptions } from "../auth/link-authentication.ts";
import { BondError } from "../errors.ts";
import type { LifecycleOptions } from "../link/link-lifecycle.ts";
import type { ReceiverOptions } from "../receiver/receiver-options.ts";
import { maxLinks, type SenderOptions } from "../sender/sender-options.ts";
import { parseRistUri } from "../wire/rist-uri.ts";
import {
  type ConfigKey,
  configTables,
  configVersion,
  latencyProfiles,
  linkKeys,
  topKeys,
} from "./config-schema.ts";
import { migrateConfig } from "./migrate-config.ts";

type Value = number | string | boolean | undefined;
type Table = Readonly<Record<string, Value>>;

/** A configuration with every default filled in. */
export interface BondConfig {
  readonly version: number;
  readonly profile: string;
  readonly tables: Readonly<Record<string, Table>>;
  readonly links: readonly Table[];
  /** What was migrated from an older version, for people. */
  readonly warnings: readonly string[];
}

/**
 * Reads a configuration. An empty text is all defaults; unknown keys are errors; version 0 is migrated.
 * @param file its name, for messages
 * @throws BondError `bond/bad-config` naming file, line, key and what is allowed, `bond/unsupported-version`
 */
export function loadConfig(text: string, file: string): BondConfig {
  const { values, warnings } = migrateConfig(parseToml(text, file));
  const at = (table: string | undefined, key: string, index = 0) =>
    `${file}:${lineOf(text, table, key, index)}`;
  const version = values["version"];
  if (typeof version === "number" && version > configVersion) {
    throw new BondError(
      "bond/unsupported-version",
      "unsupported",
      `${at(undefined, "version")}: version is ${version}; this release reads up to ${configVersion}. Use a newer release.`,
    );
  }
  const tables: Record<string, Table> = {};
  const top: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(values)) {
    if (key in topKeys) top[key] = value;
    else if (key !== "links" && !(key in configTables)) {
      throw bad(at(undefined, key), key, "an unknown key", [
        ...Object.keys(topKeys),
        "links",
        ...Object.keys(configTables),
      ]);
    }
  }
  const resolved = readTable(top, topKeys, "", (key) => at(undefined, key));
  for (const [name, keys] of Object.entries(configTables)) {
    tables[name] = readTable(values[name] ?? {}, keys, `${name}.`, (key) => at(name, key));
  }
  const { srp_user: user, srp_password: password } = tables["rist"]!;
  if ((user === undefined) !== (password === undefined)) {
    const missing = user === undefined ? "srp_user" : "srp_password";
    const present = user === undefined ? "srp_password" : "srp_user";
    throw bad(at("rist", present), `rist.${missing}`, "missing", [`both of srp_user and srp_password`]);
  }
  const { min_latency_ms: least, max_latency_ms: most, listen } = tables["receiver"]!;
  if (typeof least === "number" && typeof most === "number" && least > most) {
    throw bad(at("receiver", "min_latency_ms"), "receiver.min_latency_ms", `${least}`, [
      `at most receiver.max_latency_ms, which is ${most}`,
    ]);
  }
  const isSimple = tables["rist"]!["profile"] === "simple";
  if (listen !== undefined) checkAddress(listen, isSimple, "receiver.listen", at("receiver", "listen"));
  const stored = values["links"] ?? [];
  if (!Array.isArray(stored) || stored.length > maxLinks) {
    throw new BondError(
      "bond/bad-config",
      "usage",
      `${at(undefined, "links")}: links must be 0 to ${maxLinks} [[links]] tables.`,
    );
  }
  const links = stored.map((link, index) => {
    const table = readTable(link, linkKeys, `links[${index}].`, (key) => at("links", key, index));
    if (table["uri"] === undefined)
      throw bad(at("links", "uri", index), `links[${index}].uri`, "missing", ["rist://host:port"]);
    checkAddress(table["uri"], isSimple, `links[${index}].uri`, at("links", "uri", index));
    return table;
  });
  const ids = links.map((link) => link["id"]);
  const twice = ids.findIndex((id, index) => id !== undefined && ids.indexOf(id) !== index);
  if (twice >= 0)
    throw bad(at("links", "id", twice), `links[${twice}].id`, `${String(ids[twice])} again`, [
      "a name of its own",
    ]);
  return { version: configVersion, profile: resolved["profile"] as string, tables, links, warnings };
}

/** @throws BondError `bond/bad-config` where `address` is no `rist://` address, or has an odd port in the Simple profile */
function checkAddress(address: Value, isSimple: boolean, key: string, where: string): void {
  try {
    const { port } = parseRistUri(String(address));
    if (!isSimple || port % 2 === 0) return;
  } catch (cause) {
    throw new BondError("bond/bad-config", "usage", `${where}: ${key}: ${(cause as Error).message}`, {
      cause,
    });
  }
  throw bad(where, key, "an odd port", ["an even one in the Simple profile"]);
}

/** EAP-SRP by name and password; a file of users is read by who reads the configuration. */
function srpOf(rist: Table): SrpOptions {
  const [username, password] = [rist["srp_user"], rist["srp_password"]];
  if (typeof username !== "string" || typeof password !== "string") return {};
  return { srp: { username, password } };
}

/** Options for `createSender`. */
export function senderOptionsOf(config: BondConfig): SenderOptions {
  const { rist, receiver, scheduler, arq, pacing } = config.tables as Record<string, Record<string, never>>;
  return {
    links: config.links.map((link) => ({
      to: link["uri"] as string,
      ...given("id", link["id"]),
      ...given("localAddress", link["interface"]),
      ...given("weight", link["weight"]),
      ...given("maxBitrateBps", link["max_bitrate"]),
    })),
    profile: rist!["profile"]!,
    payloadType: rist!["payload_type"]!,
    ...given("secret", rist!["secret"]),
    ...srpOf(rist!),
    aesBits: rist!["aes_bits"]!,
    ...given("cname", rist!["cname"]),
    deleteNullPackets: rist!["npd"]!,
    bufferMs: receiver!["start_latency_ms"]!,
    scheduler: {
      mode: scheduler!["mode"]!,
      maxShare: scheduler!["max_share"]!,
      maxIdleMs: scheduler!["max_idle_ms"]!,
      degradePenaltyMs: scheduler!["penalty_degrade_ms"]!,
    },
    lifecycle: lifecycleOf(config),
    burstMs: pacing!["burst_ms"]!,
    repeatCopies: arq!["rtx_copies"]!,
    retransmissionFactor: arq!["rtx_budget"]!,
  };
}

/** Options for `createReceiver`; `listen` where the file does not name it. */
export function receiverOptionsOf(config: BondConfig, listen?: string): ReceiverOptions {
  const { rist, receiver, arq } = config.tables as Record<string, Record<string, never>>;
  const bounds = latencyProfiles[config.profile]!;
  const copies = arq!["nack_copies"] as unknown as 0 | 1 | 2 | 3;
  const start = receiver!["start_latency_ms"] as unknown as number;
  return {
    listen: (receiver!["listen"] as string | undefined) ?? listen ?? "rist://@0.0.0.0:7000",
    profile: rist!["profile"]!,
    ...given("secret", rist!["secret"]),
    ...srpOf(rist!),
    aesBits: rist!["aes_bits"]!,
    ...given("cname", rist!["cname"]),
    bufferMs: start,
    minBufferMs: (receiver!["min_latency_ms"] as number | undefined) ?? Math.min(start, bounds.min),
    maxBufferMs: (receiver!["max_latency_ms"] as number | undefined) ?? Math.max(start, bounds.max),
    maxBufferBytes: receiver!["max_buffer_bytes"]!,
    targetResidual: arq!["target_residual"]!,
    nackCopies: copies === 0 ? "auto" : copies,
  };
}

function lifecycleOf(config: BondConfig): Partial<LifecycleOptions> {
  const table = config.tables["lifecycle"]!;
  const names: Readonly<Record<string, keyof LifecycleOptions>> = { rtt_max_ms: "maxRttMs" };
  const entries = Object.entries(table).map(([key, value]) => {
    const camel = key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    return [names[key] ?? camel, value];
  });
  return Object.fromEntries(entries) as Partial<LifecycleOptions>;
}

function given<K extends string>(key: K, value: Value): { [P in K]?: never } {
  return (value === undefined ? {} : { [key]: value }) as unknown as { [P in K]?: never };
}

function parseToml(text: string, file: string): Record<string, unknown> {
  try {
    return parse(text) as Record<string, unknown>;
  } catch (cause) {
    const line = cause instanceof TomlError ? cause.line : 1;
    const reason = (cause as Error).message.split("\n")[0];
    throw new BondError("bond/bad-config", "malformed", `${file}:${line}: ${reason}.`, { cause });
  }
}

function readTable(
  stored: unknown,
  keys: Readonly<Record<string, ConfigKey>>,
  prefix: string,
  at: (key: string) => string,
): Record<string, Value> {
  if (typeof stored !== "object" || stored === null || Array.isArray(stored)) {
    throw bad(at(""), prefix.slice(0, -1), "no table", ["a table"]);
  }
  const result: Record<string, Value> = {};
  for (const key of Object.keys(stored)) {
    if (!(key in keys)) throw bad(at(key), `${prefix}${key}`, "an unknown key", Object.keys(keys));
  }
  for (const [key, definition] of Object.entries(keys)) {
    const value = (stored as Record<string, unknown>)[key];
    if (value === undefined) result[key] = definition.fallback;
    else result[key] = checkValue(value, definition, `${prefix}${key}`, () => at(key));
  }
  return result;
}

function checkValue(value: unknown, definition: ConfigKey, path: string, at: () => string): Value {
  const { kind, least = 0, most = 0, choices = [] } = definition;
  const shown = JSON.stringify(value);
  if (kind === "choice") {
    if (typeof value === "string" && choices.includes(value)) return value;
    throw bad(at(), path, shown, choices);
  }
  if (kind === "text" || kind === "boolean") {
    const isRight = kind === "text" ? typeof value === "string" && value !== "" : typeof value === "boolean";
    if (isRight) return value as string | boolean;
    throw bad(at(), path, shown, [kind === "text" ? "text" : "true or false"]);
  }
  const isWhole = kind === "number" || Number.isInteger(value);
  const isAllowed = path !== "rist.aes_bits" || value === 128 || value === 256;
  if (typeof value === "number" && isWhole && value >= least && value <= most && isAllowed) return value;
  const range =
    path === "rist.aes_bits"
      ? "128 or 256"
      : `a ${kind === "integer" ? "whole " : ""}number from ${least} to ${most}`;
  throw bad(at(), path, shown, [range]);
}

function bad(where: string, key: string, what: string, allowed: readonly string[]): BondError {
  const list = allowed.length > 1 ? `one of ${allowed.join(", ")}` : allowed[0];
  return new BondError("bond/bad-config", "usage", `${where}: ${key} is ${what}; allowed is ${list}.`);
}

/** Line of a key inside its table (the `index`-th of an array of tables), 1 where it cannot be found. */
function lineOf(text: string, table: string | undefined, key: string, index: number): number {
  const lines = text.split("\n");
  let current: string | undefined;
  let count = -1;
  let tableLine = 1;
  for (let i = 0; i < lines.length; i++) {
    const header = /^\s*\[\[?\s*([A-Za-z0-9_-]+)\s*\]\]?/.exec(lines[i]!);
    if (header !== null) {
      current = header[1];
      if (current === table || (table === undefined && current === key)) {
        count++;
        if (count <= index) tableLine = i + 1;
        if (table === undefined) return i + 1;
      }
    } else if (current === table && (table !== "links" || count === index)) {
      if (new RegExp(`^\\s*"?${key.replace(/[^\w-]/g, "")}"?\\s*=`).test(lines[i]!)) return i + 1;
    }
  }
  return tableLine;
}
