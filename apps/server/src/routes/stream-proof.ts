import { proveStream, type StationArchive } from "@longwave/station";
import type { Host } from "../host.ts";
import {
  flag,
  integer,
  json,
  listOf,
  objectOf,
  type Route,
  type Schema,
  text,
  textOrNull,
} from "../route.ts";
import { exportedTime, exportParameters } from "./stream-export.ts";

/** Why there is no recorded sound. */
export const gapReasonSchema: Schema = {
  type: "string",
  enum: ["source-away", "source-silent", "not-recorded", "lost"],
};

const fileSchema = objectOf({ bytes: integer, sha256: text });
const storedSchemas = {
  packets: objectOf({ count: integer, lost: integer, sha256: text }),
  shards: listOf(objectOf({ number: integer, sha256: text })),
};
const commonSchemas: Readonly<Record<string, Schema>> = {
  wav: fileSchema,
  opus: fileSchema,
  gaps: listOf(
    objectOf({ at: integer, frames: integer, ms: integer, startsAt: textOrNull, reason: gapReasonSchema }),
  ),
  signature: {
    anyOf: [{ type: "null" }, objectOf({ algorithm: text, publicKey: text, signedAt: text, value: text })],
  },
};

/** What proofs of recordings have besides their place. */
export const proofSchemas: Readonly<Record<string, Schema>> = { ...commonSchemas, ...storedSchemas };

/** The proof of what `/v1/streams/{id}/archive` gives for the same moments, as WAV or as Opus. */
export function streamProofRoute(archive: StationArchive, signer: Host["proofSigner"]): Route {
  return {
    method: "get",
    path: "/v1/streams/{id}/proof",
    tag: "Archive",
    summary:
      "Hashes of what was recorded of a stream between two moments, and which parts of it are no recorded sound",
    parameters: exportParameters,
    timeoutMs: 60_000,
    maxConcurrent: 2,
    answer: {
      status: 200,
      description: "The proof; longwave archive check-proof repeats it.",
      contentType: "application/json",
      schema: objectOf({
        format: text,
        version: integer,
        stream: text,
        from: text,
        to: text,
        frames: integer,
        exact: flag,
        ...commonSchemas,
        pieces: listOf(
          objectOf({
            recording: text,
            from: integer,
            to: integer,
            at: integer,
            profile: text,
            ...storedSchemas,
          }),
        ),
      }),
    },
    handle: async (context, signal) => {
      const { stream, fromMs, toMs } = exportedTime(context);
      const proof = await proveStream(archive, stream, fromMs, toMs, signal);
      return json(signer?.sign(proof, Date.now()) ?? { ...proof, signature: null });
    },
  };
}
