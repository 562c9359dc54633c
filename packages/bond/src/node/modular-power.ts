import { createPrivateKey, createPublicKey, diffieHellman } from "node:crypto";

// Node has no modular power, but a Diffie-Hellman agreement is one: the "public key" is the base, the "private key" the
// exponent. OpenSSL computes it natively and in constant time. Keys are put together as DER (PKCS #8, X.509) because
// `createDiffieHellman` would test the modulus for primality, which takes tens of milliseconds each time.

const tag = { integer: 0x02, bitString: 0x03, octetString: 0x04, sequence: 0x30 } as const;
/** Object identifier 1.2.840.113549.1.3.1, dhKeyAgreement, with its tag. */
const dhKeyAgreement = Buffer.from("06092a864886f70d010301", "hex");
/** Agreements do not use it, but the encoding has it. */
const generator = Uint8Array.of(2);

/** `base^exponent mod modulus`, big-endian; base from 2 to modulus - 2, modulus a safe prime. */
export function modularPower(base: Uint8Array, exponent: Uint8Array, modulus: Uint8Array): Uint8Array {
  const algorithm = encode(
    tag.sequence,
    dhKeyAgreement,
    encode(tag.sequence, integer(modulus), integer(generator)),
  );
  const version = integer(Uint8Array.of(0));
  const privateDer = encode(tag.sequence, version, algorithm, encode(tag.octetString, integer(exponent)));
  const publicDer = encode(tag.sequence, algorithm, encode(tag.bitString, Buffer.of(0), integer(base)));
  return diffieHellman({
    privateKey: createPrivateKey({ key: privateDer, format: "der", type: "pkcs8" }),
    publicKey: createPublicKey({ key: publicDer, format: "der", type: "spki" }),
  });
}

function encode(type: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const { length } = body;
  const head =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([type, ...head]), body]);
}

/** A non-negative integer: no needless zeros in front, one where the first bit is set. */
function integer(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const body = Buffer.from(bytes.subarray(start));
  return encode(tag.integer, body[0]! & 0x80 ? Buffer.concat([Buffer.of(0), body]) : body);
}
