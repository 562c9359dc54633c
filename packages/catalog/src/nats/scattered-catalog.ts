import { BaseError, type ErrorKind, isLongwaveError } from "@longwave/base";
import { downmix, type Fingerprint, type ProfileId, prepareSamples, profileOf } from "@longwave/fingerprint";
import type { NatsConnection } from "@nats-io/nats-core";
import { isSilent } from "../answer-query.ts";
import { CatalogError } from "../errors.ts";
import { type AudioInput, type Identification, type IdentifyOptions, noAnswer } from "../identification.ts";
import { decodeAnswer, encodeQuestion } from "./match-wire.ts";
import { errorCodeHeader, errorKindHeader, subjectOf } from "./matcher-service.ts";
import { mergeAnswers } from "./merge-answers.ts";

/** Options of {@link ScatteredCatalog}. */
export interface ScatteredCatalogOptions {
  readonly profile?: ProfileId;
  /** Names of all shards; each question goes to every one. */
  readonly shards: readonly string[];
  /** Root of the subjects; default `longwave.identify`. */
  readonly subject?: string;
  /** A shard that has not answered after so long is left out, and the answer says `partial`. Default 5000. */
  readonly timeoutMs?: number;
}

/** Candidates that each shard is asked for, so that merging does not lack any. */
const shardCandidates = 20;

/**
 * A catalog whose tracks are spread over shards behind NATS: a question goes to all shards at once (`serveMatcher`), their answers
 * become one. A shard that does not answer makes the answer partial; it fails only if none answers.
 *
 * @example
 * const catalog = new ScatteredCatalog(await connect({ servers }), { shards: ["0", "1", "2"] });
 * const { match, partial } = await catalog.identify({ samples, sampleRate: 48_000 });
 */
export class ScatteredCatalog {
  readonly profile: ProfileId;
  readonly #connection: NatsConnection;
  readonly #subjects: readonly string[];
  readonly #timeoutMs: number;

  /** @throws CatalogError `catalog/bad-id` */
  constructor(connection: NatsConnection, options: ScatteredCatalogOptions) {
    this.#connection = connection;
    this.profile = profileOf(options.profile ?? "mark-v1").id;
    this.#timeoutMs = options.timeoutMs ?? 5000;
    this.#subjects = options.shards.map((shard) => subjectOf(options.subject ?? "longwave.identify", shard));
    if (this.#subjects.length > 0) return;
    throw new CatalogError("catalog/bad-id", "A scattered catalog needs the name of at least one shard.");
  }

  /**
   * Finds the recording that the query is a piece of; see `Catalog.identify`.
   * @throws CatalogError `catalog/query-too-long` for more sound than a message holds (about 30 s), `catalog/engine-failed` where no
   * shard answers; BaseError with the code of a shard where all refuse
   */
  async identify(query: AudioInput | Fingerprint, options: IdentifyOptions = {}): Promise<Identification> {
    let asked: AudioInput | Fingerprint;
    try {
      asked = "records" in query ? query : this.#monoAtRate(query);
    } catch (error) {
      if (!isLongwaveError(error, "fp/too-short")) throw error;
      return noAnswer("too-short");
    }
    if (!("records" in asked) && isSilent(asked.samples)) return noAnswer("silence");
    const { limit, maxFalse, explain } = options;
    const shardOptions = {
      limit: Math.max(limit ?? 5, shardCandidates),
      ...(maxFalse !== undefined && { maxFalse }),
      ...(explain !== undefined && { explain }),
    };
    const question = encodeQuestion({ profile: this.profile, query: asked, options: shardOptions });
    const most = this.#connection.info?.max_payload ?? 1 << 20;
    if (question.length > most) {
      throw new CatalogError(
        "catalog/query-too-long",
        `The query takes ${question.length} bytes and a message at most ${most}; ask with fewer seconds, or with a fingerprint.`,
      );
    }
    const results = await Promise.allSettled(this.#subjects.map((subject) => this.#ask(subject, question)));
    options.signal?.throwIfAborted();
    const answers: Identification[] = [];
    const failures: unknown[] = [];
    for (const result of results) {
      if (result.status === "fulfilled") answers.push(result.value);
      else failures.push(result.reason);
    }
    if (answers.length === 0) throw failures[0];
    return mergeAnswers(this.profile, answers, failures.length, options);
  }

  #monoAtRate({ samples, sampleRate, channels = 1 }: AudioInput): AudioInput {
    const mono = downmix(samples, channels);
    const rate = profileOf(this.profile).sampleRate;
    return { samples: prepareSamples(this.profile, mono, { sampleRate }), sampleRate: rate };
  }

  async #ask(subject: string, question: Uint8Array): Promise<Identification> {
    let answer: Awaited<ReturnType<NatsConnection["request"]>>;
    try {
      answer = await this.#connection.request(subject, question, { timeout: this.#timeoutMs });
    } catch (cause) {
      throw new CatalogError(
        "catalog/engine-failed",
        `${subject} gives no answer: ${(cause as Error).message}.`,
        {
          cause,
        },
      );
    }
    const code = answer.headers?.get(errorCodeHeader) ?? "";
    if (code === "") return decodeAnswer(answer.data);
    const kind = (answer.headers?.get(errorKindHeader) ?? "unavailable") as ErrorKind;
    throw new BaseError(code, kind, `${subject}: ${new TextDecoder().decode(answer.data)}`);
  }
}
