import { ArchiveError } from "./errors.ts";

export interface ReadManyOptions {
  /** Reads on their way at once; default 4. */
  readonly concurrency?: number;
  /** Bytes of decoded samples that may wait for the consumer; default 64 MiB. One read may always go on. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

const defaultMaxBytes = 64 * 1024 * 1024;

/**
 * Runs `read` over requests, several at once, and yields the results in the order of the requests. Nothing is started while
 * results on their way and waiting would take more than `maxBytes`; when the consumer stops, nothing more is started.
 * @param bytesOf of the result, before it is read
 */
export async function* readInOrder<Request, Result>(
  requests: Iterable<Request> | AsyncIterable<Request>,
  read: (request: Request) => Promise<Result>,
  bytesOf: (request: Request) => number,
  options: ReadManyOptions = {},
): AsyncGenerator<Result> {
  const { concurrency = 4, maxBytes = defaultMaxBytes, signal } = options;
  if (!(concurrency >= 1) || !(maxBytes >= 0)) {
    throw new ArchiveError("archive/options", "concurrency is at least 1 and maxBytes is not negative.");
  }
  const iterator =
    Symbol.asyncIterator in requests ? requests[Symbol.asyncIterator]() : requests[Symbol.iterator]();
  const pending: { readonly result: Promise<Result>; readonly bytes: number }[] = [];
  let bytes = 0;
  let held: { readonly request: Request; readonly bytes: number } | undefined;
  let ended = false;
  try {
    for (;;) {
      while (!ended && pending.length < concurrency) {
        if (held === undefined) {
          const step = await iterator.next();
          if (step.done === true) {
            ended = true;
            break;
          }
          held = { request: step.value, bytes: bytesOf(step.value) };
        }
        if (pending.length > 0 && bytes + held.bytes > maxBytes) break;
        signal?.throwIfAborted();
        const result = read(held.request);
        // Whoever takes it sees the failure; until then it must not count as unhandled.
        result.catch(() => undefined);
        pending.push({ result, bytes: held.bytes });
        bytes += held.bytes;
        held = undefined;
      }
      const next = pending.shift();
      if (next === undefined) return;
      const result = await next.result;
      signal?.throwIfAborted();
      bytes -= next.bytes;
      yield result;
    }
  } finally {
    await iterator.return?.();
  }
}
