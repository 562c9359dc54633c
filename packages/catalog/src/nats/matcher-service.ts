import { type Clock, type Hooks, isLongwaveError, silentHooks } from "@longwave/base";
import type { Fingerprint, ProfileId } from "@longwave/fingerprint";
import { headers, type Msg, type NatsConnection } from "@nats-io/nats-core";
import { CatalogError } from "../errors.ts";
import type { AudioInput, Identification, IdentifyOptions } from "../identification.ts";
import type { StreamWindow } from "../stream-window.ts";
import { decodeQuestion, encodeAnswer } from "./match-wire.ts";
import { infoSubject, type ShardInfo, subjectOf } from "./shard-info.ts";

/** A catalog that can be asked: in segments, in PostgreSQL, or made of others. */
export interface Matchable {
  readonly profile: ProfileId;
  identify(query: AudioInput | Fingerprint | StreamWindow, options: IdentifyOptions): Promise<Identification>;
}

/** Options of {@link serveMatcher}. */
export interface MatcherOptions {
  /** Part of the tracks that this catalog holds, a token without dots. Matchers of the same shard share its questions. */
  readonly shard: string;
  /** Of how many numbered shards this is one (`shardName`), so that who asks misses those that are silent. */
  readonly of?: number;
  /** Root of the subjects; default `longwave.identify`. */
  readonly subject?: string;
  /** Questions answered at once; default 2. */
  readonly concurrency?: number;
  /** Questions that may wait; what comes beyond is refused with `catalog/busy`. Default 100. */
  readonly maxWaiting?: number;
  /**
   * Counters `catalog_matcher_answers`, `catalog_matcher_refusals` (label `code`), and with a clock `catalog_matcher_answer_us`, the time
   * from question to answer.
   */
  readonly hooks?: Hooks;
  readonly clock?: Clock;
}

/** A running matcher. */
export interface Matcher {
  /** Questions answered, errors included. */
  readonly answered: number;
  /** Takes no more questions and answers those it has. */
  close(): Promise<void>;
}

/** Headers of a refusal. */
export const errorCodeHeader = "Longwave-Error";
export const errorKindHeader = "Longwave-Error-Kind";

/**
 * Answers questions about one shard of the tracks. All matchers of a shard are one queue group: NATS gives each question to one of them,
 * so that more of them mean more questions a second, and one that ends is not missed.
 */
export function serveMatcher(
  connection: NatsConnection,
  catalog: Matchable & { readonly size?: unknown; readonly postings?: number },
  options: MatcherOptions,
): Matcher {
  const { concurrency = 2, maxWaiting = 100, hooks = silentHooks, clock } = options;
  const root = options.subject ?? "longwave.identify";
  const subject = subjectOf(root, options.shard);
  const waiting: { readonly message: Msg; readonly sinceUs: number }[] = [];
  let [running, answered] = [0, 0];
  let whenIdle: () => void = () => {};
  const refuse = (message: Msg, error: unknown) => {
    const known = isLongwaveError(error) ? error : undefined;
    const code = known?.code ?? "catalog/engine-failed";
    const header = headers();
    header.set(errorCodeHeader, code);
    header.set(errorKindHeader, known?.kind ?? "unavailable");
    message.respond(new TextEncoder().encode((error as Error).message), { headers: header });
    hooks.metric?.("catalog_matcher_refusals", 1, { code });
  };
  const answer = async ({ message, sinceUs }: (typeof waiting)[number]) => {
    try {
      message.respond(encodeAnswer(await answerOf(catalog, message.data)));
      hooks.metric?.("catalog_matcher_answers", 1);
      if (clock !== undefined) hooks.metric?.("catalog_matcher_answer_us", clock.nowUs() - sinceUs);
    } catch (error) {
      refuse(message, error);
    }
    running--;
    answered++;
    next();
  };
  const next = () => {
    while (running < concurrency && waiting.length > 0) {
      running++;
      void answer(waiting.shift()!);
    }
    if (running === 0) whenIdle();
  };
  const questions = connection.subscribe(subject, {
    queue: subject,
    callback: (error, message) => {
      if (error !== null) return;
      if (waiting.length >= maxWaiting) {
        refuse(
          message,
          new CatalogError("catalog/busy", `${maxWaiting} questions wait already; try again later.`),
        );
      } else {
        waiting.push({ message, sinceUs: clock?.nowUs() ?? 0 });
        next();
      }
    },
  });
  const info = connection.subscribe(infoSubject(root), {
    callback: (error, message) => {
      if (error !== null) return;
      const { size, postings, profile } = catalog;
      const told: ShardInfo = {
        shard: options.shard,
        ...(options.of !== undefined && { of: options.of }),
        profile,
        ...(typeof size === "number" && { tracks: size }),
        ...(typeof postings === "number" && { postings }),
        answered,
        waiting: waiting.length,
      };
      message.respond(new TextEncoder().encode(JSON.stringify(told)));
    },
  });
  return {
    get answered() {
      return answered;
    },
    close: async () => {
      info.unsubscribe();
      await questions.drain();
      await new Promise<void>((resolve) => {
        whenIdle = resolve;
        next();
      });
    },
  };
}

function answerOf(catalog: Matchable, data: Uint8Array): Promise<Identification> {
  const { profile, query, options } = decodeQuestion(data);
  if (profile === catalog.profile) return catalog.identify(query, options);
  throw new CatalogError(
    "catalog/profile-mismatch",
    `The question has profile ${profile} and this shard ${catalog.profile}; ask with that one.`,
  );
}
