import type { LinkChange } from "@longwave/station";
import { notFound, ServerError } from "../errors.ts";
import { type Host, type HostedStation, hostedStation } from "../host.ts";
import { readJsonObject } from "../limits.ts";
import { flag, integer, json, listOf, number, numberOrNull, objectOf, type Route, text } from "../route.ts";

const linkSchema = objectOf({
  id: text,
  name: text,
  cut: flag,
  alive: flag,
  phase: { type: "string", enum: ["init", "probe", "warm", "live", "degrade", "cooldown", "reset"] },
  delayMs: number,
  setLoss: number,
  loss: number,
  rttMs: numberOrNull,
  sentBps: number,
  share: number,
  weight: number,
  retransmissions: integer,
});

const bondSchema = objectOf({
  codec: text,
  bufferMs: number,
  delivered: integer,
  recovered: integer,
  lost: integer,
  concealedBlocks: integer,
  arrival: objectOf({
    state: { type: "string", enum: ["whole", "impaired", "lost"] },
    sinceMs: numberOrNull,
    concealedBlocks: integer,
  }),
  links: listOf(linkSchema),
});

const historySchema = objectOf({
  everyMs: number,
  links: listOf(
    objectOf({
      id: text,
      sentBps: listOf(number),
      loss: listOf(number),
      rttMs: listOf(numberOrNull),
      cut: listOf(flag),
    }),
  ),
});

const changeSchema = objectOf({ cut: flag, weight: number, delayMs: number, loss: number }, [
  "cut",
  "weight",
  "delayMs",
  "loss",
]);
const changeable = new Set(["cut", "weight", "delayMs", "loss"]);

/** The links of a stream: how they are, and what they are put through. */
export function linkRoutes(host: Host): Route[] {
  return [
    {
      method: "get",
      path: "/v1/streams/{id}/links",
      tag: "Links",
      summary: "Says how the links of a stream are",
      parameters: [{ name: "id", in: "path", description: "Id of the stream.", schema: text }],
      answer: { status: 200, description: "The bond.", contentType: "application/json", schema: bondSchema },
      handle: (context) => json(bondOf(hostedStation(host, context.req.param("id") ?? "")).status()),
    },
    {
      method: "get",
      path: "/v1/streams/{id}/links/history",
      tag: "Links",
      summary: "Says what the links of a stream did in the last five minutes",
      parameters: [{ name: "id", in: "path", description: "Id of the stream.", schema: text }],
      answer: {
        status: 200,
        description: "Samples at equal distance, oldest first.",
        contentType: "application/json",
        schema: historySchema,
      },
      handle: (context) => json(bondOf(hostedStation(host, context.req.param("id") ?? "")).history()),
    },
    {
      method: "put",
      path: "/v1/links/{id}",
      tag: "Links",
      summary: "Cuts, restores, weighs or impairs a link",
      parameters: [
        { name: "id", in: "path", description: "Id of the link.", schema: text },
        { name: "stream", in: "query", description: "Id of the stream; default the first.", schema: text },
      ],
      body: {
        contentType: "application/json",
        description: "What changes: cut, weight 0 to 1000, delayMs 0 to 2000 one way, loss 0 to 0.9.",
        schema: changeSchema,
      },
      answer: {
        status: 200,
        description: "The link now.",
        contentType: "application/json",
        schema: linkSchema,
      },
      handle: async (context) => {
        const first = host.stations.keys().next().value ?? "";
        const hosted = hostedStation(host, context.req.query("stream") ?? first);
        const bond = bondOf(hosted);
        const id = context.req.param("id") ?? "";
        if (!bond.status().links.some((link) => link.id === id)) {
          throw notFound(`link ${JSON.stringify(id.slice(0, 100))}`);
        }
        const change = await readJsonObject(context.req.raw);
        const unknown = Object.keys(change).find((name) => !changeable.has(name));
        if (unknown !== undefined) {
          throw new ServerError(
            "server/bad-request",
            "usage",
            `A link has no ${JSON.stringify(unknown.slice(0, 50))}.`,
          );
        }
        bond.changeLink(id, change as LinkChange);
        const link = bond.status().links.find((each) => each.id === id)!;
        hosted.station.log.append({
          type: "link.changed",
          link: id,
          cut: link.cut,
          weight: link.weight,
          delayMs: link.delayMs,
          loss: link.setLoss,
        });
        return json(link);
      },
    },
  ];
}

function bondOf(hosted: HostedStation) {
  if (hosted.bond === undefined) throw notFound("bond in this stream: its sound does not travel over links");
  return hosted.bond;
}
