import { chmod, type FileHandle, open, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** A file that is being written beside the one that it will replace. */
export interface FileReplacement {
  readonly file: FileHandle;
  /** Puts what was written in the place of the file. */
  commit(): Promise<void>;
  /** Forgets what was written; the file is as before. Harmless after `commit`. */
  discard(): Promise<void>;
}

let count = 0;

/**
 * Opens a replacement for `path`: whoever reads the file sees the old one or the whole new one, also where this program is killed, the
 * disk is full, or the file is its own input. Links stay links, and permissions what they were. What is no regular file (a device, a
 * pipe), or lies in a folder where nothing can be made, is written directly.
 */
export async function openReplacement(path: string): Promise<FileReplacement> {
  const target = await realpath(path).catch(() => path);
  const before = await stat(target).catch(() => undefined);
  // Who may not write the file may not replace it either.
  if (before?.isFile() === true) await (await open(target, "r+")).close();
  const beside = join(dirname(target), `.${basename(target)}.${process.pid}-${count++}.part`);
  const draft =
    before === undefined || before.isFile()
      ? await open(beside, "wx").catch((error: NodeJS.ErrnoException) => {
          if (before !== undefined) return undefined;
          throw Object.assign(error, { path });
        })
      : undefined;
  const file = draft ?? (await open(target, "w"));
  let isOpen = true;
  const close = async () => {
    if (isOpen) await file.close();
    isOpen = false;
  };
  return {
    file,
    commit: async () => {
      await close();
      if (draft === undefined) return;
      if (before !== undefined) await chmod(beside, before.mode & 0o7777);
      await rename(beside, target);
    },
    discard: async () => {
      await close();
      if (draft !== undefined) await rm(beside, { force: true });
    },
  };
}

/** Writes a whole file in one step; see `openReplacement`. */
export async function replaceFile(path: string, bytes: Uint8Array | string): Promise<void> {
  const replacement = await openReplacement(path);
  try {
    await replacement.file.writeFile(bytes);
    await replacement.commit();
  } finally {
    await replacement.discard();
  }
}
