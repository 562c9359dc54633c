import { open, stat } from "node:fs/promises";
import { HttpStore, type ObjectStore, S3Store } from "@longwave/base";
import { DirectoryStore, SystemClock } from "@longwave/base/node";
import { ArchiveError } from "../errors.ts";
import { ZipStore } from "../zip-store.ts";

export interface OpenStoreOptions {
  /** Refuse a directory that is not there. */
  readonly mustExist?: boolean;
  /** Where the address and keys of an S3 service are taken from; default the process's environment. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** A store and what gives its resources back. */
export interface OpenedStore {
  readonly store: ObjectStore;
  close(): Promise<void>;
}

const nothingToClose = async () => undefined;

/**
 * The store behind a name: a directory (made by the first write), a `.zip` file or an `http(s)://` address (both read
 * only), or `s3://bucket/prefix` with `LONGWAVE_S3_ENDPOINT`, `LONGWAVE_S3_REGION` and the usual `AWS_ACCESS_KEY_ID`,
 * `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` in the environment. Close it when done.
 * @throws ArchiveError `archive/not-found` with `mustExist` where nothing is there, `archive/options`
 */
export async function openStore(name: string, options: OpenStoreOptions = {}): Promise<OpenedStore> {
  if (/^https?:\/\//.test(name)) return { store: new HttpStore(name), close: nothingToClose };
  const bucket = /^s3:\/\/([^/]+)\/?(.*)$/.exec(name);
  if (bucket !== null) {
    return {
      store: openBucket(bucket[1]!, bucket[2]!, options.environment ?? process.env),
      close: nothingToClose,
    };
  }
  const info = await stat(name).catch(() => undefined);
  if (info === undefined && options.mustExist === true) {
    throw new ArchiveError("archive/not-found", `There is no archive at ${name}; import something first.`);
  }
  if (info?.isFile()) return openZip(name, info.size);
  return { store: new DirectoryStore(name), close: nothingToClose };
}

function openBucket(
  bucket: string,
  prefix: string,
  environment: Readonly<Record<string, string | undefined>>,
): ObjectStore {
  const region = environment["LONGWAVE_S3_REGION"] ?? environment["AWS_REGION"] ?? "us-east-1";
  const accessKeyId = environment["AWS_ACCESS_KEY_ID"];
  const secretAccessKey = environment["AWS_SECRET_ACCESS_KEY"];
  const sessionToken = environment["AWS_SESSION_TOKEN"];
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new ArchiveError(
      "archive/options",
      `s3://${bucket} needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment.`,
    );
  }
  return new S3Store({
    endpoint: environment["LONGWAVE_S3_ENDPOINT"] ?? `https://s3.${region}.amazonaws.com`,
    bucket,
    prefix,
    region,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    clock: new SystemClock(),
  });
}

async function openZip(name: string, size: number): Promise<OpenedStore> {
  const file = await open(name);
  const read = async (start: number, end: number) => {
    const bytes = new Uint8Array(Math.max(0, end - start));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
    return bytes.subarray(0, bytesRead);
  };
  try {
    return { store: await ZipStore.open({ size, read }), close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}
