import { Worker } from "node:worker_threads";
import type { Fingerprint } from "@longwave/fingerprint";
import { StationError } from "../errors.ts";
import type { JingleOptions } from "../watermark/jingle.ts";
import type { FingerprintRequest, SongAnswer, SongRequest } from "./song-worker.ts";

type Answer = SongAnswer["answer"];

/**
 * The one thread of a process that makes what takes long, beside the one that plays: fingerprints of songs, and the marked jingle. It begins with the first station, so that it has loaded what it needs
 * before anything changes on disk, and ends with the last.
 */
export class SongThread {
  static #shared: SongThread | undefined;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, (answer: Answer | StationError) => void>();
  #users = 0;
  #count = 0;
  #ended: StationError | undefined;

  private constructor() {
    this.#worker = new Worker(new URL("./song-worker.js", import.meta.url));
    this.#worker.unref();
    this.#worker.on("message", ({ number, answer }: SongAnswer) => this.#settle(number, answer));
    this.#worker.on("error", (cause) => this.#end(cause.message, cause));
    this.#worker.on("exit", (code) => this.#end(`it ended with ${code}`));
  }

  /** The thread of this process; `leave` it when it is not needed any more. */
  static join(): SongThread {
    SongThread.#shared ??= new SongThread();
    SongThread.#shared.#users++;
    return SongThread.#shared;
  }

  async leave(): Promise<void> {
    if (--this.#users > 0) return;
    if (SongThread.#shared === this) SongThread.#shared = undefined;
    await this.#worker.terminate();
  }

  /** @throws StationError `station/worker-failed` */
  async fingerprint(request: FingerprintRequest): Promise<Fingerprint> {
    return (await this.#ask({ fingerprint: request })) as Fingerprint;
  }

  /** The samples of a jingle that carries its mark. @throws StationError `station/worker-failed` */
  async jingle(request: Omit<JingleOptions, "pause">): Promise<Float32Array<ArrayBuffer>> {
    return (await this.#ask({ jingle: request })) as Float32Array<ArrayBuffer>;
  }

  async #ask(what: Omit<SongRequest, "number">): Promise<Answer> {
    if (this.#ended !== undefined) throw this.#ended;
    const number = this.#count++;
    const answer = await new Promise<Answer | StationError>((resolve) => {
      this.#waiting.set(number, resolve);
      this.#worker.postMessage({ number, ...what } satisfies SongRequest);
    });
    if (answer instanceof StationError) throw answer;
    return answer;
  }

  #settle(number: number, answer: Answer | StationError): void {
    this.#waiting.get(number)?.(answer);
    this.#waiting.delete(number);
  }

  #end(reason: string, cause?: Error): void {
    this.#ended ??= new StationError(
      "station/worker-failed",
      "unavailable",
      `The thread that fingerprints songs has failed: ${reason.replace(/\.$/, "")}. Where the program was built or installed anew meanwhile, start the station again.`,
      { cause },
    );
    if (SongThread.#shared === this) SongThread.#shared = undefined;
    for (const number of [...this.#waiting.keys()]) this.#settle(number, this.#ended);
  }
}
