import {
  type Fingerprint,
  fromEnvelope,
  type ProfileId,
  profileIds,
  toEnvelope,
} from "@longwave/fingerprint";
import { CatalogError } from "../errors.ts";
import type { AudioInput, Identification, IdentifyOptions } from "../identification.ts";

/*
 * A question, version 1, little-endian: magic "LWMQ", u16 version, u16 length of the JSON part, JSON, then either the envelope of a
 * fingerprint or mono samples (f32) at the profile's rate. Samples, because the analysis of every matcher gives the same bits from
 * them, and they are smaller than what a verification needs of it.
 */
const magic = 0x514d574c;
const version = 1;
const headerLength = 8;

/** What a matcher is asked. */
export interface Question {
  readonly profile: ProfileId;
  readonly query: AudioInput | Fingerprint;
  readonly options: Pick<IdentifyOptions, "maxFalse" | "limit" | "explain">;
}

/** @param samples of sound are mono and at the profile's rate already */
export function encodeQuestion({ profile, query, options }: Question): Uint8Array {
  const isFingerprint = "records" in query;
  const { maxFalse, limit, explain } = options;
  const head = { profile, kind: isFingerprint ? "fingerprint" : "sound", maxFalse, limit, explain };
  const json = new TextEncoder().encode(
    JSON.stringify(isFingerprint ? head : { ...head, rate: query.sampleRate }),
  );
  const payload = isFingerprint
    ? toEnvelope(query)
    : new Uint8Array(query.samples.buffer, query.samples.byteOffset, query.samples.byteLength);
  const bytes = new Uint8Array(headerLength + json.length + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic, true);
  view.setUint16(4, version, true);
  view.setUint16(6, json.length, true);
  bytes.set(json, headerLength);
  bytes.set(payload, headerLength + json.length);
  return bytes;
}

/** @throws CatalogError `catalog/bad-message`, `catalog/version`; FingerprintError for a damaged envelope */
export function decodeQuestion(bytes: Uint8Array): Question {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < headerLength || view.getUint32(0, true) !== magic)
    throw badMessage("it does not begin with LWMQ");
  if (view.getUint16(4, true) !== version) {
    throw new CatalogError(
      "catalog/version",
      `The question has version ${view.getUint16(4, true)}; this matcher reads ${version}. Update it.`,
    );
  }
  const start = headerLength + view.getUint16(6, true);
  if (start > bytes.length) throw badMessage("it ends early");
  const head = parseJson(bytes.subarray(headerLength, start));
  const profile = profileIds.find((id) => id === head["profile"]);
  if (profile === undefined) throw badMessage(`${JSON.stringify(head["profile"])} is no profile`);
  const options = {
    ...(isWithin(head["maxFalse"], 0, 1) && { maxFalse: head["maxFalse"] }),
    ...(isWithin(head["limit"], 1, 1000) && { limit: Math.floor(head["limit"]) }),
    ...(head["explain"] === true && { explain: true }),
  };
  const payload = bytes.subarray(start);
  if (head["kind"] === "fingerprint") return { profile, query: fromEnvelope(payload), options };
  if (head["kind"] !== "sound" || payload.length % 4 !== 0 || !isWithin(head["rate"], 1000, 768_000)) {
    throw badMessage("it holds neither a fingerprint nor samples");
  }
  // A copy: samples need an aligned buffer.
  const samples = new Float32Array(payload.slice().buffer);
  return { profile, query: { samples, sampleRate: head["rate"] }, options };
}

/** An answer as JSON; the scatter becomes a plain list. */
export function encodeAnswer(answer: Identification): Uint8Array {
  const plain = (_: string, value: unknown) => (value instanceof Int32Array ? [...value] : value);
  return new TextEncoder().encode(JSON.stringify(answer, plain));
}

/** @throws CatalogError `catalog/bad-message` */
export function decodeAnswer(bytes: Uint8Array): Identification {
  const value = parseJson(bytes) as unknown as Identification;
  const isAnswer =
    Array.isArray(value.candidates) &&
    value.candidates.every(
      (each) =>
        typeof each?.track?.id === "string" &&
        typeof each.track.contentHash === "string" &&
        typeof each.score === "number" &&
        typeof each.pFalse === "number" &&
        typeof each.votes === "number" &&
        Array.isArray(each.duplicates),
    );
  if (!isAnswer || typeof value.queryHashes !== "number") throw badMessage("it is no answer of a matcher");
  const candidates = value.candidates.map((each) => ({
    ...each,
    runnerUp: each.runnerUp,
    ...(each.scatter !== undefined && { scatter: Int32Array.from(each.scatter) }),
  }));
  return {
    ...value,
    match: value.match === undefined ? undefined : candidates[0],
    reason: value.reason,
    candidates,
  };
}

function parseJson(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch (cause) {
    throw badMessage((cause as Error).message, cause);
  }
  throw badMessage("it holds no object");
}

function isWithin(value: unknown, least: number, most: number): value is number {
  return typeof value === "number" && value >= least && value <= most;
}

function badMessage(what: string, cause?: unknown): CatalogError {
  return new CatalogError("catalog/bad-message", `A message of a matcher is malformed: ${what}.`, { cause });
}
