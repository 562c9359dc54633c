import { BaseError, isLongwaveError, type LongwaveError } from "@longwave/base";
import { DirectoryStore } from "@longwave/base/node";
import { Catalog } from "@longwave/catalog";
import type { ProfileId } from "@longwave/fingerprint";
import { findAudioFiles } from "./audio-files.ts";
import { clockTime } from "./format.ts";
import { readSound } from "./read-sound.ts";

export interface EnrollOptions {
  readonly catalog: string;
  readonly profile?: ProfileId;
  readonly replace?: boolean;
  readonly resume?: boolean;
  readonly skipErrors?: boolean;
  readonly json?: boolean;
}

/** `longwave id enroll PATH...`: one line (or JSON object) a file, then a summary. */
export async function enroll(paths: readonly string[], options: EnrollOptions): Promise<void> {
  const files = await findAudioFiles(paths);
  await using catalog = await Catalog.open(new DirectoryStore(options.catalog), {
    ...(options.profile !== undefined && { profile: options.profile }),
  });
  const count = { added: 0, replaced: 0, unchanged: 0, failed: 0 };
  for (const { path, id, title } of files) {
    if (options.resume === true && catalog.get(id) !== undefined) {
      count.unchanged++;
      continue;
    }
    try {
      const sound = await readSound(path);
      const { track, status, duplicates } = await catalog.enroll(
        { id, title },
        sound,
        options.replace === true ? { replace: true } : {},
      );
      count[status]++;
      const { hashes, durationSeconds } = track;
      if (options.json === true) {
        console.log(JSON.stringify({ id, path, status, hashes, durationSeconds, duplicates }));
      } else {
        const same = duplicates.length === 0 ? "" : `, same sound as ${duplicates.join(", ")}`;
        console.log(`${status} ${id}: ${hashes} hashes, ${clockTime(durationSeconds * 1000)}${same}`);
      }
    } catch (error) {
      if (!isLongwaveError(error)) throw error;
      if (options.skipErrors !== true) throw naming(path, error);
      count.failed++;
      const { code, message } = error;
      if (options.json === true) console.log(JSON.stringify({ id, path, status: "failed", code, message }));
      else console.error(`failed ${id}: ${message} (${code})`);
    }
  }
  const { size, postings } = catalog;
  if (options.json === true) console.log(JSON.stringify({ summary: { ...count, tracks: size, postings } }));
  else {
    console.log(
      `${count.added} added, ${count.replaced} replaced, ${count.unchanged} unchanged, ${count.failed} failed; ` +
        `the catalog holds ${size} tracks with ${postings} hashes.`,
    );
  }
}

/** The error with the file's name in front, where it does not say which of many it was. */
function naming(path: string, error: LongwaveError): LongwaveError {
  if (error.message.includes(path)) return error;
  return new BaseError(error.code, error.kind, `${path}: ${error.message}`, { cause: error });
}
