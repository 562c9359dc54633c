import type { Sql, TransactionSql } from "postgres";
import { CatalogError } from "../errors.ts";

/** A value of a row or a parameter. Lists go as PostgreSQL array literals, so that every driver writes them alike. */
export type SqlValue = string | number | boolean | null;

/** A row of a result by the names of its columns. */
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** What the catalog needs of a PostgreSQL driver; {@link postgresClient} makes one of `postgres` (postgres.js). */
export interface SqlClient {
  query(text: string, parameters?: readonly SqlValue[]): Promise<readonly SqlRow[]>;
  /** Runs `work` in one transaction, which is rolled back where it throws. */
  transaction<T>(work: (client: SqlClient) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * A client over a connection pool of postgres.js. Its failures become `catalog/engine-failed`, but for violated unique
 * constraints, which are the catalog's to answer.
 */
export function postgresClient(sql: Sql): SqlClient {
  return { ...clientOver(sql), close: () => sql.end({ timeout: 5 }) };
}

/** A violated unique constraint: somebody else wrote the same key first. */
export class UniqueViolation extends Error {
  override readonly name = "UniqueViolation";
}

function clientOver(sql: Sql | TransactionSql): SqlClient {
  return {
    query: (text, parameters = []) =>
      naming(async () => [...(await sql.unsafe<SqlRow[]>(text, [...parameters]))]),
    transaction: (work) =>
      naming(() => {
        if (!("begin" in sql)) return work(clientOver(sql));
        // What a transaction gives comes back as it is: `T` is never an array of promises here.
        return sql.begin((inner) => unlessLost(work(clientOver(inner)))) as ReturnType<typeof work>;
      }),
    close: async () => undefined,
  };
}

async function naming<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof CatalogError || cause instanceof UniqueViolation) throw cause;
    const { code, message } = cause as { code?: string; message?: string };
    if (code === "23505") throw new UniqueViolation(message, { cause });
    throw new CatalogError(
      "catalog/engine-failed",
      `PostgreSQL failed: ${message ?? String(cause)}${code === undefined ? "" : ` (${code})`}.`,
      { cause },
    );
  }
}

/**
 * Settles as `work` does, but not at all where the connection was lost meanwhile: the driver ends the transaction by itself when its
 * connection closes, while the rollback that it would send for an error here goes to a socket that is no more, which ends the process
 * (postgres.js 3.4.9, github.com/porsager/postgres/issues/1208).
 */
async function unlessLost<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isLost(error)) throw error;
    return new Promise<never>(() => {});
  }
}

/** Broken off by the network, by the driver, or by a server that shuts down (class 57P of its error codes). */
function isLost(error: unknown): boolean {
  const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } };
  const broken = /^(CONNECTION_CLOSED|ECONNRESET|EPIPE|ETIMEDOUT|57P\d\d)$/;
  return broken.test(String(cause?.code ?? code));
}

/**
 * True for a `catalog/engine-failed` because the server cannot be reached, shuts down, starts up or has no connection left (classes 08, 57P and
 * 53300 of its error codes): it may come back. What it says of a statement is none.
 */
export function isAway(error: unknown): boolean {
  const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } };
  const away =
    /^(CONNECTION_CLOSED|CONNECT_TIMEOUT|E(CONN\w+|NOENT|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|AI_AGAIN|NOTFOUND)|08\w{3}|57P\d\d|53300)$/;
  return code === "catalog/engine-failed" && away.test(String(cause?.code));
}

/** Whole numbers as an array literal. */
export function intArray(values: ArrayLike<number>, count: number = values.length): string {
  const parts = new Array<number>(count);
  for (let i = 0; i < count; i++) parts[i] = values[i]! | 0;
  return `{${parts.join(",")}}`;
}
