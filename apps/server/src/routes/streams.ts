import { checkReception, stationChannels, stationRateHz } from "@longwave/station";
import { notFound, ServerError } from "../errors.ts";
import { type Host, type HostedStation, hostedStation } from "../host.ts";
import { readJsonObject, refuseUnknown } from "../limits.ts";
import { liveWavHeader } from "../live-wav.ts";
import {
  flag,
  integer,
  integerOrNull,
  json,
  listOf,
  number,
  numberOrNull,
  objectOf,
  type Parameter,
  type Route,
  type Schema,
  text,
} from "../route.ts";
import { type ByteSource, StreamAnswer } from "../stream-answer.ts";

const receptionSchema = objectOf({ gainDb: number, noiseDb: numberOrNull, lowHz: number, highHz: number });

const encoderSchema = objectOf({ bitrateBps: integer, complexity: integer });

const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: "null" }] });

const streamSchema = objectOf({
  id: text,
  programme: text,
  running: flag,
  playedMs: integer,
  receivedMs: integer,
  onAir: orNull(
    objectOf({
      item: text,
      id: text,
      title: text,
      detail: text,
      lengthMs: integerOrNull,
      positionMs: integer,
    }),
  ),
  heard: orNull(
    objectOf({
      track: text,
      title: text,
      positionMs: integer,
      score: number,
      pFalse: number,
      votes: integer,
      sinceMs: integer,
      atMs: integer,
    }),
  ),
  listeners: integer,
  reception: orNull(receptionSchema),
  encoder: orNull(encoderSchema),
});

const idParameter: Parameter = { name: "id", in: "path", description: "Id of the stream.", schema: text };

/** Streams: what is on air, live sound, live picture, reception. */
export function streamRoutes(host: Host): Route[] {
  return [
    {
      method: "get",
      path: "/v1/streams",
      tag: "Streams",
      summary: "Lists the streams",
      answer: {
        status: 200,
        description: "All streams.",
        contentType: "application/json",
        schema: objectOf({ streams: listOf(streamSchema) }),
      },
      handle: () => json({ streams: [...host.stations.values()].map(describe) }),
    },
    {
      method: "get",
      path: "/v1/streams/{id}",
      tag: "Streams",
      summary: "Says what a stream plays and what is heard in it",
      parameters: [idParameter],
      answer: {
        status: 200,
        description: "The stream.",
        contentType: "application/json",
        schema: streamSchema,
      },
      handle: (context) => json(describe(hostedStation(host, context.req.param("id") ?? ""))),
    },
    {
      method: "get",
      path: "/v1/streams/{id}/audio",
      tag: "Streams",
      summary: "Live sound, from now on, for as long as the client listens",
      parameters: [
        idParameter,
        {
          name: "format",
          in: "query",
          description:
            "opus: the received packets as they are, live Ogg Opus for browsers and players. wav: what the receiver makes of them, 16-bit. pcm: the same, 48 kHz stereo interleaved little-endian, without a header.",
          schema: { type: "string", enum: ["opus", "wav", "pcm"], default: "opus" },
        },
      ],
      answer: {
        status: 200,
        description:
          "Endless sound. A client that reads too slowly misses the oldest part of what it has not read.",
        contentType: ["audio/ogg", "audio/wav", "application/octet-stream"],
      },
      handle: (context) => {
        const { station, opusListeners } = hostedStation(host, context.req.param("id") ?? "");
        const format = context.req.query("format") ?? "opus";
        if (format === "opus") {
          if (opusListeners === undefined) throw notFound(`Opus in ${station.id}; ask for format=wav`);
          return liveAnswer(() => opusListeners.join(), "audio/ogg");
        }
        if (format !== "wav" && format !== "pcm") {
          throw new ServerError(
            "server/bad-request",
            "usage",
            `format must be opus, wav or pcm, not ${JSON.stringify(format.slice(0, 40))}.`,
          );
        }
        const head = format === "wav" ? liveWavHeader(stationRateHz, stationChannels) : undefined;
        const type = format === "wav" ? "audio/wav" : "application/octet-stream";
        return liveAnswer(() => station.listen(), type, head);
      },
    },
    {
      method: "get",
      path: "/v1/streams/{id}/scope",
      tag: "Streams",
      summary: "Live picture of the sound: spectrum, peaks, levels",
      parameters: [idParameter],
      answer: {
        status: 200,
        description: "Endless binary messages as in docs/design/server.md.",
        contentType: "application/octet-stream",
      },
      handle: (context) => {
        const { scope } = hostedStation(host, context.req.param("id") ?? "");
        return liveAnswer(() => scope.join(), "application/octet-stream", scope.header());
      },
    },
    {
      method: "put",
      path: "/v1/streams/{id}/reception",
      tag: "Streams",
      summary: "Sets how well the receiver hears the studio",
      parameters: [idParameter],
      body: {
        contentType: "application/json",
        description: "gainDb -40 to 12, noiseDb -90 to 0 or null, lowHz 0 to 20000, highHz 100 to 24000.",
        schema: receptionSchema,
      },
      answer: {
        status: 200,
        description: "The settings now in force.",
        contentType: "application/json",
        schema: receptionSchema,
      },
      handle: async (context) => {
        const { reception, station } = hostedStation(host, context.req.param("id") ?? "");
        if (reception === undefined) {
          throw new ServerError("server/not-found", "usage", "This stream has no adjustable reception.", {
            status: 404,
          });
        }
        const { gainDb, noiseDb, lowHz, highHz, ...rest } = await readJsonObject(context.req.raw);
        refuseUnknown(rest);
        const settings = checkReception({ gainDb, noiseDb, lowHz, highHz } as never);
        reception.change(settings);
        station.log.append({ type: "reception.changed", ...settings });
        return json(settings);
      },
    },
    {
      method: "put",
      path: "/v1/streams/{id}/encoder",
      tag: "Streams",
      summary: "Sets the programme's encoder while it is on air",
      parameters: [idParameter],
      body: {
        contentType: "application/json",
        description: "bitrateBps 6000 to 510000, complexity 0 to 10; what is left out stays.",
        schema: objectOf({ bitrateBps: integer, complexity: integer }, ["bitrateBps", "complexity"]),
      },
      answer: {
        status: 200,
        description: "The settings now in force.",
        contentType: "application/json",
        schema: encoderSchema,
      },
      handle: async (context) => {
        const { codec, station } = hostedStation(host, context.req.param("id") ?? "");
        if (codec === undefined) throw notFound(`adjustable encoder in ${station.id}`);
        const { bitrateBps, complexity, ...rest } = await readJsonObject(context.req.raw);
        refuseUnknown(rest);
        const settings = codec.change({
          ...(bitrateBps !== undefined && { bitrateBps: bitrateBps as number }),
          ...(complexity !== undefined && { complexity: complexity as number }),
        });
        station.log.append({ type: "encoder.changed", ...settings });
        return json(settings);
      },
    },
  ];
}

/** @param join takes a listener's place, and with it what is heard from then on, after `head` */
function liveAnswer(join: () => ByteSource, contentType: string, head?: Uint8Array): StreamAnswer {
  const open = (): ByteSource => {
    const listener = join();
    let first = head;
    return {
      next: () => {
        if (first === undefined) return listener.next();
        const piece = first;
        first = undefined;
        return Promise.resolve(piece);
      },
      close: () => listener.close(),
    };
  };
  const headers = { "content-type": contentType, "cache-control": "no-store", "x-accel-buffering": "no" };
  return new StreamAnswer(open, headers, { isEndless: true });
}

function describe({ station, reception, opusListeners, codec }: HostedStation): Record<string, unknown> {
  const { id, programme, running, playedMs, receivedMs, onAir, heard, listeners } = station.status();
  return {
    id,
    programme,
    running,
    playedMs,
    receivedMs,
    onAir:
      onAir === undefined
        ? null
        : {
            item: onAir.item,
            id: onAir.id,
            title: onAir.title,
            detail: onAir.detail,
            lengthMs:
              onAir.lengthFrames === undefined
                ? null
                : Math.floor((onAir.lengthFrames * 1000) / stationRateHz),
            positionMs: onAir.positionMs,
          },
    heard: heard ?? null,
    listeners: listeners + (opusListeners?.count ?? 0),
    reception: reception?.settings ?? null,
    encoder: codec?.settings ?? null,
  };
}
