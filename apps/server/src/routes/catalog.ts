import type { Identification, Track, TrackMatch } from "@longwave/catalog";
import { frameToMs, profileOf } from "@longwave/fingerprint";
import { notFound, ServerError } from "../errors.ts";
import { type Host, hostedCatalog } from "../host.ts";
import {
  flag,
  integer,
  json,
  listOf,
  number,
  objectOf,
  type Parameter,
  type Route,
  text,
  textOrNull,
} from "../route.ts";
import { audioBody, decodeBody, maxClipBytes, maxClipSeconds } from "./clip.ts";

/** A recording to enroll: an hour at most. */
const maxTrackBytes = 256 * 1024 * 1024;
const maxTrackSeconds = 30 * 60;
const maxPage = 500;

const trackSchema = objectOf({ id: text, title: textOrNull, durationSeconds: number, hashes: integer });
const matchSchema = objectOf({
  track: text,
  title: textOrNull,
  offsetMs: integer,
  score: number,
  pFalse: number,
  votes: integer,
  queryHashes: integer,
});
const identifySchema = objectOf({
  match: { anyOf: [matchSchema, { type: "null" }] },
  reason: textOrNull,
  candidates: listOf(matchSchema),
  queryMs: integer,
  scatter: listOf(listOf(integer)),
  matchedTrackMs: { type: ["integer", "null"] },
  truncated: flag,
});
const trackParameter: Parameter = { name: "id", in: "path", description: "Id of the track.", schema: text };

/** The catalog of recordings, and what a clip is. */
export function catalogRoutes(host: Host): Route[] {
  return [
    {
      method: "get",
      path: "/v1/catalog/tracks",
      tag: "Catalog",
      summary: "Lists the enrolled recordings",
      parameters: [
        {
          name: "limit",
          in: "query",
          description: "Most tracks in one answer.",
          schema: { type: "integer", minimum: 1, maximum: maxPage, default: 100 },
        },
        {
          name: "offset",
          in: "query",
          description: "Tracks to pass over.",
          schema: { type: "integer", minimum: 0, default: 0 },
        },
      ],
      answer: {
        status: 200,
        description: "A page of tracks, and how many there are.",
        contentType: "application/json",
        schema: objectOf({ total: integer, postings: integer, tracks: listOf(trackSchema) }),
      },
      handle: async (context) => {
        const catalog = hostedCatalog(host);
        const limit = wholeNumber(context.req.query("limit"), "limit", 100, 1, maxPage);
        const offset = wholeNumber(context.req.query("offset"), "offset", 0, 0, 1e9);
        const { total, postings, tracks } = await catalog.page(offset, limit);
        return json({ total, postings, tracks: tracks.map(describeTrack) });
      },
    },
    {
      method: "post",
      path: "/v1/catalog/tracks",
      tag: "Catalog",
      summary: "Enrolls a recording",
      parameters: [
        { name: "id", in: "query", description: "Id of the new track.", schema: text },
        { name: "title", in: "query", description: "Its title.", schema: text },
      ],
      body: { contentType: "application/octet-stream", description: "An audio file.", schema: audioBody },
      maxBodyBytes: maxTrackBytes,
      maxConcurrent: 1,
      timeoutMs: 120_000,
      answer: {
        status: 201,
        description: "The track. The same sound under the same id is not enrolled twice.",
        contentType: "application/json",
        schema: trackSchema,
      },
      handle: async (context, signal) => {
        const catalog = hostedCatalog(host);
        const id = context.req.query("id");
        if (id === undefined || id === "") {
          throw new ServerError("server/bad-request", "usage", "Name the new track with ?id=.");
        }
        const title = context.req.query("title");
        const sound = await decodeBody(context.req.raw, maxTrackBytes, maxTrackSeconds, signal);
        const { track } = await catalog.enroll({ id, ...(title !== undefined && { title }) }, sound, {
          signal,
        });
        return json(describeTrack(track), 201);
      },
    },
    {
      method: "delete",
      path: "/v1/catalog/tracks/{id}",
      tag: "Catalog",
      summary: "Removes a recording",
      parameters: [trackParameter],
      answer: { status: 204, description: "It is gone." },
      handle: async (context) => {
        const catalog = hostedCatalog(host);
        const id = context.req.param("id") ?? "";
        if ((await catalog.get(id)) === undefined)
          throw notFound(`track ${JSON.stringify(id.slice(0, 200))}`);
        await catalog.remove(id);
        return new Response(null, { status: 204 });
      },
    },
    {
      method: "post",
      path: "/v1/identify",
      tag: "Catalog",
      summary: "Says which recording a clip comes from, and from where in it",
      body: {
        contentType: "application/octet-stream",
        description: "An audio file of 2 s to 120 s: WAV, MP3, FLAC, Ogg and more.",
        schema: audioBody,
      },
      maxBodyBytes: maxClipBytes,
      maxConcurrent: 2,
      timeoutMs: 60_000,
      answer: {
        status: 200,
        description:
          "The match, or null with a reason. scatter holds pairs (clip ms, track ms) of equal hashes: a true match is a line. truncated: the file ends early or is damaged, and what is there was asked.",
        contentType: "application/json",
        schema: identifySchema,
      },
      handle: async (context, signal) => {
        const catalog = hostedCatalog(host);
        const sound = await decodeBody(context.req.raw, maxClipBytes, maxClipSeconds, signal);
        const answer = await catalog.identify(sound, { explain: true, signal });
        const profile = profileOf(catalog.profile);
        return json({
          ...describeAnswer(answer, (frame) => frameToMs(profile, frame)),
          truncated: sound.truncated,
        });
      },
    },
  ];
}

function describeTrack(track: Track): Record<string, unknown> {
  const { id, title, durationSeconds, hashes } = track;
  return { id, title: title ?? null, durationSeconds: Math.round(durationSeconds * 1000) / 1000, hashes };
}

function describeMatch(match: TrackMatch): Record<string, unknown> {
  const { track, offsetMs, score, pFalse, votes, queryHashes } = match;
  return { track: track.id, title: track.title ?? null, offsetMs, score, pFalse, votes, queryHashes };
}

/** Most points of the scatter that are sent. */
const maxScatterPoints = 2000;

function describeAnswer(answer: Identification, toMs: (frame: number) => number): Record<string, unknown> {
  const best = answer.match ?? answer.candidates[0];
  const pairs = best?.scatter ?? new Int32Array(0);
  const step = Math.max(1, Math.ceil(pairs.length / 2 / maxScatterPoints));
  const scatter: [number, number][] = [];
  for (let i = 0; i + 1 < pairs.length; i += 2 * step) scatter.push([toMs(pairs[i]!), toMs(pairs[i + 1]!)]);
  return {
    match: answer.match === undefined ? null : describeMatch(answer.match),
    reason: answer.reason ?? null,
    candidates: answer.candidates.map(describeMatch),
    queryMs: answer.queryMs,
    scatter,
    matchedTrackMs: best === undefined ? null : Math.round(best.track.durationSeconds * 1000),
  };
}

function wholeNumber(
  value: string | undefined,
  name: string,
  fallback: number,
  low: number,
  high: number,
): number {
  if (value === undefined) return fallback;
  const number = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= low && number <= high) return number;
  throw new ServerError(
    "server/bad-request",
    "usage",
    `${name} must be a whole number from ${low} to ${high}.`,
  );
}
