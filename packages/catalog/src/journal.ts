import { crc32c } from "@longwave/base";
import { type Fingerprint, fromEnvelope, toEnvelope } from "@longwave/fingerprint";
import { CatalogError } from "./errors.ts";
import type { TrackMetadata } from "./track.ts";

/*
 * Journal object, version 1, little-endian: magic "LWJL", u16 version, u16 kind (1 add, 2 remove), u32 length of the JSON
 * part, u32 length of the envelope, JSON, envelope, u32 CRC32C of all before it. One object per change, put atomically
 * under the next number, so that a change is there whole or not at all.
 */
const magic = 0x4c4a574c;
const version = 1;
const headerLength = 16;

/** One durable change of a catalog. */
export type JournalEntry =
  | {
      readonly kind: "add";
      readonly track: TrackMetadata;
      readonly fingerprint: Fingerprint;
      /** Replaces an older track of the same id. */
      readonly replace: boolean;
    }
  | { readonly kind: "remove"; readonly id: string };

/** Key of the journal object with this number. */
export function journalKey(sequence: number): string {
  return `journal/${String(sequence).padStart(12, "0")}`;
}

/** Number of a journal object, or undefined where the key is none. */
export function journalSequence(key: string): number | undefined {
  const found = /^journal\/(\d{12})$/.exec(key);
  return found === null ? undefined : Number(found[1]);
}

export function encodeJournalEntry(entry: JournalEntry): Uint8Array {
  const head = entry.kind === "add" ? { track: entry.track, replace: entry.replace } : { id: entry.id };
  const json = new TextEncoder().encode(JSON.stringify(head));
  const envelope = entry.kind === "add" ? toEnvelope(entry.fingerprint) : new Uint8Array(0);
  const bytes = new Uint8Array(headerLength + json.length + envelope.length + 4);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic, true);
  view.setUint16(4, version, true);
  view.setUint16(6, entry.kind === "add" ? 1 : 2, true);
  view.setUint32(8, json.length, true);
  view.setUint32(12, envelope.length, true);
  bytes.set(json, headerLength);
  bytes.set(envelope, headerLength + json.length);
  view.setUint32(bytes.length - 4, crc32c(bytes, 0, bytes.length - 4), true);
  return bytes;
}

/** @throws CatalogError `catalog/corrupt`, `catalog/version` */
export function decodeJournalEntry(key: string, bytes: Uint8Array): JournalEntry {
  const fail = (what: string, cause?: unknown) =>
    new CatalogError(
      "catalog/corrupt",
      `${key} is damaged: ${what}. Restore it from a copy of the catalog.`,
      {
        cause,
      },
    );
  if (bytes.length < headerLength + 4) throw fail(`it has only ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== magic) throw fail("it does not begin with LWJL");
  if (view.getUint16(4, true) !== version) {
    throw new CatalogError(
      "catalog/version",
      `${key} has format version ${view.getUint16(4, true)}; this program reads ${version}. Update it.`,
    );
  }
  if (crc32c(bytes, 0, bytes.length - 4) !== view.getUint32(bytes.length - 4, true)) {
    throw fail("its checksum does not agree");
  }
  const jsonEnd = headerLength + view.getUint32(8, true);
  const envelopeEnd = jsonEnd + view.getUint32(12, true);
  if (envelopeEnd + 4 !== bytes.length) throw fail("its parts do not add up");
  try {
    const head = JSON.parse(new TextDecoder().decode(bytes.subarray(headerLength, jsonEnd)));
    if (view.getUint16(6, true) === 2) return { kind: "remove", id: String(head.id) };
    const fingerprint = fromEnvelope(bytes.subarray(jsonEnd, envelopeEnd));
    return { kind: "add", track: head.track, fingerprint, replace: head.replace === true };
  } catch (error) {
    throw fail((error as Error).message, error);
  }
}
