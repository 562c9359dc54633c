import type { BondCrypto } from "../crypto/crypto-port.ts";
import { BondError } from "../errors.ts";
import { createSrpVerifier, type SrpVerifier } from "./srp.ts";

/** A stored verifier and the EAP version whose hashes it was made with: 2 or 3. */
export interface SrpCredential extends SrpVerifier {
  readonly version: 2 | 3;
}

/** Who may connect to a waiting end. */
export interface SrpUsers {
  /** The credential of a user for a peer of `version`; one of the other version makes the peer follow; undefined: unknown. */
  find(username: string, version: 2 | 3): SrpCredential | undefined;
}

/** One user with a known password, for both EAP versions; verifiers are made when they are first asked for. */
export function singleSrpUser(crypto: BondCrypto, username: string, password: string): SrpUsers {
  const made = new Map<2 | 3, SrpCredential>();
  return {
    find(name, version) {
      if (name !== username) return undefined;
      let credential = made.get(version);
      if (credential === undefined) {
        const variant = { hasZeroState: version === 2 };
        credential = { ...createSrpVerifier(crypto, username, password, variant), version };
        made.set(version, credential);
      }
      return credential;
    },
  };
}

/**
 * Reads a file of librist's `ristsrppasswd`: a line `user:verifier:salt:3` per user, base64 without padding, 3 being the
 * 2048-bit group; a fifth field names the hash version, 0 (as EAP version 2, the default) or 1 (version 3).
 * @param file its name, for messages
 * @throws BondError `bond/bad-config` naming file and line
 */
export function parseSrpFile(text: string, file: string): SrpUsers {
  const users = new Map<string, SrpCredential[]>();
  const bad = (line: number, what: string) =>
    new BondError(
      "bond/bad-config",
      "usage",
      `${file}:${line}: ${what}; use a line that ristsrppasswd printed.`,
    );
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line === "" || line.startsWith("#")) continue;
    const [username = "", verifier = "", salt = "", group, hashing = "0", ...rest] = line.split(":");
    if (username === "" || username.length > 255 || rest.length > 0)
      throw bad(index + 1, "no user and verifier");
    if (group !== "3") throw bad(index + 1, `group ${group ?? "is missing"}, only 3 (2048 bits) is known`);
    if (hashing !== "0" && hashing !== "1") throw bad(index + 1, `hash version ${hashing}`);
    const [verifierBytes, saltBytes] = [fromBase64(verifier), fromBase64(salt)];
    if (verifierBytes === undefined || saltBytes === undefined) throw bad(index + 1, "broken base64");
    const credential = {
      verifier: verifierBytes,
      salt: saltBytes,
      version: hashing === "1" ? 3 : 2,
    } as const;
    users.set(username, [...(users.get(username) ?? []), credential]);
  }
  return {
    find(username, version) {
      const all = users.get(username);
      return all?.find((each) => each.version === version) ?? all?.[0];
    },
  };
}

/** One line for `parseSrpFile` and librist's `-F`; `version` 2 is what librist 0.2.7 reads. */
export function formatSrpLine(username: string, credential: SrpCredential): string {
  const fields = [username, toBase64(credential.verifier), toBase64(credential.salt), "3"];
  if (credential.version === 3) fields.push("1");
  return fields.join(":");
}

function fromBase64(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/]{2,1400}={0,2}$/.test(text)) return undefined;
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/=+$/, "");
}
