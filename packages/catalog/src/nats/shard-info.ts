import { type ProfileId, profileIds } from "@longwave/fingerprint";
import { type NatsConnection, NoRespondersError } from "@nats-io/nats-core";
import { CatalogError } from "../errors.ts";

/** What a matcher tells of itself. */
export interface ShardInfo {
  readonly shard: string;
  /** Of how many shards it is one, where they are numbered (`shardName`). */
  readonly of?: number;
  readonly profile: ProfileId;
  /** Tracks of the shard, where its catalog knows without asking. */
  readonly tracks?: number;
  readonly postings?: number;
  /** Questions that this matcher has answered, refusals included, and those that wait. */
  readonly answered: number;
  readonly waiting: number;
}

/** Name of a numbered shard, 1 to `of`. @throws CatalogError `catalog/bad-id` */
export function shardName(number: number, of: number): string {
  const isGiven =
    Number.isInteger(number) && Number.isInteger(of) && number >= 1 && number <= of && of <= 1024;
  if (isGiven) return `${number}-of-${of}`;
  throw new CatalogError(
    "catalog/bad-id",
    `${number}/${of} is no shard: say 1/3 for the first of three; there are at most 1024.`,
  );
}

/**
 * The numbered shard that a track belongs to: FNV-1a of its id, so that every process that enrolls knows it without asking.
 * @returns 1 to `of`
 */
export function shardOfTrack(id: string, of: number): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(id)) hash = Math.imul(hash ^ byte, 0x01000193);
  // The low bits alone distribute badly.
  return ((((hash >>> 16) ^ hash) >>> 0) % of) + 1;
}

/** Subject of a shard. @throws CatalogError `catalog/bad-id` */
export function subjectOf(root: string, shard: string): string {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(shard)) return `${root}.${shard}`;
  throw new CatalogError(
    "catalog/bad-id",
    `${JSON.stringify(shard)} is no name of a shard: use letters, digits, _ and -, at most 64.`,
  );
}

/** Where every matcher tells of itself; no shard can be named so. */
export function infoSubject(root: string): string {
  return `${root}.shards.info`;
}

/**
 * Asks all matchers below `root` what they are. It ends once one of every numbered shard has answered, or after `waitMs`.
 * @throws CatalogError `catalog/engine-failed`, `catalog/bad-message`
 */
export async function askShards(
  connection: NatsConnection,
  root: string,
  waitMs: number,
): Promise<ShardInfo[]> {
  const found: ShardInfo[] = [];
  const heard = new Set<string>();
  try {
    const answers = await connection.requestMany(infoSubject(root), new Uint8Array(0), {
      strategy: "timer",
      maxWait: waitMs,
    });
    for await (const message of answers) {
      const info = parseInfo(message.data);
      found.push(info);
      heard.add(info.shard);
      if (info.of !== undefined && heard.size >= info.of) break;
    }
  } catch (cause) {
    if (cause instanceof NoRespondersError) return [];
    if (cause instanceof CatalogError) throw cause;
    throw new CatalogError("catalog/engine-failed", `NATS says ${(cause as Error).message}.`, { cause });
  }
  return found;
}

function parseInfo(bytes: Uint8Array): ShardInfo {
  try {
    const value = JSON.parse(new TextDecoder().decode(bytes)) as ShardInfo;
    const isInfo =
      typeof value.shard === "string" &&
      profileIds.includes(value.profile) &&
      (value.of === undefined || (Number.isInteger(value.of) && value.of >= 1 && value.of <= 1024));
    if (isInfo) return value;
  } catch {
    // As below.
  }
  throw new CatalogError("catalog/bad-message", "Something that is no matcher answers in its place.");
}

/**
 * Names of all shards, heard or not, and their profile.
 * @throws CatalogError `catalog/engine-failed` where nobody answers, `catalog/shards-disagree`
 */
export function agreedShards(
  infos: readonly ShardInfo[],
  root: string,
): { readonly shards: readonly string[]; readonly profile: ProfileId } {
  const [first] = infos;
  if (first === undefined) {
    throw new CatalogError(
      "catalog/engine-failed",
      `No matcher answers at ${root}; start one: longwave id serve --catalog DIR --nats URL.`,
    );
  }
  const { of, profile } = first;
  const other = infos.find((each) => each.of !== of || each.profile !== profile);
  if (other !== undefined) {
    throw new CatalogError(
      "catalog/shards-disagree",
      `The matchers at ${root} do not belong together: ${describe(first)}, ${describe(other)}. End those of the other catalog, or give it another subject.`,
    );
  }
  if (of === undefined) return { shards: [...new Set(infos.map(({ shard }) => shard))].sort(), profile };
  return { shards: Array.from({ length: of }, (_, i) => shardName(i + 1, of)), profile };
}

function describe({ shard, profile }: ShardInfo): string {
  return `${shard} has profile ${profile}`;
}
