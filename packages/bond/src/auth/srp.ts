import type { BondCrypto } from "../crypto/crypto-port.ts";
import { Sha256 } from "../crypto/sha256.ts";

// SRP-6a with SHA-256 as RIST uses it inside EAP (TR-06-2 section 5.6, draft-ietf-pppext-eap-srp-03, RFC 5054).
// I user name, P password, s salt, x = H(s | H(I:P)), v = g^x, A = g^a, B = kv + g^b, k = H(N | g), u = H(A | B),
// S = (B - k g^x)^(a + ux) = (A v^u)^b, K = H(S), M1 = H(H(N) xor H(g) | H(I) | s | A | B | K), M2 = H(A | M1 | K).
// Numbers are hashed as big-endian bytes without leading zeros.

/** A safe prime and a generator. */
export interface SrpGroup {
  readonly modulus: bigint;
  readonly generator: bigint;
}

/** The 2048-bit group of RFC 5054 appendix A. */
const modulus2048 = BigInt(
  `0x${[
    "AC6BDB41324A9A9BF166DE5E1389582FAF72B6651987EE07FC3192943DB56050A37329CBB4A099ED8193E0757767A13DD52312AB4B03310D",
    "CD7F48A9DA04FD50E8083969EDB767B0CF6095179A163AB3661A05FBD5FAAAE82918A9962F0B93B855F97993EC975EEAA80D740ADBF4FF74",
    "7359D041D5C33EA71D281E446B14773BCA97B43A23FB801676BD207A436C6481F1D2B9078717461A5B9D32E688F87748544523B524B0D57D",
    "5EA77A2775D2ECFA032CFBDBF52FB3786160279004E57AE6AF874E7303CE53299CCC041C7BC308D82A5698F3A8D0C38271AE35F8E9DBFBB6",
    "94B5C803D89F7AE435DE236D525F54759B65E372FCD68EF20FA7111F9E4AFF73",
  ].join("")}`,
);
/** The only group that links use; tests have another one. */
export const srpGroup: SrpGroup = { modulus: modulus2048, generator: 2n };
/** Bytes of the secret exponents a and b, and of salts. */
const secretBytes = 32;

/** Which of the two hash conventions in the field a peer has. */
export interface SrpVariant {
  /**
   * EAP version 2 as librist before 0.2.8 built it: hashes of several parts start from an all-zero state instead of the
   * standard's. Debian's librist 0.2.7 is one.
   */
  readonly hasZeroState: boolean;
  /** k and u are hashed with zeros in front up to the length of N (RFC 5054; librist from 0.2.16 without `srp-compat=1`). */
  readonly isPadded: boolean;
}

/** What the waiting end stores of a user: it cannot impersonate the user with it. */
export interface SrpVerifier {
  readonly salt: Uint8Array;
  readonly verifier: Uint8Array;
}

/** Makes the salt and verifier of a password. */
export function createSrpVerifier(
  crypto: BondCrypto,
  username: string,
  password: string,
  variant: Pick<SrpVariant, "hasZeroState">,
  group: SrpGroup = srpGroup,
): SrpVerifier {
  const salt = crypto.randomBytes(secretBytes);
  // Numbers have no leading zeros on the way, so a salt must not have any.
  if (salt[0] === 0) salt[0] = 1;
  const x = privateKey(salt, username, password, variant.hasZeroState);
  return { salt, verifier: bytesOf(power(crypto, group, group.generator, x)) };
}

/** The calling end of one exchange. */
export class SrpClient {
  readonly #crypto: BondCrypto;
  readonly #username: string;
  readonly #password: string;
  readonly #salt: Uint8Array;
  readonly #variant: SrpVariant;
  readonly #group: SrpGroup;
  readonly #a: bigint;
  readonly #publicKey: bigint;
  #proof: Uint8Array = new Uint8Array(0);
  /** K, once `prove` was called: 32 bytes. */
  sessionKey: Uint8Array = new Uint8Array(0);

  constructor(
    crypto: BondCrypto,
    username: string,
    password: string,
    salt: Uint8Array,
    variant: SrpVariant,
    group: SrpGroup = srpGroup,
  ) {
    this.#crypto = crypto;
    this.#username = username;
    this.#password = password;
    this.#salt = withoutZeros(salt);
    this.#variant = variant;
    this.#a = secretExponent(crypto);
    this.#group = group;
    this.#publicKey = power(crypto, group, group.generator, this.#a);
  }

  /** A. */
  get publicKey(): Uint8Array {
    return bytesOf(this.#publicKey);
  }

  /** Takes B and returns M1 (32 bytes), or undefined where B is no number that an honest peer sends. */
  prove(serverKey: Uint8Array): Uint8Array | undefined {
    const { modulus, generator } = this.#group;
    const B = numberOf(serverKey);
    if (B % modulus === 0n || B >= modulus) return undefined;
    const u = pairHash(this.#publicKey, B, this.#variant, this.#group);
    if (u === 0n) return undefined;
    const x = privateKey(this.#salt, this.#username, this.#password, this.#variant.hasZeroState);
    const k = multiplier(this.#variant, this.#group);
    const base = (((B - k * power(this.#crypto, this.#group, generator, x)) % modulus) + modulus) % modulus;
    const S = power(this.#crypto, this.#group, base, this.#a + u * x);
    this.sessionKey = hash(bytesOf(S));
    this.#proof = clientProof(
      this.#group,
      this.#username,
      this.#salt,
      this.#publicKey,
      B,
      this.sessionKey,
      this.#variant.hasZeroState,
    );
    return this.#proof;
  }

  /** True if M2 shows that the server knows the verifier. */
  verify(serverProof: Uint8Array): boolean {
    if (this.#proof.length === 0) return false;
    const expected = serverProofOf(this.#publicKey, this.#proof, this.sessionKey, this.#variant.hasZeroState);
    return areEqual(expected, serverProof);
  }
}

/** The waiting end of one exchange. */
export class SrpServer {
  readonly #crypto: BondCrypto;
  readonly #username: string;
  readonly #salt: Uint8Array;
  readonly #verifier: bigint;
  readonly #variant: SrpVariant;
  readonly #group: SrpGroup;
  readonly #b: bigint;
  readonly #publicKey: bigint;
  /** K, once `prove` was called: 32 bytes. */
  sessionKey: Uint8Array = new Uint8Array(0);

  constructor(
    crypto: BondCrypto,
    username: string,
    stored: SrpVerifier,
    variant: SrpVariant,
    group: SrpGroup = srpGroup,
  ) {
    const { modulus, generator } = group;
    this.#group = group;
    this.#crypto = crypto;
    this.#username = username;
    this.#salt = withoutZeros(stored.salt);
    this.#verifier = numberOf(stored.verifier) % modulus;
    this.#variant = variant;
    this.#b = secretExponent(crypto);
    this.#publicKey =
      (multiplier(variant, group) * this.#verifier + power(crypto, group, generator, this.#b)) % modulus;
  }

  /** B. */
  get publicKey(): Uint8Array {
    return bytesOf(this.#publicKey);
  }

  /** Takes A and M1 and returns M2 (32 bytes), or undefined where the client does not know the password. */
  prove(clientKey: Uint8Array, proof: Uint8Array): Uint8Array | undefined {
    const { modulus } = this.#group;
    const A = numberOf(clientKey);
    if (A % modulus === 0n || A >= modulus || this.#verifier === 0n) return undefined;
    const u = pairHash(A, this.#publicKey, this.#variant, this.#group);
    const base = (A * power(this.#crypto, this.#group, this.#verifier, u)) % modulus;
    const key = hash(bytesOf(power(this.#crypto, this.#group, base, this.#b)));
    const { hasZeroState } = this.#variant;
    const expected = clientProof(
      this.#group,
      this.#username,
      this.#salt,
      A,
      this.#publicKey,
      key,
      hasZeroState,
    );
    if (!areEqual(expected, proof)) return undefined;
    this.sessionKey = key;
    return serverProofOf(A, proof, key, hasZeroState);
  }
}

/** True if a group that a server names is the one that we take; others could be weak. */
export function isKnownGroup(g: Uint8Array, N: Uint8Array): boolean {
  return numberOf(g) === srpGroup.generator && numberOf(N) === srpGroup.modulus;
}

function secretExponent(crypto: BondCrypto): bigint {
  return numberOf(crypto.randomBytes(secretBytes));
}

function privateKey(salt: Uint8Array, username: string, password: string, hasZeroState: boolean): bigint {
  const inner = hashParts([utf8(`${username}:${password}`)], hasZeroState);
  return numberOf(hash(withoutZeros(salt), inner));
}

function multiplier(variant: SrpVariant, group: SrpGroup): bigint {
  return pairHash(group.modulus, group.generator, variant, group);
}

function pairHash(first: bigint, second: bigint, variant: SrpVariant, group: SrpGroup): bigint {
  const length = variant.isPadded ? bytesOf(group.modulus).length : 0;
  return numberOf(hash(padded(bytesOf(first), length), padded(bytesOf(second), length)));
}

function clientProof(
  group: SrpGroup,
  username: string,
  salt: Uint8Array,
  A: bigint,
  B: bigint,
  key: Uint8Array,
  hasZeroState: boolean,
): Uint8Array {
  const mixed = hash(bytesOf(group.modulus));
  const hashedGenerator = hash(bytesOf(group.generator));
  for (let i = 0; i < mixed.length; i++) mixed[i] = mixed[i]! ^ hashedGenerator[i]!;
  return hashParts([mixed, hash(utf8(username)), salt, bytesOf(A), bytesOf(B), key], hasZeroState);
}

function serverProofOf(A: bigint, proof: Uint8Array, key: Uint8Array, hasZeroState: boolean): Uint8Array {
  return hashParts([bytesOf(A), proof, key], hasZeroState);
}

function hash(...parts: Uint8Array[]): Uint8Array {
  return hashParts(parts, false);
}

function hashParts(parts: readonly Uint8Array[], hasZeroState: boolean): Uint8Array {
  const sha = hasZeroState ? new Sha256(new Uint32Array(8)) : new Sha256();
  for (const part of parts) sha.update(part);
  return sha.digest();
}

function power(crypto: BondCrypto, group: SrpGroup, base: bigint, exponent: bigint): bigint {
  const { modulus } = group;
  // The native routine takes bases from 2 on; 0 and 1 come from dishonest peers only.
  if (crypto.modPow !== undefined && base > 1n) {
    return numberOf(crypto.modPow(bytesOf(base), bytesOf(exponent), bytesOf(modulus)));
  }
  let result = 1n;
  let square = base % modulus;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

/** Compares in a time that does not depend on where two arrays differ. */
function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ (b[i] ?? 0);
  return difference === 0;
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function withoutZeros(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  return bytes.slice(start);
}

function padded(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length >= length) return bytes;
  const result = new Uint8Array(length);
  result.set(bytes, length - bytes.length);
  return result;
}

function numberOf(bytes: Uint8Array): bigint {
  let text = "0x0";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return BigInt(text);
}

function bytesOf(value: bigint): Uint8Array {
  const text = value.toString(16);
  const even = text.length % 2 === 0 ? text : `0${text}`;
  return Uint8Array.from({ length: even.length / 2 }, (_, i) =>
    Number.parseInt(even.slice(2 * i, 2 * i + 2), 16),
  );
}
