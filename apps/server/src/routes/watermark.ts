import { findMarks, stationMarkKey } from "@longwave/station";
import { ServerError } from "../errors.ts";
import { json, listOf, number, objectOf, type Route, text } from "../route.ts";
import { audioBody, decodeBody, maxClipBytes, maxClipSeconds } from "./clip.ts";

/** The key travels in a header: addresses end up in logs. */
const keyHeader = "x-watermark-key";
const maxKeyLength = 256;

/** Reading the marks of a clip. */
export function watermarkRoutes(): Route[] {
  return [
    {
      method: "post",
      path: "/v1/watermark/detect",
      tag: "Watermark",
      summary: "Reads the marks of a key in a clip",
      parameters: [
        {
          name: keyHeader,
          in: "header",
          description: "The secret of the marks; default: that of the built-in station's jingles.",
          schema: text,
        },
        {
          name: "payloadBytes",
          in: "query",
          description: "Bytes that a mark carries.",
          schema: { type: "integer", enum: [4, 8], default: 4 },
        },
      ],
      body: {
        contentType: "application/octet-stream",
        description: "An audio file of at most 120 s: WAV, MP3, FLAC, Ogg and more.",
        schema: audioBody,
      },
      maxBodyBytes: maxClipBytes,
      maxConcurrent: 2,
      timeoutMs: 60_000,
      answer: {
        status: 200,
        description:
          "Every mark: its payload in hexadecimal digits, where it was read (seconds), how far it stands out (standard deviations) and the share of bits that were corrected.",
        contentType: "application/json",
        schema: objectOf({
          marks: listOf(
            objectOf({ payload: text, start: number, end: number, sync: number, bitErrorRate: number }),
          ),
        }),
      },
      handle: async (context, signal) => {
        const payloadBytes = context.req.query("payloadBytes") ?? "4";
        if (payloadBytes !== "4" && payloadBytes !== "8")
          throw new ServerError("server/bad-request", "usage", "payloadBytes must be 4 or 8.");
        const key = context.req.header(keyHeader) ?? stationMarkKey;
        if (key.length === 0 || key.length > maxKeyLength) {
          throw new ServerError(
            "server/bad-request",
            "usage",
            `The key in ${keyHeader} must have 1 to ${maxKeyLength} characters.`,
          );
        }
        const sound = await decodeBody(context.req.raw, maxClipBytes, maxClipSeconds, signal);
        const marks = await findMarks(sound, {
          key,
          payloadBytes: payloadBytes === "8" ? 8 : 4,
          pause: () => new Promise((resolve) => setImmediate(resolve)),
          signal,
        });
        return json({ marks });
      },
    },
  ];
}
