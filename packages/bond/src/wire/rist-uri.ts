import { BondError } from "../errors.ts";

/** A parsed `rist://` address with librist's query parameters. */
export interface RistUri {
  /** Host or address; "0.0.0.0" where a listening address leaves it out. */
  readonly host: string;
  readonly port: number;
  /** True for `rist://@host:port`: wait there for the peer instead of calling it. */
  readonly isListening: boolean;
  /** `buffer`: milliseconds. */
  readonly bufferMs?: number;
  /** `weight`: share in DWRR mode; 0 duplicates everything on this link. */
  readonly weight?: number;
  /** `secret`: passphrase of the pre-shared key. */
  readonly secret?: string;
  /** `aes-type`: 128 or 256. */
  readonly aesBits?: 128 | 256;
  /** `reorder-buffer`: milliseconds. */
  readonly reorderMs?: number;
  /** `username` and `password` of EAP-SRP: who we are where we call, the one who may call where we wait. */
  readonly username?: string;
  readonly password?: string;
  /** `srp-compat`: 0 pads numbers in SRP hashes as RFC 5054 says (librist from 0.2.16), 1 does not (default). */
  readonly isSrpPadded?: boolean;
  readonly cname?: string;
  /** `miface`: local address of the interface to use. */
  readonly localAddress?: string;
}

/**
 * Parses `rist://[@]host:port[?key=value&...]`.
 * @throws BondError `bond/bad-uri`
 */
export function parseRistUri(text: string): RistUri {
  const match = /^rist:\/\/(@?)(\[[0-9a-fA-F:.]+\]|[^:/?#@[\]]*):(\d{1,5})\/?(?:\?(.*))?$/.exec(text);
  if (match === null) throw badUri(text, "use rist://host:port or rist://@host:port to listen");
  const isListening = match[1] === "@" || match[2] === "";
  const host = match[2]!.replace(/^\[|\]$/g, "") || "0.0.0.0";
  const port = Number(match[3]);
  if (port < 1 || port > 65535) throw badUri(text, `port ${port} is outside 1 to 65535`);
  const result: { -readonly [K in keyof RistUri]: RistUri[K] } = { host, port, isListening };
  for (const pair of match[4]?.split("&") ?? []) {
    const cut = pair.indexOf("=");
    if (cut < 1) throw badUri(text, `the parameter ${JSON.stringify(pair)} has no value`);
    applyParameter(text, result, pair.slice(0, cut), decode(text, pair.slice(cut + 1)));
  }
  if ((result.username === undefined) !== (result.password === undefined)) {
    throw badUri(text, "username and password go together");
  }
  return result;
}

function applyParameter(
  text: string,
  result: { -readonly [K in keyof RistUri]: RistUri[K] },
  key: string,
  value: string,
): void {
  if (key === "buffer" || key === "buffer-max") result.bufferMs = integer(text, key, value, 1, 60_000);
  else if (key === "buffer-min") result.bufferMs ??= integer(text, key, value, 1, 60_000);
  else if (key === "weight") result.weight = integer(text, key, value, 0, 1000);
  else if (key === "secret") result.secret = value;
  else if (key === "aes-type") {
    const bits = integer(text, key, value, 0, 256);
    if (bits === 128 || bits === 256) result.aesBits = bits;
    else if (bits !== 0) throw badUri(text, "aes-type is 128 or 256");
  } else if (key === "reorder-buffer") result.reorderMs = integer(text, key, value, 0, 10_000);
  else if (key === "username" || key === "password") {
    if (value === "" || value.length > 255) throw badUri(text, `${key} has 1 to 255 characters`);
    result[key] = value;
  } else if (key === "srp-compat") result.isSrpPadded = integer(text, key, value, 0, 1) === 0;
  else if (key === "cname") result.cname = value;
  else if (key === "miface") result.localAddress = value;
  else throw badUri(text, `${JSON.stringify(key)} is no known parameter`);
}

function decode(text: string, value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw badUri(text, "a parameter has a broken % escape");
  }
}

function integer(text: string, key: string, value: string, least: number, most: number): number {
  const number = Number(value);
  if (value === "" || !Number.isInteger(number) || number < least || number > most) {
    throw badUri(
      text,
      `${key} must be a whole number from ${least} to ${most}, not ${JSON.stringify(value)}`,
    );
  }
  return number;
}

function badUri(text: string, reason: string): BondError {
  return new BondError(
    "bond/bad-uri",
    "usage",
    `${JSON.stringify(redact(text))} is no RIST address: ${reason}.`,
  );
}

/** The address without its secrets, for messages and logs. */
export function redact(text: string): string {
  return text.replace(/((?:secret|password)=)[^&]*/g, "$1***");
}
