import { configHash } from "./config-hash.ts";
import { FingerprintError } from "./errors.ts";
import type { Fingerprint } from "./fingerprint.ts";
import { haitsmaConfigHash } from "./haitsma-extractor.ts";
import { panakoDefaults, wangDefaults } from "./landmark-settings.ts";
import { type ProfileId, profileIds, profileOf } from "./profile.ts";

const magic = "AUDIOFP\0";
const headerLength = 18;
const version = 1;

/**
 * Writes the serial form of audiofp, version 1: magic `AUDIOFP\0`, version, algorithm, record count, frames per second,
 * records, all little-endian. `haitsma-v1` stores one word a frame, the others whole records.
 */
export function toSerialV1(fingerprint: Fingerprint): Uint8Array {
  if (fingerprint.profile === "mark-v1") {
    throw new FingerprintError(
      "fp/profile-mismatch",
      "audiofp has no mark-v1; write an LWFP envelope instead.",
    );
  }
  const words = storedWords(fingerprint.profile);
  const step = fingerprint.recordWords;
  const count = fingerprint.records.length / step;
  const bytes = new Uint8Array(headerLength + count * words * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < 8; i++) bytes[i] = magic.charCodeAt(i);
  bytes[8] = version;
  bytes[9] = profileIds.indexOf(fingerprint.profile);
  view.setUint32(10, count, true);
  view.setFloat32(14, fingerprint.sampleRate / fingerprint.hopSize, true);
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < words; k++) {
      view.setUint32(headerLength + 4 * (i * words + k), fingerprint.records[i * step + k]!, true);
    }
  }
  return bytes;
}

/**
 * Reads the serial form of audiofp, version 1. It carries neither settings nor length: default settings are assumed, and
 * the length is that of the last frame. Bytes after the records are ignored.
 * @throws FingerprintError `fp/envelope`, `fp/version`
 */
export function fromSerialV1(bytes: Uint8Array): Fingerprint {
  const fail = (what: string) => new FingerprintError("fp/envelope", `No audiofp fingerprint: ${what}.`);
  if (bytes.length < headerLength)
    throw fail(`${bytes.length} bytes are fewer than its header of ${headerLength}`);
  for (let i = 0; i < 8; i++)
    if (bytes[i] !== magic.charCodeAt(i)) throw fail("it does not begin with AUDIOFP");
  if (bytes[8] !== version) {
    throw new FingerprintError(
      "fp/version",
      `audiofp serial version ${bytes[8]} is unknown; only 1 is read.`,
    );
  }
  const id = profileIds[bytes[9]!];
  if (bytes[9]! > 2 || id === undefined) throw fail(`algorithm ${bytes[9]} is unknown`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint32(10, true);
  const framesPerSecond = view.getFloat32(14, true);
  if (!(framesPerSecond > 0 && framesPerSecond < Number.POSITIVE_INFINITY)) {
    throw fail(`its frame rate is ${framesPerSecond}`);
  }
  const profile = profileOf(id);
  if (Math.abs((framesPerSecond * profile.hopSize) / profile.sampleRate - 1) > 1e-3) {
    throw fail(
      `its frame rate is ${framesPerSecond}, that of ${id} is ${profile.sampleRate / profile.hopSize}`,
    );
  }
  const words = storedWords(id);
  if (headerLength + count * words * 4 > bytes.length) {
    throw fail(`${count} records do not fit in ${bytes.length} bytes`);
  }
  const step = profile.recordWords;
  const records = new Uint32Array(count * step);
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < words; k++) {
      records[i * step + k] = view.getUint32(headerLength + 4 * (i * words + k), true);
    }
    if (words === 1) records[i * step + 1] = i + 1;
  }
  const lastFrame = count === 0 ? 0 : records[(count - 1) * step + 1]!;
  return {
    profile: id,
    configHash: defaultConfigHash(id),
    sampleRate: profile.sampleRate,
    hopSize: profile.hopSize,
    sourceLength: lastFrame * profile.hopSize + profile.fftSize,
    recordWords: step,
    records,
  };
}

function storedWords(id: ProfileId): number {
  return id === "haitsma-v1" ? 1 : profileOf(id).recordWords;
}

function defaultConfigHash(id: ProfileId): string {
  if (id === "haitsma-v1") return haitsmaConfigHash;
  return configHash({ profile: id, ...(id === "wang-v1" ? wangDefaults : panakoDefaults) });
}
