import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { systemReason } from "@longwave/base/node";
import { StationError } from "../errors.ts";
import type { StationCatalog } from "../station-catalog.ts";
import { FileProgramme } from "./file-programme.ts";
import type { LiveInput } from "./live-input.ts";
import { isNetworkInput, openNetworkInput } from "./network-input.ts";
import { openStandardInput } from "./standard-input.ts";

export interface InputOptions {
  readonly catalog: StationCatalog;
  readonly pause: () => Promise<void>;
  readonly signal: AbortSignal;
  readonly inputRateHz?: number;
  readonly inputChannels?: number;
}

/** Names that are worth trying to decode when a directory is played. */
const audioName = /\.(wav|wave|mp3|flac|ogg|oga|opus|m4a|aac|aif|aiff|webm|mka|wv|caf)$/i;
/** A directory with more than this is a mistake, such as "/". */
const maxFiles = 20_000;

/**
 * Opens a file, a directory, an HTTP or RIST address, or "-".
 *
 * @throws StationError `station/not-found`, `station/unreadable`, `station/no-audio`; MediaError where the first file cannot
 * be decoded
 */
export async function openInput(input: string, options: InputOptions): Promise<LiveInput> {
  if (isNetworkInput(input)) return openNetworkInput(input, options);
  if (input === "-") return openStandardInput(process.stdin, options);
  const info = await stat(input).catch((cause: NodeJS.ErrnoException) => {
    throw inputError(input, cause);
  });
  const files = info.isDirectory()
    ? await listAudio(input)
    : [{ path: input, detail: "", id: basename(input) }];
  const programme = new FileProgramme(files, options);
  await programme.prepareFirst();
  return {
    name: info.isDirectory() ? `${filesText(files.length)} of ${basename(resolve(input))}` : basename(input),
    source: programme,
    onEvents: (take) => programme.onEvents(take),
  };
}

function inputError(input: string, cause: NodeJS.ErrnoException): StationError {
  if (cause.code === "ENOENT" || cause.code === "ENOTDIR") {
    return new StationError("station/not-found", "usage", `There is no file or directory ${input}.`, {
      cause,
    });
  }
  if (cause.code === "EACCES" || cause.code === "EPERM") {
    return new StationError(
      "station/unreadable",
      "unavailable",
      `No permission to read ${input}; change its permissions or name another place.`,
      {
        cause,
      },
    );
  }
  return new StationError(
    "station/unreadable",
    "unavailable",
    `Cannot read ${input}: ${systemReason(cause)}.`,
    {
      cause,
    },
  );
}

async function listAudio(directory: string): Promise<{ path: string; detail: string; id: string }[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(
    (cause: NodeJS.ErrnoException) => {
      throw inputError(directory, cause);
    },
  );
  const paths = entries
    .filter((entry) => entry.isFile() && audioName.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort((a, b) => (a < b ? -1 : 1));
  if (paths.length === 0) {
    throw new StationError(
      "station/no-audio",
      "usage",
      `${directory} holds no audio files (wav, mp3, flac, ogg, opus, m4a and the like); name another directory or one file.`,
    );
  }
  if (paths.length > maxFiles) {
    throw new StationError(
      "station/too-many-files",
      "limit",
      `${directory} holds ${paths.length} audio files, at most ${maxFiles} are played; name a directory further down.`,
    );
  }
  return paths.map((path) => ({
    path,
    detail: relative(directory, dirname(path)),
    id: relative(directory, path).replaceAll("\\", "/"),
  }));
}

function filesText(count: number): string {
  return count === 1 ? "1 file" : `${count} files`;
}
