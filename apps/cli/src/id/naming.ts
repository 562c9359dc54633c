import { BaseError, isLongwaveError, type LongwaveError } from "@longwave/base";

/** The error with the file's name in front, where it does not say which of many it was. */
export function naming(path: string, error: LongwaveError): LongwaveError {
  const name = path === "-" ? "standard input" : path;
  if (error.message.includes(name)) return error;
  return new BaseError(error.code, error.kind, `${name}: ${error.message}`, { cause: error });
}

/** Does what concerns a file: what is wrong with its sound is said with its name. */
export async function aboutFile<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isLongwaveError(error) || !/^(fp|media)\//.test(error.code)) throw error;
    throw naming(path, error);
  }
}
