import { BaseError, type ErrorKind, type Hooks, isLongwaveError, silentHooks } from "@longwave/base";
import {
  channelLanes,
  downmix,
  type Fingerprint,
  markColumns,
  type ProfileId,
  prepareSamples,
  profileOf,
} from "@longwave/fingerprint";
import { type NatsConnection, TimeoutError } from "@nats-io/nats-core";
import { followStream, isSilent } from "../answer-query.ts";
import { CatalogError } from "../errors.ts";
import {
  type AudioInput,
  type Identification,
  type IdentifyOptions,
  type MissingShard,
  noAnswer,
} from "../identification.ts";
import { identifyLanes } from "../lanes.ts";
import { type AskWindow, LiveMatcher, type LiveOptions } from "../live-matcher.ts";
import type { MonitorEvent, MonitorOptions } from "../monitor.ts";
import type { StreamWindow } from "../stream-window.ts";
import { decodeAnswer, encodeQuestion } from "./match-wire.ts";
import { errorCodeHeader, errorKindHeader } from "./matcher-service.ts";
import { mergeAnswers } from "./merge-answers.ts";
import { agreedShards, askShards, type ShardInfo, subjectOf } from "./shard-info.ts";

/** Options of {@link ScatteredCatalog}. */
export interface ScatteredCatalogOptions {
  readonly profile?: ProfileId;
  /** Names of all shards; each question goes to every one. */
  readonly shards: readonly string[];
  /** Root of the subjects; default `longwave.identify`. */
  readonly subject?: string;
  /** A shard that has not answered after so long is left out, and the answer names it. Default 5000. */
  readonly timeoutMs?: number;
  /** The same for a look of `live` and `monitor`, which have to keep up with their stream. Default 1000. */
  readonly lookTimeoutMs?: number;
  /** Counters `catalog_scatter_questions` and `catalog_scatter_missing` (labels `shard` and `code`). */
  readonly hooks?: Hooks;
}

/** Candidates that each shard is asked for, so that merging does not lack any. */
const shardCandidates = 20;
/** A shard that kept a look waiting until its end is left out of so many after it. */
const looksLeftOut = 4;
const defaultSubject = "longwave.identify";
/** Bytes of a window beside its levels: records of every profile take less a second, and header and JSON. */
const recordBytesPerSecond = 4096;
const headBytes = 4096;

/**
 * A catalog whose tracks are spread over shards behind NATS: a question goes to all shards at once (`serveMatcher`), their answers
 * become one. A shard that does not answer makes the answer partial, and is named in `shards`; it fails only if none answers.
 *
 * @example
 * const catalog = await ScatteredCatalog.discover(await connect({ servers }));
 * const { match, shards } = await catalog.identify({ samples, sampleRate: 48_000 });
 */
export class ScatteredCatalog {
  readonly profile: ProfileId;
  readonly shards: readonly string[];
  readonly #connection: NatsConnection;
  readonly #root: string;
  readonly #timeoutMs: number;
  readonly #lookTimeoutMs: number;
  readonly #hooks: Hooks;

  /** @throws CatalogError `catalog/bad-id` */
  constructor(connection: NatsConnection, options: ScatteredCatalogOptions) {
    this.#connection = connection;
    this.profile = profileOf(options.profile ?? "mark-v1").id;
    this.#timeoutMs = options.timeoutMs ?? 5000;
    this.#lookTimeoutMs = options.lookTimeoutMs ?? 1000;
    this.#root = options.subject ?? defaultSubject;
    this.#hooks = options.hooks ?? silentHooks;
    this.shards = [...options.shards];
    for (const shard of this.shards) subjectOf(this.#root, shard);
    if (this.shards.length > 0) return;
    throw new CatalogError("catalog/bad-id", "A scattered catalog needs the name of at least one shard.");
  }

  /**
   * Finds out from the matchers what the shards are. Of numbered shards one matcher is enough: those that are silent belong to the
   * catalog, too, and their absence will be told.
   * @param options `waitMs`: how long answers are waited for, default 2000
   * @throws CatalogError `catalog/engine-failed` where no matcher answers, `catalog/shards-disagree`
   */
  static async discover(
    connection: NatsConnection,
    options: Omit<ScatteredCatalogOptions, "shards" | "profile"> & { readonly waitMs?: number } = {},
  ): Promise<ScatteredCatalog> {
    const root = options.subject ?? defaultSubject;
    const found = agreedShards(await askShards(connection, root, options.waitMs ?? 2000), root);
    return new ScatteredCatalog(connection, { ...options, ...found });
  }

  /** What the matchers tell of themselves; silent shards are not among them. @throws CatalogError `catalog/engine-failed` */
  matchers(waitMs = 2000): Promise<ShardInfo[]> {
    return askShards(this.#connection, this.#root, waitMs);
  }

  /**
   * Finds the recording that the query is a piece of; see `Catalog.identify`.
   * @throws CatalogError `catalog/query-too-long` for more sound than a message holds (about 30 s), `catalog/engine-failed` where no
   * shard answers; BaseError with the code of a shard where all refuse
   */
  async identify(
    query: AudioInput | Fingerprint | StreamWindow,
    options: IdentifyOptions = {},
  ): Promise<Identification> {
    const { layout = "mix", ...rest } = options;
    if ("samples" in query && layout !== "mix") {
      const { sampleRate } = query;
      const lanes = channelLanes(query.samples, query.channels ?? 1, layout);
      return identifyLanes(lanes, (samples, each) => this.identify({ samples, sampleRate }, each), rest);
    }
    let asked: AudioInput | Fingerprint | StreamWindow;
    try {
      asked = "records" in query ? query : this.#monoAtRate(query);
    } catch (error) {
      if (!isLongwaveError(error, "fp/too-short")) throw error;
      return noAnswer("too-short");
    }
    if ("samples" in asked && isSilent(asked.samples)) return noAnswer("silence");
    const { answer, failures } = await this.#scatter(asked, options, this.shards, [], this.#timeoutMs);
    if (answer === undefined) throw failures[0];
    return answer;
  }

  /**
   * Identifies a running stream over a sliding window; see {@link LiveMatcher}. A look at which no shard answers is no error: its
   * answer names all shards as missing.
   * @throws CatalogError `catalog/query-too-long` for a window that a message does not hold (about a minute)
   */
  live(options: LiveOptions = {}): LiveMatcher {
    this.#requireFitting(options);
    return new LiveMatcher(this.profile, this.#newLook(), options);
  }

  /**
   * Follows a stream of mono samples; see `Catalog.monitor`. Events `shards` tell which shards are silent from now on; a shard that
   * lets a look wait is left out of the next four, so that a stream is kept up with.
   */
  async *monitor(
    stream: AsyncIterable<Float32Array> | Iterable<Float32Array>,
    options: MonitorOptions & LiveOptions,
  ): AsyncIterable<MonitorEvent> {
    this.#requireFitting(options);
    yield* followStream(this.profile, this.#newLook(), stream, options);
  }

  #requireFitting({ windowSeconds = 8 }: LiveOptions): void {
    const { sampleRate, hopSize } = profileOf(this.profile);
    const framesPerSecond = this.profile === "mark-v1" ? sampleRate / hopSize : 0;
    const seconds = Math.min(120, Math.max(2, windowSeconds));
    this.#requireShort(seconds * (framesPerSecond * markColumns + recordBytesPerSecond) + headBytes);
  }

  #requireShort(bytes: number): void {
    const most = this.#connection.info?.max_payload ?? 1 << 20;
    if (bytes <= most) return;
    throw new CatalogError(
      "catalog/query-too-long",
      `The query takes ${Math.ceil(bytes)} bytes and a message at most ${most}; ask with fewer seconds, or with a fingerprint.`,
    );
  }

  #monoAtRate({ samples, sampleRate, channels = 1 }: AudioInput): AudioInput {
    const mono = downmix(samples, channels);
    const rate = profileOf(this.profile).sampleRate;
    return { samples: prepareSamples(this.profile, mono, { sampleRate }), sampleRate: rate };
  }

  /** Asks about the windows of one stream, one after the other. */
  #newLook(): AskWindow {
    const leftOut = new Map<string, { looks: number; readonly missing: MissingShard }>();
    return async (window, options) => {
      const asked: string[] = [];
      const passedOver: MissingShard[] = [];
      for (const shard of this.shards) {
        const entry = leftOut.get(shard);
        if (entry === undefined || entry.looks-- <= 0) asked.push(shard);
        else passedOver.push(entry.missing);
      }
      // With nobody left to ask, those that were slow are asked again.
      const these = asked.length > 0 ? asked : this.shards;
      const others = asked.length > 0 ? passedOver : [];
      const { answer, missing, timedOut } = await this.#scatter(
        window,
        options,
        these,
        others,
        this.#lookTimeoutMs,
      );
      for (const shard of these) leftOut.delete(shard);
      for (const each of missing)
        if (timedOut.has(each.shard)) leftOut.set(each.shard, { looks: looksLeftOut, missing: each });
      if (answer !== undefined) return answer;
      const shards = { asked: this.shards.length, missing: [...missing, ...others] };
      return { ...noAnswer("below-threshold"), partial: true, shards };
    };
  }

  /** Asks `shards` and merges; `others` were passed over and count as missing. */
  async #scatter(
    query: AudioInput | Fingerprint | StreamWindow,
    options: IdentifyOptions,
    shards: readonly string[],
    others: readonly MissingShard[],
    timeoutMs: number,
  ): Promise<{
    readonly answer: Identification | undefined;
    readonly missing: readonly MissingShard[];
    readonly failures: readonly unknown[];
    readonly timedOut: ReadonlySet<string>;
  }> {
    const { limit, maxFalse, explain, signal } = options;
    signal?.throwIfAborted();
    const shardOptions = {
      limit: Math.max(limit ?? 5, shardCandidates),
      ...(maxFalse !== undefined && { maxFalse }),
      ...(explain !== undefined && { explain }),
    };
    const question = encodeQuestion({ profile: this.profile, query, options: shardOptions });
    this.#requireShort(question.length);
    this.#hooks.metric?.("catalog_scatter_questions", 1);
    const asking = Promise.allSettled(shards.map((shard) => this.#ask(shard, question, timeoutMs)));
    const results = await (signal === undefined ? asking : untilAborted(asking, signal));
    const answers: Identification[] = [];
    const missing: MissingShard[] = [];
    const failures: unknown[] = [];
    const timedOut = new Set<string>();
    for (const [i, result] of results.entries()) {
      if (result.status === "fulfilled") {
        answers.push(result.value);
        continue;
      }
      const shard = shards[i]!;
      const error = result.reason as BaseError;
      failures.push(error);
      if (error.cause instanceof TimeoutError) timedOut.add(shard);
      missing.push({ shard, code: error.code, message: error.message });
      this.#hooks.metric?.("catalog_scatter_missing", 1, { shard, code: error.code });
    }
    const all = [...missing, ...others].sort((a, b) => (a.shard < b.shard ? -1 : 1));
    const answer = answers.length === 0 ? undefined : mergeAnswers(this.profile, answers, all, options);
    return { answer, missing, failures, timedOut };
  }

  async #ask(shard: string, question: Uint8Array, timeoutMs: number): Promise<Identification> {
    const subject = subjectOf(this.#root, shard);
    let answer: Awaited<ReturnType<NatsConnection["request"]>>;
    try {
      answer = await this.#connection.request(subject, question, { timeout: timeoutMs });
    } catch (cause) {
      const what = cause instanceof TimeoutError ? `within ${timeoutMs} ms` : `(${(cause as Error).message})`;
      throw new CatalogError("catalog/engine-failed", `Shard ${shard} gives no answer ${what}.`, { cause });
    }
    const code = answer.headers?.get(errorCodeHeader) ?? "";
    if (code === "") return decodeAnswer(answer.data);
    const kind = (answer.headers?.get(errorKindHeader) ?? "unavailable") as ErrorKind;
    throw new BaseError(code, kind, `Shard ${shard}: ${new TextDecoder().decode(answer.data)}`);
  }
}

/** What `work` gives, or the signal's reason as soon as it is aborted. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: () => void = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
