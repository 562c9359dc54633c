import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { IntegrityProof } from "../archive/integrity-proof.ts";
import type { StreamProof } from "../archive/stream-proof.ts";
import { StationError } from "../errors.ts";

/** Who vouches for a proof. */
export interface ProofSignature {
  readonly algorithm: "ed25519";
  /** DER (SubjectPublicKeyInfo, RFC 8410) in base64. */
  readonly publicKey: string;
  /** When it was signed, by the signer's clock (ISO 8601); it is signed, too. */
  readonly signedAt: string;
  /** Over the proof and `signedAt` as JSON, fields in their order and without spaces; base64. */
  readonly value: string;
}

/** A proof as it is exported; null where nobody vouches for it. */
export type SignedProof<Proof = IntegrityProof | StreamProof> = Proof & {
  readonly signature: ProofSignature | null;
};

/** Signs proofs with an Ed25519 key (RFC 8032), so that whoever has the public key knows that this station made them. */
export class ProofSigner {
  readonly #key: KeyObject;
  readonly #publicKey: string;

  private constructor(key: KeyObject) {
    this.#key = key;
    this.#publicKey = createPublicKey(key).export({ type: "spki", format: "der" }).toString("base64");
  }

  /**
   * @param path PEM file, as `openssl genpkey -algorithm ed25519` makes it
   * @throws StationError `station/bad-key`
   */
  static async open(path: string): Promise<ProofSigner> {
    const key = await readKey(path, (pem) => createPrivateKey(pem));
    return new ProofSigner(key);
  }

  /** @param signedAtMs milliseconds since the Unix epoch */
  sign<Proof extends IntegrityProof | StreamProof>(proof: Proof, signedAtMs: number): SignedProof<Proof> {
    const signedAt = new Date(signedAtMs).toISOString();
    const value = sign(null, signedBytes(proof, signedAt), this.#key).toString("base64");
    return { ...proof, signature: { algorithm: "ed25519", publicKey: this.#publicKey, signedAt, value } };
  }
}

/** A public key that proofs shall be signed with. @throws StationError `station/bad-key` */
export function readProofKey(path: string): Promise<KeyObject> {
  return readKey(path, (pem) => createPublicKey(pem));
}

/**
 * Checks the signature of a proof; returns what does not hold, in sentences.
 * @param trusted the key that it must be signed with; without it the signature only has to fit the key that it names
 */
export function checkProofSignature(proof: unknown, trusted?: KeyObject): string[] {
  const { signature, ...rest } = proof as Partial<SignedProof>;
  if (signature === undefined || signature === null)
    return trusted === undefined ? [] : ["The proof is not signed."];
  const { algorithm, publicKey, signedAt, value } = signature;
  const isText = [publicKey, signedAt, value].every((each) => typeof each === "string");
  if (algorithm !== "ed25519" || !isText) return ["The signature is of no known form."];
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.from(publicKey, "base64"), format: "der", type: "spki" });
  } catch {
    return ["The signature names no key."];
  }
  const problems: string[] = [];
  const isFitting =
    key.asymmetricKeyType === "ed25519" &&
    verify(null, signedBytes(rest, signedAt), key, Buffer.from(value, "base64"));
  if (!isFitting) problems.push("The signature does not fit the proof: one of them was changed.");
  if (trusted !== undefined && !key.equals(trusted)) problems.push("The proof is signed with another key.");
  return problems;
}

function signedBytes(proof: object, signedAt: string): Buffer {
  return Buffer.from(JSON.stringify({ ...proof, signedAt }));
}

async function readKey(path: string, parse: (pem: string) => KeyObject): Promise<KeyObject> {
  const bad = (what: string, cause?: unknown) =>
    new StationError(
      "station/bad-key",
      "usage",
      `${path} ${what}; make one with: openssl genpkey -algorithm ed25519 -out ${path}`,
      { cause },
    );
  let pem: string;
  try {
    pem = await readFile(path, "utf8");
  } catch (cause) {
    throw bad(`cannot be read (${(cause as Error).message})`, cause);
  }
  let key: KeyObject;
  try {
    key = parse(pem);
  } catch (cause) {
    throw bad("holds no key", cause);
  }
  if (key.asymmetricKeyType !== "ed25519")
    throw bad(`holds a key of another kind (${key.asymmetricKeyType})`);
  return key;
}
