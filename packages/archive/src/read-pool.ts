import { type ErrorKind, LongwaveError } from "@longwave/base";
import type { Archive, Clip } from "./archive.ts";
import { ArchiveError } from "./errors.ts";
import { type ReadManyOptions, readInOrder } from "./read-many.ts";
import { type ReadOptions, type ReadRequest, requestBytes, type SampleForm } from "./read-request.ts";

/** The part of a worker that the pool uses; a browser's `Worker` is one, Node's by `nodeReadPool`. */
export interface PoolWorker {
  postMessage(message: unknown): void;
  addEventListener(
    type: "message" | "error",
    listener: (event: { data?: unknown; message?: string }) => void,
  ): void;
  terminate(): void;
}

/** The worker's end of the line: `self` in a browser. */
export interface PoolPort {
  postMessage(message: unknown, transfer: readonly ArrayBufferLike[]): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
}

interface Question {
  readonly number: number;
  readonly request: ReadRequest;
}

type Answer =
  | { readonly number: number; readonly clip: Clip<SampleForm> }
  | { readonly number: number; readonly error: { code: string; kind: ErrorKind; message: string } };

interface Waiting {
  readonly request: ReadRequest;
  readonly resolve: (clip: Clip<SampleForm>) => void;
  readonly reject: (error: unknown) => void;
}

/** An error that happened in a worker, with its code. */
class RemoteError extends LongwaveError {
  override readonly name = "RemoteError";
}

const mostWaiting = 10_000;

/**
 * Reads from an archive with several workers, each with a decoder of its own. Requests wait in line while all are busy.
 *
 * @example
 * // worker.js
 * serveReads(self, () => Archive.open(new HttpStore(url), { decoder: createSeekableDecoder }));
 * // page
 * const pool = new ReadPool(() => new Worker(new URL("./worker.js", import.meta.url), { type: "module" }), 4);
 * for await (const clip of pool.readMany(requests)) ...
 * pool.close();
 */
export class ReadPool {
  readonly #idle: PoolWorker[] = [];
  readonly #workers: PoolWorker[] = [];
  readonly #waiting: Waiting[] = [];
  readonly #running = new Map<PoolWorker, Waiting & { number: number }>();
  #count = 0;
  #failure: unknown;

  /** @param count of workers */
  constructor(createWorker: () => PoolWorker, count: number) {
    if (!Number.isInteger(count) || count < 1 || count > 256) {
      throw new ArchiveError("archive/options", `A pool has 1 to 256 workers, not ${count}.`);
    }
    for (let i = 0; i < count; i++) {
      const worker = createWorker();
      worker.addEventListener("message", (event) => this.#finish(worker, event.data as Answer));
      worker.addEventListener("error", (event) =>
        this.#fail(
          new ArchiveError("archive/closed", `A worker of the pool died: ${event.message ?? "no reason"}.`),
        ),
      );
      this.#workers.push(worker);
      this.#idle.push(worker);
    }
  }

  /** As `Archive.read`. @throws ArchiveError `archive/closed`, `archive/limit` where too many wait */
  read<Form extends SampleForm = "float32">(
    id: string,
    options: Omit<ReadOptions, "signal"> & { readonly as?: Form },
  ): Promise<Clip<Form>> {
    return new Promise<Clip<SampleForm>>((resolve, reject) => {
      if (this.#failure !== undefined) reject(this.#failure);
      else if (this.#waiting.length >= mostWaiting)
        reject(
          new ArchiveError(
            "archive/limit",
            `${mostWaiting} reads are waiting already; take some results first.`,
          ),
        );
      else {
        this.#waiting.push({ request: { id, ...options }, resolve, reject });
        this.#next();
      }
    }) as Promise<Clip<Form>>;
  }

  /** Reads many ranges in the order of the requests; memory is bounded as in `Archive.readMany`. */
  readMany(
    requests: Iterable<ReadRequest> | AsyncIterable<ReadRequest>,
    options: ReadManyOptions = {},
  ): AsyncGenerator<Clip> {
    const concurrency = options.concurrency ?? 2 * this.#workers.length;
    return readInOrder(
      requests,
      ({ id, ...rest }) => this.read(id, { ...rest, as: "float32" }),
      requestBytes,
      {
        ...options,
        concurrency,
      },
    );
  }

  /** Ends the workers; reads on their way fail with `archive/closed`. */
  close(): void {
    this.#fail(new ArchiveError("archive/closed", "The pool was closed."));
  }

  #next(): void {
    while (this.#idle.length > 0 && this.#waiting.length > 0) {
      const worker = this.#idle.pop()!;
      const waiting = this.#waiting.shift()!;
      const number = ++this.#count;
      this.#running.set(worker, { ...waiting, number });
      worker.postMessage({ number, request: waiting.request } satisfies Question);
    }
  }

  #finish(worker: PoolWorker, answer: Answer): void {
    const running = this.#running.get(worker);
    if (running === undefined || running.number !== answer.number) return;
    this.#running.delete(worker);
    this.#idle.push(worker);
    if ("clip" in answer) running.resolve(answer.clip);
    else running.reject(new RemoteError(answer.error.code, answer.error.kind, answer.error.message));
    this.#next();
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    for (const worker of this.#workers.splice(0)) worker.terminate();
    for (const each of [...this.#running.values(), ...this.#waiting.splice(0)]) each.reject(error);
    this.#running.clear();
    this.#idle.length = 0;
  }
}

/**
 * The worker's side of a pool: answers reads with an archive that is opened with the first one.
 * @param port `self` in a browser's worker
 */
export function serveReads(port: PoolPort, open: () => Promise<Archive>): void {
  let opened: Promise<Archive> | undefined;
  port.addEventListener("message", (event) => {
    const { number, request } = event.data as Question;
    const { id, ...options } = request;
    opened ??= open();
    opened
      .then((archive) => archive.read(id, options))
      .then(
        (clip) => port.postMessage({ number, clip } satisfies Answer, [clip.pcm.buffer]),
        (error: unknown) => {
          const { code, kind, message } = error as Partial<LongwaveError>;
          const told = {
            code: code ?? "archive/closed",
            kind: kind ?? "unavailable",
            message: message ?? String(error),
          };
          port.postMessage({ number, error: told } satisfies Answer, []);
        },
      );
  });
}
