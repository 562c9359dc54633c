import { open, stat } from "node:fs/promises";
import { basename } from "node:path";
import type { Archive, ImportResult, NotKept } from "@longwave/archive";
import { newUlid } from "@longwave/archive/node";
import { exitCodeOf, isLongwaveError, type LongwaveError } from "@longwave/base";
import { parseDurationUs } from "../duration.ts";
import { printLine } from "../output.ts";
import { analyze } from "./analyze.ts";
import { indexShare, lengthText } from "./format.ts";
import { ImportProgress } from "./import-progress.ts";
import { type Input, type InputOptions, openInput } from "./open-input.ts";
import { parseTimeNs } from "./position.ts";
import { withArchive } from "./with-archive.ts";

export interface ImportCommandOptions extends InputOptions {
  readonly startTime?: string;
  readonly chunk?: string;
  readonly strict?: boolean;
  readonly plan?: boolean;
  readonly v2Compat?: boolean;
  readonly overlapPreRoll?: boolean;
  readonly checkpointEvery?: string;
  readonly json?: boolean;
}

/**
 * `longwave archive import STORE FILE...`: one line (or JSON object) a file. A file that cannot be imported does not stop the next
 * ones; the first failure decides the exit code.
 */
export async function importFiles(
  store: string,
  files: readonly string[],
  options: ImportCommandOptions,
): Promise<void> {
  if (options.plan === true) {
    await analyze(files, options);
    return;
  }
  await withArchive(
    store,
    async (archive) => {
      for (const file of files) {
        try {
          await importOne(archive, file, options);
        } catch (error) {
          if (files.length === 1 || !concernsFile(error)) throw error;
          process.exitCode ??= exitCodeOf(error);
          process.stderr.write(`longwave: ${file}: ${error.message} (${error.code})\n`);
        }
      }
      await archive.consolidate();
    },
    { newId: newUlid },
  );
}

/** Another importer has the file, or something is wrong with the file itself: the next one may do better. */
function concernsFile(error: unknown): error is LongwaveError {
  if (!isLongwaveError(error)) return false;
  return error.code === "archive/duplicate" || ["malformed", "unsupported", "limit"].includes(error.kind);
}

async function importOne(archive: Archive, file: string, options: ImportCommandOptions): Promise<void> {
  const chunkFrames = options.chunk === undefined ? undefined : framesOf(options.chunk);
  const startTimeNs = options.startTime === undefined ? undefined : parseTimeNs(options.startTime);
  const input = await openInput(file, options);
  const source = await input.open();
  const progress = new ImportProgress(basename(file), await expectedFrames(file, input));
  const result = await archive.import(source, {
    source: input.source,
    ...(input.sourceAtEnd && { sourceAtEnd: input.sourceAtEnd }),
    ...(input.metadata && { metadata: input.metadata }),
    ...(input.rawMetadata && { rawMetadata: input.rawMetadata }),
    ...(chunkFrames !== undefined && { chunkFrames }),
    ...(startTimeNs === undefined ? { anchors: input.anchors ?? [], start: input.start } : { startTimeNs }),
    ...(options.v2Compat === true && { v2Twin: true }),
    ...(options.overlapPreRoll === true && { overlap: true }),
    ...(options.keepOriginal === true && { original: input.bytes }),
    ...(options.checkpointEvery !== undefined && { checkpointFrames: framesOf(options.checkpointEvery) }),
    resume: options.resume === true,
    strict: options.strict === true,
    onProgress: (frames) => progress.at(frames),
  });
  progress.end();
  const { info, duplicate, notKept } = result;
  if (options.json === true)
    printLine(JSON.stringify({ file, duplicate, ...info, ...(notKept && { notKept }) }));
  else printLine(`${file}: ${outcome(result)}`);
}

function outcome({ info, duplicate, notKept }: ImportResult): string {
  if (duplicate) {
    const left =
      notKept === undefined ? "" : `; its packets are the same, ${leftAside(notKept)} was not kept`;
    return `already there as ${info.id}${left}`;
  }
  const { provenPoints, points, checkpoints } = info.counts;
  return (
    `${info.id}, ${lengthText(info.frames)}${info.source.truncated === true ? " (truncated: the file is cut off)" : ""}, ` +
    `${provenPoints} of ${points} seek points proven, ${checkpoints} states, index ${indexShare(info).toFixed(2)} %`
  );
}

/** `its description (TITLE=Evening, ARTIST=...)`. */
function leftAside({ metadata, rawMetadata }: NotKept): string {
  const { comments } = (metadata["opusTags"] ?? {}) as { comments?: readonly string[] };
  const named = comments ?? [...new Set([...Object.keys(metadata), ...rawMetadata])];
  return `its own description (${named.join(", ").slice(0, 200) || "empty"})`;
}

/** Sample frames that the import will have, as far as that is known in front. */
async function expectedFrames(file: string, input: Input): Promise<number | undefined> {
  const { plan } = input;
  if (plan?.seconds !== undefined) {
    return plan.seconds * 48_000 * (plan.expansion.numerator / plan.expansion.denominator);
  }
  if (input.source.container !== "ogg-opus") return undefined;
  return lastGranule(file, (await stat(file)).size);
}

/** Granule position of the last page of an Ogg file: its length, pre-skip included, of the last link. */
async function lastGranule(file: string, size: number): Promise<number | undefined> {
  const handle = await open(file);
  try {
    const length = Math.min(size, 1 << 16);
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    const at = buffer.lastIndexOf("OggS");
    if (at < 0 || at + 14 > length) return undefined;
    const granule = Number(buffer.readBigInt64LE(at + 6));
    return granule > 0 ? granule : undefined;
  } finally {
    await handle.close();
  }
}

function framesOf(duration: string): number {
  return Math.round((parseDurationUs(duration) * 48) / 1000);
}
