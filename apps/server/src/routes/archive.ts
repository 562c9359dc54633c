import { type ArchivePosition, clipPages, type RecordingInfo } from "@longwave/archive";
import {
  type ArchivedRecording,
  proveIntegrity,
  recordingGaps,
  type StationArchive,
  wavHeader,
  wavPieces,
} from "@longwave/station";
import type { Context } from "hono";
import { type ByteRange, cutPieces, parseRange, rangeHeader } from "../byte-range.ts";
import { notFound, ServerError } from "../errors.ts";
import { type Host, hostedStation } from "../host.ts";
import {
  flag,
  integer,
  json,
  listOf,
  objectOf,
  type Parameter,
  type Route,
  text,
  textOrNull,
} from "../route.ts";
import { soundAnswer } from "../sound-answer.ts";
import type { StreamAnswer } from "../stream-answer.ts";
import { streamExportRoute } from "./stream-export.ts";
import { gapReasonSchema, proofSchemas, streamProofRoute } from "./stream-proof.ts";

const maxColumns = 4096;
/** Six hours: what players take for certain, as a WAV file counts its bytes in 32 bits. */
const maxWavFrames = 6 * 3600 * 48_000;

const recordingSchema = objectOf({
  id: text,
  stream: text,
  state: { type: "string", enum: ["complete", "recording"] },
  channels: integer,
  frames: integer,
  packets: integer,
  lost: integer,
  bytes: integer,
  profile: text,
  packetsSha256: text,
  spans: listOf(objectOf({ startFrame: integer, endFrame: integer, startMs: integer })),
  gaps: listOf(objectOf({ frame: integer, startMs: integer, ms: integer, reason: gapReasonSchema })),
});
const idParameter: Parameter = {
  name: "id",
  in: "path",
  description: "Identifier of the recording.",
  schema: text,
};
const positionText =
  "a sample frame (480000), seconds with an s (10.5s), or a wall-clock time (2026-01-31T12:30:00Z)";
const rangeParameters: readonly Parameter[] = [
  { name: "from", in: "query", description: `Start: ${positionText}; default the beginning.`, schema: text },
  {
    name: "to",
    in: "query",
    description: "End, exclusive, in the same forms; default the end.",
    schema: text,
  },
];

/** The archive: what was recorded, its outline, any piece of it exactly, and proofs. */
export function archiveRoutes(host: Host): Route[] {
  if (host.archive === undefined) return [];
  const archive = host.archive;
  return [
    {
      method: "get",
      path: "/v1/archive",
      tag: "Archive",
      summary: "Lists the recordings and when they were made",
      parameters: [
        { name: "stream", in: "query", description: "Only recordings of this stream.", schema: text },
      ],
      answer: {
        status: 200,
        description:
          "Recordings, oldest first; spans are stretches without a gap, gaps say why there is none, startMs is Unix time.",
        contentType: "application/json",
        schema: objectOf({
          place: text,
          temporary: flag,
          recordings: listOf(recordingSchema),
          damaged: listOf(objectOf({ id: text, reason: text })),
        }),
      },
      handle: async (context) =>
        json({
          place: archive.place,
          temporary: archive.isTemporary,
          recordings: (await archive.recordings(context.req.query("stream"))).map(describe),
          damaged: [...archive.damaged].map(([id, reason]) => ({ id, reason })),
        }),
    },
    {
      method: "get",
      path: "/v1/archive/{id}",
      tag: "Archive",
      summary: "A piece of a recording, exact to the sample; HTTP ranges of bytes are answered",
      parameters: [
        idParameter,
        ...rangeParameters,
        {
          name: "format",
          in: "query",
          description:
            "wav: 16-bit PCM, bit-identical to decoding the whole recording. opus: the recorded packets as Ogg Opus.",
          schema: { type: "string", enum: ["wav", "opus"], default: "wav" },
        },
        {
          name: "download",
          in: "query",
          description: "1 asks browsers to save the file.",
          schema: { type: "string", enum: ["0", "1"] },
        },
      ],
      maxConcurrent: 32,
      answer: { status: 200, description: "The sound.", contentType: ["audio/wav", "audio/ogg"] },
      handle: async (context) => {
        const { info } = await archive.recording(pathId(context));
        const range = await rangeOf(archive, info, context);
        const format = context.req.query("format") ?? "wav";
        if (format !== "wav" && format !== "opus") {
          throw bad(`format must be wav or opus, not ${JSON.stringify(format.slice(0, 40))}.`);
        }
        return format === "wav"
          ? wavAnswer(archive, info, range, context)
          : await opusAnswer(archive, info, range, context);
      },
    },
    {
      method: "get",
      path: "/v1/archive/{id}/info",
      tag: "Archive",
      summary: "Describes a recording",
      parameters: [idParameter],
      answer: {
        status: 200,
        description: "The recording.",
        contentType: "application/json",
        schema: recordingSchema,
      },
      handle: async (context) => json(describe(await archive.recording(pathId(context)))),
    },
    {
      method: "get",
      path: "/v1/archive/{id}/peaks",
      tag: "Archive",
      summary: "The outline of a recording: loudest sample and RMS of equal steps of time",
      parameters: [
        idParameter,
        ...rangeParameters,
        {
          name: "columns",
          in: "query",
          description: "Steps, 1 to 4096; default 1000.",
          schema: { type: "integer", minimum: 1, maximum: maxColumns },
        },
      ],
      timeoutMs: 60_000,
      maxConcurrent: 16,
      answer: {
        status: 200,
        description: "Levels from 0 to 255 (full scale).",
        contentType: "application/json",
        schema: objectOf({ from: integer, to: integer, peak: listOf(integer), rms: listOf(integer) }),
      },
      handle: async (context) => {
        const id = pathId(context);
        const { info } = await archive.recording(id);
        const { start, end } = await rangeOf(archive, info, context);
        const columns = Number(context.req.query("columns") ?? 1000);
        if (!Number.isInteger(columns) || columns < 1 || columns > maxColumns) {
          throw bad(`columns must be 1 to ${maxColumns}.`);
        }
        const peaks = await archive.peaks(id, () => new Promise((resolve) => setTimeout(resolve, 1)));
        const { peak, rms } = peaks.row(start, end, columns);
        return json({ from: start, to: end, peak: [...peak], rms: [...rms] });
      },
    },
    {
      method: "get",
      path: "/v1/archive/{id}/proof",
      tag: "Archive",
      summary: "Hashes that show that an exported piece is what the archive holds",
      parameters: [idParameter, ...rangeParameters],
      timeoutMs: 60_000,
      maxConcurrent: 2,
      answer: {
        status: 200,
        description: "The proof; longwave archive check-proof repeats it.",
        contentType: "application/json",
        schema: objectOf({
          format: text,
          version: integer,
          recording: text,
          stream: text,
          from: integer,
          to: integer,
          startsAt: textOrNull,
          profile: text,
          exact: flag,
          ...proofSchemas,
        }),
      },
      handle: async (context, signal) => {
        const { info } = await archive.recording(pathId(context));
        const proof = await proveIntegrity(archive, info.id, await rangeOf(archive, info, context), signal);
        return json(host.proofSigner?.sign(proof, Date.now()) ?? { ...proof, signature: null });
      },
    },
    streamExportRoute(archive),
    streamProofRoute(archive, host.proofSigner),
    {
      method: "get",
      path: "/v1/streams/{id}/recording",
      tag: "Archive",
      summary: "Says what a stream is being recorded into",
      parameters: [{ ...idParameter, description: "Id of the stream." }],
      answer: {
        status: 200,
        description: "The recording that grows, null while the archive cannot be written.",
        contentType: "application/json",
        schema: objectOf({ recording: textOrNull, droppedBlocks: integer }),
      },
      handle: (context) => {
        const { recorder, station } = hostedStation(host, pathId(context));
        if (recorder === undefined) throw notFound(`recording of ${station.id}`);
        return json({ recording: recorder.recording ?? null, droppedBlocks: recorder.droppedBlocks });
      },
    },
  ];
}

function describe({ info, stream, spans }: ArchivedRecording): Record<string, unknown> {
  const { id, state, channels, frames, packets, counts, profile, packetsSha256 } = info;
  return {
    id,
    stream,
    state,
    channels,
    frames,
    packets,
    lost: counts.lost,
    bytes: counts.packetBytes + counts.preRollBytes + counts.indexBytes,
    profile,
    packetsSha256,
    spans: spans.map(({ startFrame, endFrame, startMs }) => ({ startFrame, endFrame, startMs })),
    gaps: recordingGaps(info),
  };
}

function pathId(context: Context): string {
  return context.req.param("id") ?? "";
}

function bad(message: string): ServerError {
  return new ServerError("server/bad-request", "usage", message);
}

/** @throws ServerError `server/bad-request`, ArchiveError `archive/range` */
async function rangeOf(
  archive: StationArchive,
  info: RecordingInfo,
  context: Context,
): Promise<{ start: number; end: number }> {
  const from = parsePosition(context.req.query("from"), 0);
  const to = parsePosition(context.req.query("to"), info.frames);
  const isWall = typeof from !== "number";
  return archive.archive.rangeOf(info.id, {
    from,
    to: isWall && context.req.query("to") === undefined ? { unixNs: 1n << 62n } : to,
  });
}

function parsePosition(value: string | undefined, fallback: number): ArchivePosition {
  if (value === undefined) return fallback;
  if (/^\d{1,15}$/.test(value)) return Number(value);
  if (/^\d{1,9}(\.\d{1,9})?s$/.test(value)) return Math.round(Number(value.slice(0, -1)) * 48_000);
  const ms = /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms))
    throw bad(`${JSON.stringify(value.slice(0, 60))} is no position; write ${positionText}.`);
  return { unixNs: BigInt(ms) * 1_000_000n };
}

function wavAnswer(
  archive: StationArchive,
  info: RecordingInfo,
  range: { start: number; end: number },
  context: Context,
): StreamAnswer {
  if (range.end - range.start > maxWavFrames) {
    throw new ServerError("server/range-too-long", "limit", "A WAV file holds at most 6 h; ask for less.");
  }
  const frameBytes = 2 * info.channels;
  const header = wavHeader(info, range.end - range.start);
  const size = header.length + (range.end - range.start) * frameBytes;
  const part = parseRange(context.req.raw, size);
  async function* pieces(): AsyncGenerator<Uint8Array> {
    if (part === undefined) {
      for await (const { bytes } of wavPieces(archive, info, range)) yield bytes;
      return;
    }
    // Only the samples behind the bytes that were asked for are decoded.
    const firstFrame = Math.max(0, Math.floor((part.start - header.length) / frameBytes));
    if (part.start < header.length) yield header.subarray(part.start, Math.min(part.end, header.length));
    if (part.end <= header.length) return;
    const lastFrame = Math.ceil((part.end - header.length) / frameBytes);
    const inner = wavPieces(archive, info, {
      start: range.start + firstFrame,
      end: Math.min(range.end, range.start + lastFrame),
    });
    await inner.next();
    const offset = header.length + firstFrame * frameBytes;
    const cut = { start: Math.max(part.start, header.length) - offset, end: part.end - offset };
    yield* cutPieces(bytesOf(inner), cut);
  }
  return soundAnswer(pieces(), "audio/wav", size, part, fileName(info, range, "wav", context));
}

async function* bytesOf(pieces: AsyncIterable<{ bytes: Uint8Array }>): AsyncGenerator<Uint8Array> {
  for await (const { bytes } of pieces) yield bytes;
}

/** The length is known once all pages were made; making them twice costs no decoding. */
async function opusAnswer(
  archive: StationArchive,
  info: RecordingInfo,
  range: { start: number; end: number },
  context: Context,
): Promise<StreamAnswer> {
  const pages = () => clipPages(archive.archive, info.id, range);
  let size: number | undefined;
  let part: ByteRange | undefined;
  if (rangeHeader(context.req.raw) !== undefined) {
    size = 0;
    for await (const page of pages()) size += page.length;
    part = parseRange(context.req.raw, size);
  }
  const body = part === undefined ? pages() : cutPieces(pages(), part);
  return soundAnswer(body, "audio/ogg", size, part, fileName(info, range, "opus", context));
}

function fileName(
  info: RecordingInfo,
  { start, end }: { start: number; end: number },
  extension: string,
  context: Context,
): string | undefined {
  return context.req.query("download") === "1" ? `${info.id}_${start}-${end}.${extension}` : undefined;
}
