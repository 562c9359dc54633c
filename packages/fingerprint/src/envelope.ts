import { crc32c } from "@longwave/base";
import { FingerprintError } from "./errors.ts";
import type { Fingerprint } from "./fingerprint.ts";
import { profileOf } from "./profile.ts";

/*
 * Envelope LWFP, version 1, little-endian (docs/design/fingerprint.md):
 *   0  magic "LWFP"          4  u16 version            6  u16 length of the profile name
 *   8  u64 config hash      16  u32 sample rate       20  u32 hop size (frame rate = sample rate / hop size)
 *  24  f64 source length    32  u32 record words      36  u32 record count
 *  40  profile name, ASCII, padded with zeros to a multiple of 4; records; u32 CRC32C of all before it
 */
const magic = 0x5046574c;
const version = 1;
const headerLength = 40;

/** Writes a fingerprint as an `LWFP` envelope: self-describing, versioned, with a checksum. */
export function toEnvelope(fingerprint: Fingerprint): Uint8Array {
  const name = new TextEncoder().encode(fingerprint.profile);
  const nameLength = (name.length + 3) & ~3;
  const { records, recordWords } = fingerprint;
  const bytes = new Uint8Array(headerLength + nameLength + records.length * 4 + 4);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic, true);
  view.setUint16(4, version, true);
  view.setUint16(6, name.length, true);
  for (let i = 0; i < 8; i++)
    bytes[8 + i] = Number.parseInt(fingerprint.configHash.slice(2 * i, 2 * i + 2), 16);
  view.setUint32(16, fingerprint.sampleRate, true);
  view.setUint32(20, fingerprint.hopSize, true);
  view.setFloat64(24, fingerprint.sourceLength, true);
  view.setUint32(32, recordWords, true);
  view.setUint32(36, records.length / recordWords, true);
  bytes.set(name, headerLength);
  const start = headerLength + nameLength;
  for (let i = 0; i < records.length; i++) view.setUint32(start + 4 * i, records[i]!, true);
  view.setUint32(bytes.length - 4, crc32c(bytes, 0, bytes.length - 4), true);
  return bytes;
}

/**
 * Reads an `LWFP` envelope. The checksum and the counts are verified before anything is allocated.
 * @throws FingerprintError `fp/envelope` for damaged bytes, `fp/version` for a newer format, `fp/profile-mismatch` for an
 * unknown profile
 */
export function fromEnvelope(bytes: Uint8Array): Fingerprint {
  const fail = (what: string) => new FingerprintError("fp/envelope", `Damaged fingerprint: ${what}.`);
  if (bytes.length < headerLength + 4) throw fail(`${bytes.length} bytes are fewer than a header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== magic) throw fail("it does not begin with LWFP");
  if (view.getUint16(4, true) !== version) {
    throw new FingerprintError(
      "fp/version",
      `This fingerprint has format version ${view.getUint16(4, true)}; this program reads ${version}. Update it.`,
    );
  }
  const stored = view.getUint32(bytes.length - 4, true);
  if (crc32c(bytes, 0, bytes.length - 4) !== stored) throw fail("its checksum does not agree");
  const nameEnd = headerLength + view.getUint16(6, true);
  if (nameEnd > bytes.length - 4) throw fail("its profile name runs over the end");
  const profile = profileOf(new TextDecoder().decode(bytes.subarray(headerLength, nameEnd)));
  const recordWords = view.getUint32(32, true);
  const count = view.getUint32(36, true);
  const start = (nameEnd + 3) & ~3;
  if (recordWords !== profile.recordWords)
    throw fail(`${recordWords} words a record do not fit ${profile.id}`);
  if (start + count * recordWords * 4 + 4 !== bytes.length) {
    throw fail(`${count} records do not make ${bytes.length} bytes`);
  }
  const [sampleRate, hopSize] = [view.getUint32(16, true), view.getUint32(20, true)];
  const sourceLength = view.getFloat64(24, true);
  if (sampleRate !== profile.sampleRate || hopSize !== profile.hopSize) {
    throw fail(`${sampleRate} Hz with hop ${hopSize} is not the geometry of ${profile.id}`);
  }
  if (!Number.isSafeInteger(sourceLength) || sourceLength < 0) throw fail(`its length is ${sourceLength}`);
  const records = new Uint32Array(count * recordWords);
  for (let i = 0; i < records.length; i++) records[i] = view.getUint32(start + 4 * i, true);
  let configHash = "";
  for (let i = 8; i < 16; i++) configHash += bytes[i]!.toString(16).padStart(2, "0");
  return { profile: profile.id, configHash, sampleRate, hopSize, sourceLength, recordWords, records };
}
