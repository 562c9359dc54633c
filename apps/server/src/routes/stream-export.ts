import { exportOpus, exportWav, exportWavBytes, planExport, type StationArchive } from "@longwave/station";
import type { Context } from "hono";
import { cutPieces, parseRange } from "../byte-range.ts";
import { ServerError } from "../errors.ts";
import { type Parameter, type Route, text } from "../route.ts";
import { soundAnswer } from "../sound-answer.ts";

/** A stream and two moments. */
export const exportParameters: readonly Parameter[] = [
  { name: "id", in: "path", description: "Id of the stream.", schema: text },
  {
    name: "from",
    in: "query",
    description: "Start, a wall-clock time (2026-01-31T12:30:00Z).",
    required: true,
    schema: text,
  },
  {
    name: "to",
    in: "query",
    description: "End, exclusive; at most 6 h later.",
    required: true,
    schema: text,
  },
];

/** What {@link exportParameters} say. @throws ServerError `server/bad-request` */
export function exportedTime(context: Context): { stream: string; fromMs: number; toMs: number } {
  const [fromMs, toMs] = [moment(context, "from"), moment(context, "to")];
  if (toMs <= fromMs) throw bad("to must be later than from.");
  return { stream: context.req.param("id") ?? "", fromMs, toMs };
}

/** What was recorded between two moments, over the ends of recordings and over gaps, in one file. */
export function streamExportRoute(archive: StationArchive): Route {
  return {
    method: "get",
    path: "/v1/streams/{id}/archive",
    tag: "Archive",
    summary: "What was recorded of a stream between two moments, over the ends of recordings and over gaps",
    parameters: [
      ...exportParameters,
      {
        name: "format",
        in: "query",
        description:
          "wav: 16-bit PCM, silence where nothing was recorded. opus: the recorded packets, a link of the Ogg chain for each stretch.",
        schema: { type: "string", enum: ["wav", "opus"], default: "wav" },
      },
      {
        name: "download",
        in: "query",
        description: "1 asks browsers to save the file.",
        schema: { type: "string", enum: ["0", "1"] },
      },
    ],
    maxConcurrent: 16,
    answer: { status: 200, description: "The sound.", contentType: ["audio/wav", "audio/ogg"] },
    handle: async (context) => {
      const { stream, fromMs, toMs } = exportedTime(context);
      const format = context.req.query("format") ?? "wav";
      if (format !== "wav" && format !== "opus") throw bad("format must be wav or opus.");
      const plan = await planExport(archive, stream, BigInt(fromMs) * 1_000_000n, BigInt(toMs) * 1_000_000n);
      const saveAs =
        context.req.query("download") === "1"
          ? `${stream}_${new Date(fromMs).toISOString().replace(/[-:]|\.\d+/g, "")}.${format}`
          : undefined;
      if (format === "opus")
        return soundAnswer(exportOpus(archive, plan), "audio/ogg", undefined, undefined, saveAs);
      const size = exportWavBytes(plan.frames);
      const part = parseRange(context.req.raw, size);
      const pieces = exportWav(archive, plan);
      return soundAnswer(
        part === undefined ? pieces : cutPieces(pieces, part),
        "audio/wav",
        size,
        part,
        saveAs,
      );
    },
  };
}

/** @throws ServerError `server/bad-request` */
function moment(context: Context, name: string): number {
  const value = context.req.query(name) ?? "";
  const ms = /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms)) throw bad(`${name} must be a wall-clock time such as 2026-01-31T12:30:00Z.`);
  return ms;
}

function bad(message: string): ServerError {
  return new ServerError("server/bad-request", "usage", message);
}
