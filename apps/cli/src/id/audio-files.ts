import { readdir, stat } from "node:fs/promises";
import { basename, extname, join, relative } from "node:path";
import { BaseError } from "@longwave/base";

/** Names that are taken for sound when a whole directory is given; a file given by name is always tried. */
const audioExtensions = new Set(
  "wav wave rf64 flac mp3 ogg oga opus m4a mp4 aac aif aiff webm mka mkv wma w64 caf".split(" "),
);

/** A file to enroll and the id it gets: its path inside the given directory, or its own name. */
export interface AudioFile {
  readonly path: string;
  readonly id: string;
  readonly title: string;
}

/**
 * The audio files among `paths`, directories searched through, in order of their ids.
 * @throws BaseError `cli/no-such-file`, `cli/no-audio`, `cli/unreadable`
 */
export async function findAudioFiles(paths: readonly string[]): Promise<AudioFile[]> {
  const files: AudioFile[] = [];
  for (const path of paths) {
    if (path === "-") {
      const message = "Standard input (-) cannot be read here; name files or directories.";
      throw new BaseError("cli/no-such-file", "usage", message);
    }
    const info = await stat(path).catch((cause: NodeJS.ErrnoException) => {
      const what = cause.code === "ENOENT" ? "does not exist" : `cannot be read (${cause.code})`;
      throw new BaseError("cli/no-such-file", "usage", `${path} ${what}.`, { cause });
    });
    if (info.isDirectory()) files.push(...(await filesIn(path)));
    else files.push(describe(path, basename(path)));
  }
  return files;
}

async function filesIn(directory: string): Promise<AudioFile[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(
    (cause: NodeJS.ErrnoException) => {
      const what =
        cause.code === "EACCES"
          ? `No permission to read ${cause.path ?? directory}; change its permissions or name another directory.`
          : `${cause.path ?? directory} cannot be read: ${cause.message}.`;
      throw new BaseError("cli/unreadable", "unavailable", what, { cause });
    },
  );
  const files = entries
    .filter((entry) => entry.isFile() && audioExtensions.has(extname(entry.name).slice(1).toLowerCase()))
    .map((entry) => {
      const path = join(entry.parentPath ?? entry.path, entry.name);
      return describe(path, relative(directory, path).replaceAll("\\", "/"));
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  if (files.length > 0) return files;
  throw new BaseError(
    "cli/no-audio",
    "usage",
    `${directory} contains no audio file; known endings are ${[...audioExtensions].join(", ")}.`,
  );
}

function describe(path: string, id: string): AudioFile {
  return { path, id, title: basename(id, extname(id)) };
}
