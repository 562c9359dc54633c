import { BaseError } from "@longwave/base";
import type { ScatteredCatalog } from "@longwave/catalog/nats";
import type { NatsConnection } from "@nats-io/transport-node";
import { parseDurationUs } from "../duration.ts";

/** `nats://host:4222?of=3&subject=name&timeout=2s`: a catalog whose shards are matchers. */
export interface NatsPlace {
  readonly servers: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Number of shards; undefined where the matchers are asked. */
  readonly of: number | undefined;
  /** Root of the matchers' subjects, and of the workers' with `.enroll` behind. */
  readonly subject: string;
  readonly timeoutMs: number | undefined;
}

const defaultSubject = "longwave.identify";

/** True for the address of a NATS server. */
export function isNats(place: string): boolean {
  return /^(nats|tls):\/\//.test(place);
}

/** @throws BaseError `cli/bad-address` */
export function parseNatsPlace(place: string): NatsPlace {
  const bad = (what: string) =>
    new BaseError("cli/bad-address", "usage", `The address of the NATS server ${what}.`);
  if (!isNats(place) || !URL.canParse(place)) throw bad("is malformed; say nats://host:4222");
  const url = new URL(place);
  const query = url.searchParams;
  for (const name of query.keys())
    if (!["of", "subject", "timeout"].includes(name))
      throw bad(`has ${name}; known are of, subject and timeout`);
  const of = query.has("of") ? Number(query.get("of")) : undefined;
  if (of !== undefined && !(Number.isInteger(of) && of >= 1 && of <= 1024))
    throw bad(`has of=${query.get("of")}; give the number of shards, 1 to 1024`);
  const subject = query.get("subject") ?? defaultSubject;
  if (!/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(subject))
    throw bad(`has subject=${subject}; use letters, digits, _ and -, with dots between`);
  const timeout = query.get("timeout");
  return {
    servers: `${url.protocol}//${url.host}`,
    user: url.username === "" ? undefined : decodeURIComponent(url.username),
    password: url.password === "" ? undefined : decodeURIComponent(url.password),
    of,
    subject,
    timeoutMs: timeout === null ? undefined : parseDurationUs(timeout) / 1000,
  };
}

/**
 * Connects, and again whenever the connection is lost. The client is loaded for those who ask for it.
 * @throws BaseError `cli/no-broker`
 */
export async function connectTo({ servers, user, password }: NatsPlace): Promise<NatsConnection> {
  const { connect } = await import("@nats-io/transport-node");
  const login =
    password === undefined
      ? { ...(user !== undefined && { token: user }) }
      : { ...(user !== undefined && { user }), pass: password };
  try {
    return await connect({ servers, name: "longwave", maxReconnectAttempts: -1, ...login });
  } catch (cause) {
    const said = (cause as Error).message;
    throw new BaseError("cli/no-broker", "unavailable", `No connection to ${servers}: ${said}.`, { cause });
  }
}

/** The catalog that the matchers of a place are. */
export async function scatteredOver(connection: NatsConnection, place: NatsPlace): Promise<ScatteredCatalog> {
  const { ScatteredCatalog, shardName } = await import("@longwave/catalog/nats");
  const { subject, of, timeoutMs } = place;
  const options = { subject, ...(timeoutMs !== undefined && { timeoutMs, lookTimeoutMs: timeoutMs }) };
  if (of === undefined) return ScatteredCatalog.discover(connection, options);
  const shards = Array.from({ length: of }, (_, i) => shardName(i + 1, of));
  return new ScatteredCatalog(connection, { ...options, shards });
}

/** Names of stream and subjects of the enrolments of a shard. */
export function queueNames(place: NatsPlace, shard: string): { stream: string; subject: string } {
  const subject = `${place.subject}.enroll.${shard}`;
  return { stream: subject.toUpperCase().replaceAll(".", "_"), subject };
}
