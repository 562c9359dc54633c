import {
  type Fingerprint,
  fromEnvelope,
  markColumns,
  type ProfileId,
  profileIds,
  profileOf,
  toEnvelope,
} from "@longwave/fingerprint";
import { CatalogError } from "../errors.ts";
import type { AudioInput, Identification, IdentifyOptions } from "../identification.ts";
import type { StreamWindow } from "../stream-window.ts";

/*
 * A question, version 1, little-endian: magic "LWMQ", u16 version, u16 length of the JSON part, JSON, then the envelope of a fingerprint,
 * mono samples (f32) at the profile's rate, or the window of a stream: records (u32), then whitened levels (i8). Samples, because the
 * analysis of every matcher gives the same bits from them, and they are smaller than what a verification at four shifts needs of it. Of a
 * stream the analysis has been made, at one shift: its levels are smaller than its samples.
 */
const magic = 0x514d574c;
const version = 1;
const headerLength = 8;
/** A matcher keeps at most 120 s of a stream. */
const longestWindowMs = 130_000;
/** Records may be so much older or newer than the rows that are kept beside them. */
const slackFrames = 64;

/** What a matcher is asked. */
export interface Question {
  readonly profile: ProfileId;
  readonly query: AudioInput | Fingerprint | StreamWindow;
  readonly options: Pick<IdentifyOptions, "maxFalse" | "limit" | "explain">;
}

/** @param samples of sound are mono and at the profile's rate already */
export function encodeQuestion({ profile, query, options }: Question): Uint8Array {
  const { maxFalse, limit, explain } = options;
  const { head, payload } = parts(query);
  const json = new TextEncoder().encode(JSON.stringify({ profile, ...head, maxFalse, limit, explain }));
  const bytes = new Uint8Array(payload.reduce((sum, { length }) => sum + length, headerLength + json.length));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic, true);
  view.setUint16(4, version, true);
  view.setUint16(6, json.length, true);
  bytes.set(json, headerLength);
  let at = headerLength + json.length;
  for (const part of payload) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function parts(query: Question["query"]): { head: object; payload: readonly Uint8Array[] } {
  if ("firstFrame" in query) {
    const { milliseconds, firstFrame, records, recordWords, levels } = query;
    const head = { kind: "window", milliseconds, firstFrame, records: records.length / recordWords };
    return { head, payload: [bytesOf(records), bytesOf(levels)] };
  }
  if ("records" in query) return { head: { kind: "fingerprint" }, payload: [toEnvelope(query)] };
  return { head: { kind: "sound", rate: query.sampleRate }, payload: [bytesOf(query.samples)] };
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
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
  if (head["kind"] === "window") return { profile, query: windowOf(profile, head, payload), options };
  if (head["kind"] !== "sound" || payload.length % 4 !== 0 || !isWithin(head["rate"], 1000, 768_000)) {
    throw badMessage("it holds neither a fingerprint nor samples");
  }
  const samples = new Float32Array(copyOf(payload));
  return { profile, query: { samples, sampleRate: head["rate"] }, options };
}

function windowOf(profile: ProfileId, head: Record<string, unknown>, payload: Uint8Array): StreamWindow {
  const { milliseconds, firstFrame, records: count } = head;
  const { recordWords } = profileOf(profile);
  const isSound =
    isWithin(milliseconds, 0, longestWindowMs) &&
    isWithin(firstFrame, 0, 2 ** 32 - 1) &&
    isWithin(count, 0, payload.length) &&
    [milliseconds, firstFrame, count].every(Number.isInteger);
  if (!isSound) throw badMessage("its window has no bounds");
  const recordBytes = 4 * recordWords * count;
  const rows =
    (payload.length - recordBytes) / (profile === "mark-v1" ? markColumns : Number.POSITIVE_INFINITY);
  if (recordBytes > payload.length || !Number.isInteger(rows))
    throw badMessage("its window has another length than it says");
  const records = new Uint32Array(copyOf(payload.subarray(0, recordBytes)));
  // An analysis looks at rows by the frames of its records: those of another stream would have it look anywhere.
  const end = profile === "mark-v1" ? firstFrame + rows : 2 ** 32;
  for (let i = 1; i < records.length; i += recordWords) {
    const frame = records[i]!;
    if (frame + slackFrames < firstFrame || frame > end + slackFrames)
      throw badMessage(`its record at frame ${frame} is outside its window`);
  }
  const levels = new Int8Array(copyOf(payload.subarray(recordBytes)));
  return { profile, milliseconds, records, recordWords, firstFrame, levels };
}

/** A buffer of its own: words need an aligned one, and `slice` of a Node Buffer copies nothing. */
function copyOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
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
  const { shards: _, ...known } = value;
  return {
    ...known,
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
