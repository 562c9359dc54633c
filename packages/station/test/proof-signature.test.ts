import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { IntegrityProof } from "../src/index.ts";
import { checkProofSignature, ProofSigner, readProofKey } from "../src/node/index.ts";

const folder = mkdtempSync(join(tmpdir(), "longwave-proof-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes a pair of keys; returns the two files. */
function keyFiles(name: string, type: "ed25519" | "x25519" = "ed25519"): { secret: string; open: string } {
  const { privateKey, publicKey } = generateKeyPairSync(type as "ed25519");
  const [secret, open] = [join(folder, `${name}.pem`), join(folder, `${name}.pub`)];
  writeFileSync(secret, privateKey.export({ type: "pkcs8", format: "pem" }));
  writeFileSync(open, publicKey.export({ type: "spki", format: "pem" }));
  return { secret, open };
}

const proof: IntegrityProof = {
  format: "longwave-proof",
  version: 2,
  recording: "studio-1-20260101T000000Z",
  stream: "studio-1",
  from: 0,
  to: 48_000,
  startsAt: "2026-01-01T00:00:00.000Z",
  profile: "opus-1",
  exact: true,
  wav: { bytes: 192_044, sha256: "ab".repeat(32) },
  opus: { bytes: 12_000, sha256: "ef".repeat(32) },
  gaps: [],
  packets: { count: 54, lost: 0, sha256: "cd".repeat(32) },
  shards: [],
};

test("a signed proof holds for its key, over JSON and back, and for nothing that was changed", async () => {
  const [ours, others] = [keyFiles("ours"), keyFiles("others")];
  const signed = (await ProofSigner.open(ours.secret)).sign(proof, Date.parse("2026-02-01T08:00:00Z"));
  const sent: unknown = JSON.parse(JSON.stringify(signed, null, 2));
  const key = await readProofKey(ours.open);
  expect(checkProofSignature(sent)).toEqual([]);
  expect(checkProofSignature(sent, key)).toEqual([]);
  expect(checkProofSignature(sent, await readProofKey(others.open))).toEqual([
    "The proof is signed with another key.",
  ]);
  const changed = /does not fit/;
  expect(checkProofSignature({ ...signed, to: 96_000 }, key)[0]).toMatch(changed);
  const signature = { ...signed.signature!, signedAt: "2026-01-01T08:00:00.000Z" };
  expect(checkProofSignature({ ...signed, signature }, key)[0]).toMatch(changed);
});

test("no signature is none, and one of another form is no good", async () => {
  const key = await readProofKey(keyFiles("one").open);
  expect(checkProofSignature({ ...proof, signature: null })).toEqual([]);
  expect(checkProofSignature({ ...proof, signature: null }, key)).toEqual(["The proof is not signed."]);
  for (const signature of [{}, { algorithm: "rsa", publicKey: "", signedAt: "", value: "" }]) {
    expect(checkProofSignature({ ...proof, signature })).toEqual(["The signature is of no known form."]);
  }
  const nonsense = { algorithm: "ed25519", publicKey: "AAAA", signedAt: "x", value: "AAAA" };
  expect(checkProofSignature({ ...proof, signature: nonsense })).toEqual(["The signature names no key."]);
});

test("a key file that is none says how to make one", async () => {
  writeFileSync(join(folder, "text.pem"), "no key");
  for (const path of [
    join(folder, "absent.pem"),
    join(folder, "text.pem"),
    keyFiles("other-kind", "x25519").secret,
  ]) {
    await expect(ProofSigner.open(path)).rejects.toThrow(/openssl genpkey -algorithm ed25519/);
  }
});
