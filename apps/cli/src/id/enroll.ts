import { BaseError, isLongwaveError } from "@longwave/base";
import { extract, type ProfileId } from "@longwave/fingerprint";
import { printLine, progress } from "../output.ts";
import { type AudioFile, findAudioFiles } from "./audio-files.ts";
import { type FingerprintedFile, fingerprintFiles } from "./fingerprint-files.ts";
import { contentText } from "./format.ts";
import { readMetadata } from "./metadata-file.ts";
import { naming } from "./naming.ts";
import { countTracks, openCatalog } from "./open-catalog.ts";
import { decodeSound, warnOf } from "./read-sound.ts";
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

/** Exit code where files were left out or failed: everything else is enrolled. */
export const skippedExitCode = 1;

/** How many recordings have nothing to be recognised by, for the summary; nothing where there are none. */
export function emptyText(count: number): string {
  return count === 0 ? "" : `${count} without anything to recognise, `;
}

/** `longwave id enroll PATH...`: one line (or JSON object) a file, then a summary. */
export async function enroll(paths: readonly string[], options: EnrollOptions): Promise<void> {
  const files = await filesOf(paths, options.id);
  const known = options.meta === undefined ? undefined : await readMetadata(options.meta);
  await using catalog = await openCatalog(options.catalog, {
    ...(options.profile !== undefined && { profile: options.profile }),
  });
  const count = { added: 0, replaced: 0, unchanged: 0, empty: 0, failed: 0 };
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
      const { fingerprint, truncated, warnings } = outcome;
      warnOf(path, warnings);
      const { track, status, duplicates } = await catalog.enroll(
        { title, ...known?.[id], id },
        fingerprint,
        options.replace === true ? { replace: true } : {},
      );
      const { hashes, durationSeconds } = track;
      // Nothing finds it, so it counts apart.
      count[hashes === 0 ? "empty" : status]++;
      await tidy(catalog, mostChangesUnderWay);
      if (options.json === true) {
        printLine(JSON.stringify({ id, path, status, hashes, durationSeconds, duplicates, truncated }));
      } else printLine(`${status} ${id}: ${contentText(hashes, durationSeconds, duplicates)}`);
    } catch (error) {
      if (!isLongwaveError(error)) throw error;
      if (options.skipErrors !== true) throw naming(path, error);
      count.failed++;
      const { code, message } = error;
      if (options.json === true) printLine(JSON.stringify({ id, path, status: "failed", code, message }));
      else console.error(`failed ${id}: ${message} (${code})`);
    }
  }
  if (count.failed > 0) process.exitCode = skippedExitCode;
  await tidy(catalog);
  const tracks = await countTracks(catalog);
  const postings = "postings" in catalog ? catalog.postings : undefined;
  if (options.json === true) printLine(JSON.stringify({ summary: { ...count, tracks, postings } }));
  else {
    printLine(
      `${count.added} added, ${count.replaced} replaced, ${count.unchanged} unchanged, ` +
        `${emptyText(count.empty)}${count.failed} failed; ` +
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
    const { samples, sampleRate, channels, truncated, warnings } = await decodeSound("-");
    const fingerprint = extract(profile, samples, { sampleRate, channels });
    yield { file, outcome: { fingerprint, truncated, warnings } };
  }
}
