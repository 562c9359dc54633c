import { isLongwaveError } from "@longwave/base";
import type { Fingerprint, ProfileId } from "@longwave/fingerprint";
import { headers, type Msg, type NatsConnection } from "@nats-io/nats-core";
import { CatalogError } from "../errors.ts";
import type { AudioInput, Identification, IdentifyOptions } from "../identification.ts";
import { decodeQuestion, encodeAnswer } from "./match-wire.ts";

/** A catalog that can be asked: in segments, in PostgreSQL, or made of others. */
export interface Matchable {
  readonly profile: ProfileId;
  identify(query: AudioInput | Fingerprint, options: IdentifyOptions): Promise<Identification>;
}

/** Options of {@link serveMatcher}. */
export interface MatcherOptions {
  /** Part of the tracks that this catalog holds, a token without dots. Matchers of the same shard share its questions. */
  readonly shard: string;
  /** Root of the subjects; default `longwave.identify`. */
  readonly subject?: string;
  /** Questions answered at once; default 2. */
  readonly concurrency?: number;
  /** Questions that may wait; what comes beyond is refused with `catalog/busy`. Default 100. */
  readonly maxWaiting?: number;
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

/** Subject of a shard. @throws CatalogError `catalog/bad-id` */
export function subjectOf(root: string, shard: string): string {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(shard)) return `${root}.${shard}`;
  throw new CatalogError(
    "catalog/bad-id",
    `${JSON.stringify(shard)} is no name of a shard: use letters, digits, _ and -, at most 64.`,
  );
}

/**
 * Answers questions about one shard of the tracks. All matchers of a shard are one queue group: NATS gives each question to one of them,
 * so that more of them mean more questions a second, and one that ends is not missed.
 */
export function serveMatcher(
  connection: NatsConnection,
  catalog: Matchable,
  options: MatcherOptions,
): Matcher {
  const { concurrency = 2, maxWaiting = 100 } = options;
  const subject = subjectOf(options.subject ?? "longwave.identify", options.shard);
  const waiting: Msg[] = [];
  let [running, answered] = [0, 0];
  let whenIdle: () => void = () => {};
  const next = () => {
    while (running < concurrency && waiting.length > 0) {
      running++;
      void answer(catalog, waiting.shift()!).then(() => {
        running--;
        answered++;
        next();
      });
    }
    if (running === 0) whenIdle();
  };
  const subscription = connection.subscribe(subject, {
    queue: subject,
    callback: (error, message) => {
      if (error !== null) return;
      if (waiting.length >= maxWaiting) {
        refuse(
          message,
          new CatalogError("catalog/busy", `${maxWaiting} questions wait already; try again later.`),
        );
      } else {
        waiting.push(message);
        next();
      }
    },
  });
  return {
    get answered() {
      return answered;
    },
    close: async () => {
      await subscription.drain();
      await new Promise<void>((resolve) => {
        whenIdle = resolve;
        next();
      });
    },
  };
}

async function answer(catalog: Matchable, message: Msg): Promise<void> {
  try {
    const { profile, query, options } = decodeQuestion(message.data);
    if (profile !== catalog.profile) {
      throw new CatalogError(
        "catalog/profile-mismatch",
        `The question has profile ${profile} and this shard ${catalog.profile}; ask with that one.`,
      );
    }
    message.respond(encodeAnswer(await catalog.identify(query, options)));
  } catch (error) {
    refuse(message, error);
  }
}

function refuse(message: Msg, error: unknown): void {
  const known = isLongwaveError(error) ? error : undefined;
  const header = headers();
  header.set(errorCodeHeader, known?.code ?? "catalog/engine-failed");
  header.set(errorKindHeader, known?.kind ?? "unavailable");
  message.respond(new TextEncoder().encode((error as Error).message), { headers: header });
}
