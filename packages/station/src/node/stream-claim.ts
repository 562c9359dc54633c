import { randomUUID } from "node:crypto";
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isLongwaveError } from "@longwave/base";
import { askProcess, FileLock, markedProcess, ownProcessMark, systemReason } from "@longwave/base/node";
import { StationError } from "../errors.ts";

export interface StreamClaimOptions {
  /** Told once when another station has taken the claim over, with the reason in words. */
  readonly onLost?: (reason: string) => void;
  /** Time between two signs of life; default 2 s. */
  readonly beatMs?: number;
  /** A holder that cannot be asked and gives no sign of life for so long is dead; default 20 s. */
  readonly deadAfterMs?: number;
}

const defaults = { beatMs: 2000, deadAfterMs: 20_000 } as const;
/** Time between two looks at a holder that cannot be asked. */
const lookMs = 200;

/** The claim that lies in a directory. */
interface Found {
  /** The holder's mark and a number of its own, a line each. */
  readonly text: string;
  readonly beatNs: bigint;
}

/**
 * The right to record a stream into a directory, so that two stations never write one recording. The claim is a file that names its
 * holder (see `ownProcessMark`) and is written again every 2 s. Whoever wants it asks for the holder's process; where that cannot be asked (another
 * machine, another container on the same volume) it watches for a sign of life, up to 20 s. Claims change hands under a lock, and
 * nobody removes or writes over one that is not its own.
 */
export class StreamClaim {
  readonly #path: string;
  readonly #guard: string;
  readonly #text: string;
  readonly #file: FileHandle;
  readonly #onLost: ((reason: string) => void) | undefined;
  readonly #timer: NodeJS.Timeout;
  #work: Promise<void> = Promise.resolve();
  #isOver = false;

  private constructor(
    directory: string,
    stream: string,
    text: string,
    file: FileHandle,
    options: StreamClaimOptions,
  ) {
    this.#path = pathOf(directory, stream);
    this.#guard = guardOf(directory, stream);
    this.#text = text;
    this.#file = file;
    this.#onLost = options.onLost;
    this.#timer = setInterval(() => {
      this.#work = this.#work.then(() => this.#beat());
    }, options.beatMs ?? defaults.beatMs).unref();
  }

  /**
   * Claims a stream in a directory, which is made where it is missing.
   * @throws StationError `station/archive-in-use`, `station/archive-unwritable`
   */
  static async take(
    directory: string,
    stream: string,
    options: StreamClaimOptions = {},
  ): Promise<StreamClaim> {
    try {
      return await take(
        directory,
        stream,
        options.deadAfterMs ?? defaults.deadAfterMs,
        (text, file) => new StreamClaim(directory, stream, text, file, options),
      );
    } catch (cause) {
      if (cause instanceof StationError) throw cause;
      const reason = isLongwaveError(cause) ? cause.message : `${systemReason(cause)}.`;
      const message = `The archive cannot be written to ${directory}: ${reason}`;
      throw new StationError("station/archive-unwritable", "unavailable", message, { cause });
    }
  }

  /** Gives the claim back, unless another has it by now. A second call does nothing. */
  async release(): Promise<void> {
    if (this.#isOver) return;
    this.#end();
    await this.#work;
    // A disk that is full takes no lock. Then the claim stays, and is that of a dead process soon.
    const lock = await FileLock.take(this.#guard).catch(() => undefined);
    try {
      if (lock !== undefined && (await this.#holds()) === true) await rm(this.#path, { force: true });
    } finally {
      await lock?.release();
      await this.#file.close().catch(() => undefined);
    }
  }

  /** Writes the open file, which is nobody else's even where another has put its own in this one's place. */
  async #beat(): Promise<void> {
    if (this.#isOver) return;
    try {
      await this.#file.write(this.#text, 0, "latin1");
    } catch {
      const now = new Date();
      await this.#file.utimes(now, now).catch(() => undefined);
    }
    if (this.#isOver || (await this.#holds()) !== false) return;
    this.#end();
    await this.#file.close().catch(() => undefined);
    const text = await readFile(this.#path, "latin1").catch(() => "");
    this.#onLost?.(`Another station (process ${markedProcess(text.split("\n")[0]!)}) has taken it over`);
  }

  /** Undefined where it cannot be told: the directory is away, or somebody has removed the file by hand. */
  async #holds(): Promise<boolean | undefined> {
    const text = await readFile(this.#path, "latin1").catch(() => undefined);
    return text === undefined ? undefined : text === this.#text;
  }

  #end(): void {
    this.#isOver = true;
    clearInterval(this.#timer);
  }
}

async function take(
  directory: string,
  stream: string,
  deadAfterMs: number,
  claim: (text: string, file: FileHandle) => StreamClaim,
): Promise<StreamClaim> {
  await mkdir(directory, { recursive: true });
  const text = `${ownProcessMark()}\n${randomUUID()}\n`;
  let first: Found | undefined;
  let firstMs = 0;
  for (;;) {
    const lock = await FileLock.take(guardOf(directory, stream));
    const draft = join(directory, `.${stream}.claim.tmp`);
    try {
      // Written anew for each look: its time says what time it is where the directory lies.
      await writeFile(draft, text, "latin1");
      const found = await look(pathOf(directory, stream));
      const watchedMs = first === undefined ? 0 : performance.now() - firstMs;
      if (found === undefined || (await isDead(found, draft, watchedMs, deadAfterMs))) {
        return claim(text, await moveInto(pathOf(directory, stream), draft));
      }
      const gaveSign = first !== undefined && (found.text !== first.text || found.beatNs !== first.beatNs);
      if (gaveSign || ask(found) === "alive") throw inUse(found, directory, stream);
      if (first === undefined) firstMs = performance.now();
      first = found;
    } finally {
      await rm(draft, { force: true }).catch(() => undefined);
      await lock.release();
    }
    await sleep(lookMs);
  }
}

/** Puts the draft in the claim's place; returns it opened. */
async function moveInto(path: string, draft: string): Promise<FileHandle> {
  const file = await open(draft, "r+");
  try {
    await rename(draft, path);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function look(path: string): Promise<Found | undefined> {
  const info = await stat(path, { bigint: true }).catch(() => undefined);
  const text = await readFile(path, "latin1").catch(() => undefined);
  return info === undefined || text === undefined ? undefined : { text, beatNs: info.mtimeNs };
}

async function isDead(found: Found, draft: string, watchedMs: number, deadAfterMs: number): Promise<boolean> {
  const holder = ask(found);
  if (holder !== "unknown") return holder === "gone";
  const now = (await stat(draft, { bigint: true })).mtimeNs;
  return Math.max(watchedMs, Number(now - found.beatNs) / 1e6) > deadAfterMs;
}

function ask({ text }: Found): ReturnType<typeof askProcess> {
  return askProcess(text.split("\n")[0]!);
}

function inUse({ text }: Found, directory: string, stream: string): StationError {
  return new StationError(
    "station/archive-in-use",
    "unavailable",
    `Another station (process ${markedProcess(text.split("\n")[0]!)}) records ${stream} into ${directory}; stop it, or choose another directory with --archive.`,
  );
}

function pathOf(directory: string, stream: string): string {
  return join(directory, `.${stream}.lock`);
}

/** What the lock is taken on while a claim changes hands. */
function guardOf(directory: string, stream: string): string {
  return join(directory, `${stream}.claim`);
}

/**
 * Whether every claim in a directory is that of a process that is gone, or that cannot be asked and has given no sign of life for
 * `silentMs`; undefined where there is no claim.
 */
export async function isForsaken(directory: string, silentMs: number): Promise<boolean | undefined> {
  const claims = (await readdir(directory)).filter((name) => /^\.[a-z0-9-]+\.lock$/.test(name));
  if (claims.length === 0) return undefined;
  for (const name of claims) {
    const found = await look(join(directory, name));
    if (found === undefined) return false;
    const holder = ask(found);
    const ageMs = Date.now() - Number(found.beatNs / 1_000_000n);
    if (holder === "alive" || (holder === "unknown" && ageMs < silentMs)) return false;
  }
  return true;
}
