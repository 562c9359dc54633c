import { isLongwaveError } from "@longwave/base";
import type { SayRequest } from "@longwave/station";
import { notFound, ServerError } from "../errors.ts";
import { type Host, hostedStation } from "../host.ts";
import { readJsonObject, refuseUnknown } from "../limits.ts";
import {
  integer,
  json,
  listOf,
  numberOrNull,
  objectOf,
  type Parameter,
  type Route,
  text,
  textOrNull,
} from "../route.ts";
import { checkVoice } from "../speech/speech-request.ts";

const reportSchema = objectOf({
  number: integer,
  text,
  engine: text,
  voice: text,
  state: { type: "string", enum: ["waiting", "on air", "done", "failed"] },
  firstAudioMs: integer,
  lengthMs: integer,
  realTimeFactor: numberOrNull,
  problem: textOrNull,
});
const idParameter: Parameter = { name: "id", in: "path", description: "Id of the stream.", schema: text };

/** Statuses that say more than the kind of the error does. */
const statuses: Readonly<Record<string, number>> = { "tts/voice-unknown": 404, "tts/queue-full": 429 };

/** Texts that are spoken over a stream's programme. */
export function announcementRoutes(host: Host): Route[] {
  const voiceOver = (id: string) => {
    const hosted = hostedStation(host, id);
    if (hosted.voiceOver === undefined) throw notFound(`voice on ${hosted.station.id}`);
    return hosted.voiceOver;
  };
  return [
    {
      method: "get",
      path: "/v1/streams/{id}/announcements",
      tag: "Speech",
      summary: "The last texts that were put on air, newest first",
      parameters: [idParameter],
      answer: {
        status: 200,
        description: "Up to 20 texts; times in milliseconds.",
        contentType: "application/json",
        schema: objectOf({ announcements: listOf(reportSchema) }),
      },
      handle: (context) => json({ announcements: voiceOver(context.req.param("id") ?? "").reports }),
    },
    {
      method: "post",
      path: "/v1/streams/{id}/announcements",
      tag: "Speech",
      summary: "Speaks a text over the programme",
      parameters: [idParameter],
      body: {
        contentType: "application/json",
        description: "What to say, and optionally by whom.",
        schema: objectOf({ text, voice: text, engine: text, seed: { type: "integer", minimum: 0 } }, [
          "voice",
          "engine",
          "seed",
        ]),
      },
      maxConcurrent: 8,
      timeoutMs: 30_000,
      answer: {
        status: 200,
        description: "Its first sound is there; it goes on air when the texts before it are spoken.",
        contentType: "application/json",
        schema: reportSchema,
      },
      handle: async (context) => {
        const voice = voiceOver(context.req.param("id") ?? "");
        const request = sayRequest(await readJsonObject(context.req.raw));
        try {
          return json(await voice.say(request));
        } catch (error) {
          if (!isLongwaveError(error) || statuses[error.code] === undefined) throw error;
          throw new ServerError(error.code as `server/${string}`, error.kind, error.message, {
            cause: error,
            status: statuses[error.code]!,
          });
        }
      },
    },
  ];
}

function sayRequest(body: Record<string, unknown>): SayRequest {
  const { text: words, voice, engine, seed, ...rest } = body;
  const bad = (message: string) => new ServerError("server/bad-request", "usage", message);
  refuseUnknown(rest);
  if (typeof words !== "string") throw bad('"text" must be a string.');
  for (const [key, value] of Object.entries({ voice, engine })) {
    if (value !== undefined && typeof value !== "string") throw bad(`"${key}" must be a string.`);
  }
  checkVoice(voice as string | undefined);
  if (seed !== undefined && !(Number.isSafeInteger(seed) && (seed as number) >= 0)) {
    throw bad('"seed" must be a whole number from 0.');
  }
  return {
    text: words,
    ...(voice !== undefined && { voice: voice as string }),
    ...(engine !== undefined && { engine: engine as string }),
    ...(seed !== undefined && { seed: seed as number }),
  };
}
