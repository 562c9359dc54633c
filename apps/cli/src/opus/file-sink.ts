import { open, realpath, stat } from "node:fs/promises";
import { CliError } from "../errors.ts";

/** Opening the output empties it: that must not be the input. */
export async function refuseSameFile(input: string, output: string): Promise<void> {
  if (input === "-" || output === "-") return;
  const [from, to] = await Promise.all([input, output].map((path) => realpath(path).catch(() => undefined)));
  if (from === undefined || from !== to || !(await stat(from)).isFile()) return;
  throw new CliError("cli/bad-argument", "usage", `${output} is the input itself; name another output.`);
}

/** An output file, or standard output. */
export interface FileSink {
  write(bytes: Uint8Array): Promise<void>;
  /** Replaces the start of the file, where it can seek. */
  rewrite(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Opens an output for writing, `-` being standard output. */
export async function openSink(path: string): Promise<FileSink> {
  if (path === "-") {
    return {
      write: (bytes) =>
        new Promise((resolve, reject) => {
          process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
        }),
      rewrite: async () => undefined,
      close: async () => undefined,
    };
  }
  const file = await open(path, "w").catch((cause: Error) => {
    throw new CliError("cli/bad-argument", "usage", `${path} cannot be written: ${cause.message}.`, {
      cause,
    });
  });
  return {
    write: async (bytes) => {
      await file.writeFile(bytes);
    },
    rewrite: async (bytes) => {
      await file.write(bytes, 0, bytes.length, 0);
    },
    close: () => file.close(),
  };
}
