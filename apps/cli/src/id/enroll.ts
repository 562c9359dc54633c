import { BaseError, isLongwaveError, type LongwaveError } from "@longwave/base";
import { extract, type ProfileId } from "@longwave/fingerprint";
import { printLine, progress } from "../output.ts";
import { type AudioFile, findAudioFiles } from "./audio-files.ts";
import { type FingerprintedFile, fingerprintFiles } from "./fingerprint-files.ts";
import { clockTime } from "./format.ts";
import { readMetadata } from "./metadata-file.ts";
import { countTracks, openCatalog } from "./open-catalog.ts";
import { readSound } from "./read-sound.ts";
import { mostChangesUnderWay, tidy } from "./tidy.ts";

export interface EnrollOptions {
  readonly catalog: string;
  readonly profile?: ProfileId;
  readonly replace?: boolean;
  readonly resume?: boolean;
  /** Files that are decoded and analysed at once. */
  readonly jobs: number;
  /** JSON file: an object from id to what is known about the track. */
  readonly meta?: string;
  readonly skipErrors?: boolean;
  /** Id of the one recording that is given; standard input has no name to take it from. */
  readonly id?: string;
  /** False with `--no-wait`: only for jobs over NATS. */
  readonly wait?: boolean;
  readonly json?: boolean;
}

/** `longwave id enroll PATH...`: one line (or JSON object) a file, then a summary. */
export async function enroll(paths: readonly string[], options: EnrollOptions): Promise<void> {
  const files = await filesOf(paths, options.id);
  const known = options.meta === undefined ? undefined : await readMetadata(options.meta);
  await using catalog = await openCatalog(options.catalog, {
    ...(options.profile !== undefined && { profile: options.profile }),
  });
  const count = { added: 0, replaced: 0, unchanged: 0, failed: 0 };
  let done = 0;
  async function* wanted(): AsyncIterable<AudioFile> {
    for (const file of files) {
      if (options.resume !== true || (await catalog.get(file.id)) === undefined) yield file;
      else {
        count.unchanged++;
        done++;
      }
    }
  }
  const { profile } = catalog;
  const fingerprints = paths.includes("-")
    ? fingerprintInput(wanted(), profile)
    : fingerprintFiles(wanted(), profile, Math.min(options.jobs, files.length));
  for await (const { file, outcome } of fingerprints) {
    const { path, id, title } = file;
    progress(`${++done} of ${files.length}: ${id}`);
    try {
      if ("error" in outcome) throw outcome.error;
      const { track, status, duplicates } = await catalog.enroll(
        { title, ...known?.[id], id },
        outcome.fingerprint,
        options.replace === true ? { replace: true } : {},
      );
      count[status]++;
      await tidy(catalog, mostChangesUnderWay);
      const { hashes, durationSeconds } = track;
      if (options.json === true) {
        printLine(JSON.stringify({ id, path, status, hashes, durationSeconds, duplicates }));
      } else {
        const same = duplicates.length === 0 ? "" : `, same sound as ${duplicates.join(", ")}`;
        printLine(`${status} ${id}: ${hashes} hashes, ${clockTime(durationSeconds * 1000)}${same}`);
      }
    } catch (error) {
      if (!isLongwaveError(error)) throw error;
      if (options.skipErrors !== true) throw naming(path, error);
      count.failed++;
      const { code, message } = error;
      if (options.json === true) printLine(JSON.stringify({ id, path, status: "failed", code, message }));
      else console.error(`failed ${id}: ${message} (${code})`);
    }
  }
  await tidy(catalog);
  const tracks = await countTracks(catalog);
  const postings = "postings" in catalog ? catalog.postings : undefined;
  if (options.json === true) printLine(JSON.stringify({ summary: { ...count, tracks, postings } }));
  else {
    printLine(
      `${count.added} added, ${count.replaced} replaced, ${count.unchanged} unchanged, ${count.failed} failed; ` +
        `the catalog holds ${tracks} tracks${postings === undefined ? "" : ` with ${postings} hashes`}.`,
    );
  }
}

/** The files with their ids. @throws BaseError `cli/bad-option` and as `findAudioFiles` */
async function filesOf(paths: readonly string[], id: string | undefined): Promise<AudioFile[]> {
  if (paths.includes("-")) {
    if (paths.length === 1 && id !== undefined) return [{ path: "-", id, title: id }];
    const what = id === undefined ? "has no name: give the recording one with --id" : "is read alone";
    throw new BaseError("cli/bad-option", "usage", `Standard input (-) ${what}.`);
  }
  const files = await findAudioFiles(paths);
  if (id === undefined) return files;
  const [only] = files;
  if (files.length === 1 && only !== undefined) return [{ ...only, id }];
  throw new BaseError("cli/bad-option", "usage", `--id names one recording, and ${files.length} are given.`);
}

/** The fingerprint of standard input, which threads cannot read. */
async function* fingerprintInput(
  files: AsyncIterable<AudioFile>,
  profile: ProfileId,
): AsyncIterable<FingerprintedFile> {
  for await (const file of files) {
    const { samples, sampleRate, channels = 1 } = await readSound("-");
    yield { file, outcome: { fingerprint: extract(profile, samples, { sampleRate, channels }) } };
  }
}

/** The error with the file's name in front, where it does not say which of many it was. */
function naming(path: string, error: LongwaveError): LongwaveError {
  if (error.message.includes(path)) return error;
  return new BaseError(error.code, error.kind, `${path}: ${error.message}`, { cause: error });
}
