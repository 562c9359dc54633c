import type { ErrorKind } from "../errors.ts";

/**
 * What the operating system refused, in words and with what to do, without the names of its calls: for the middle of a message such as
 * `Cannot read talk.opus: ${systemReason(error)}.` An error of another origin keeps its own message.
 */
export function systemReason(error: unknown): string {
  const { code, path, message } = error as NodeJS.ErrnoException;
  const where = path ?? "the path";
  switch (code) {
    case "ENOENT":
      return `${where} does not exist`;
    case "EACCES":
    case "EPERM":
      return "no permission; change the permissions, or name another place";
    case "EROFS":
      return "the file system is read-only; name another place";
    case "ENOSPC":
      return "the disk is full; make room and try again";
    case "EFBIG":
      return "the file would be larger than is allowed here (ulimit -f)";
    case "EDQUOT":
      return "the quota is used up; make room and try again";
    case "ENOTDIR":
    case "EEXIST":
      return `a part of ${where} is a file where a directory is needed; name another directory, or move that file`;
    case "EISDIR":
      return path === undefined
        ? "it is a directory; name a file in it"
        : `${where} is a directory where a file is needed; name another place, or move that directory`;
    case "EMFILE":
    case "ENFILE":
      return "too many files are open; close some or raise the limit (ulimit -n)";
    case "ENAMETOOLONG":
      return "the name is too long for this file system; choose a shorter one";
    case "ELOOP":
      return `the symbolic links of ${where} lead in a circle; name the file itself`;
    case "EIO":
      return `the device of ${where} reports an error; check the disk`;
    default:
      return message;
  }
}

/** *usage* where another path would do (none there, a directory for a file), else *unavailable* (permission, space, device). */
export function systemErrorKind(error: unknown): ErrorKind {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR" || code === "ENAMETOOLONG"
    ? "usage"
    : "unavailable";
}

/** True for an error of a system call, such as ENOENT of open(). */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return error instanceof Error && typeof code === "string" && typeof syscall === "string";
}
