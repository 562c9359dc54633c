import type { SqlClient, SqlRow, SqlValue } from "@longwave/catalog/postgres";
import { StationError } from "../../errors.ts";
import {
  type EndedState,
  hasEnded,
  type Job,
  type JobCounts,
  type JobFailure,
  type JobKind,
  type JobRequest,
  type JobResult,
  type JobState,
  noJobs,
  parseJobRequest,
} from "../job.ts";
import {
  type AddedJob,
  abandonedBy,
  abandonedCode,
  type ClaimedJob,
  defaultJobListLimit,
  defaultLeaseSeconds,
  defaultMaxJobs,
  type JobListOptions,
  type JobQueue,
  type JobQueueOptions,
  mostAbandonments,
  noSuchJob,
  queueFailure,
  queueIsFull,
  wrongState,
} from "../job-queue.ts";

export interface PostgresJobQueueOptions extends JobQueueOptions {
  /** Schema of the tables; default `longwave`. */
  readonly schema?: string;
}

/** Version of the tables; older ones are brought up to it, newer ones refused. */
const tableVersion = 2;
/** An arbitrary name for "somebody makes these tables". */
const creationLock = 19_544;

const columns = `id, request, state, attempts, abandoned, worker, result, failure_code, failure_message,
  (extract(epoch from added_at) * 1000)::float8 as added, (extract(epoch from started_at) * 1000)::float8 as started,
  (extract(epoch from ended_at) * 1000)::float8 as ended, lease`;

/**
 * Jobs as rows of PostgreSQL 13 or later. A worker takes the oldest row that nobody else is looking at (`for update skip locked`) and
 * owns it for the time of its lease, by the database's clock; `lease` counts the owners, so that one who was given up cannot write.
 */
export class PostgresJobQueue implements JobQueue {
  readonly #client: SqlClient;
  readonly #table: string;
  readonly #leaseSeconds: number;
  readonly #maxJobs: number;

  private constructor(client: SqlClient, options: PostgresJobQueueOptions) {
    this.#client = client;
    this.#table = `"${options.schema ?? "longwave"}".jobs`;
    this.#leaseSeconds = options.leaseSeconds ?? defaultLeaseSeconds;
    this.#maxJobs = options.maxJobs ?? defaultMaxJobs;
  }

  /**
   * Makes the tables where there are none. @param client is closed with the queue
   * @throws StationError `station/jobs-unavailable`, `station/jobs-version`, `station/bad-option` for a bad schema name
   */
  static async open(client: SqlClient, options: PostgresJobQueueOptions = {}): Promise<PostgresJobQueue> {
    const schema = options.schema ?? "longwave";
    if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
      throw new StationError(
        "station/bad-option",
        "usage",
        `${JSON.stringify(schema)} is no schema name: use small letters, digits and _, beginning with a letter.`,
      );
    }
    const queue = new PostgresJobQueue(client, options);
    await queue.#establish(schema);
    return queue;
  }

  async add(request: JobRequest, options: { readonly again?: boolean } = {}): Promise<AddedJob> {
    const stored = JSON.stringify(parseJobRequest(request));
    const values = [request.id, stored, request.kind, request.maxAttempts];
    const [room] = await this.#query(
      `select count(*)::int as waiting from (select 1 from ${this.#table} where state = 'waiting' limit $1) waiting_jobs`,
      [this.#maxJobs],
    );
    if (Number(room!["waiting"]) >= this.#maxJobs && (await this.get(request.id)) === undefined)
      throw queueIsFull(this.#maxJobs);
    const [inserted] = await this.#query(
      `insert into ${this.#table} (id, request, kind, max_attempts) values ($1, $2, $3, $4)
       on conflict (id) do ${
         options.again === true
           ? `update set request = $2, max_attempts = $4, state = 'waiting', attempts = 0, abandoned = 0, added_at = now(), available_at = now(),
              started_at = null, ended_at = null, result = null, failure_code = null, failure_message = null
              where jobs.state in ('done', 'failed', 'cancelled')`
           : "nothing"
       } returning ${columns}`,
      values,
    );
    if (inserted !== undefined) return { job: jobOf(inserted), added: true };
    const known = await this.get(request.id);
    if (known === undefined) throw noSuchJob(request.id);
    return { job: known, added: false };
  }

  async get(id: string): Promise<Job | undefined> {
    const [row] = await this.#query(`select ${columns} from ${this.#table} where id = $1`, [id]);
    return row === undefined ? undefined : jobOf(row);
  }

  async list({ state, limit = defaultJobListLimit }: JobListOptions = {}): Promise<readonly Job[]> {
    const rows = await this.#query(
      `select ${columns} from ${this.#table} where ($1::text is null or state = $1) order by number desc limit $2`,
      [state ?? null, limit],
    );
    return rows.map(jobOf);
  }

  async counts(): Promise<JobCounts> {
    const rows = await this.#query(`select state, count(*)::int as jobs from ${this.#table} group by state`);
    return { ...noJobs, ...Object.fromEntries(rows.map((row) => [row["state"], Number(row["jobs"])])) };
  }

  async pending(): Promise<number> {
    const [row] = await this.#query(
      `select count(*)::int as jobs from ${this.#table} where state in ('waiting', 'running')`,
    );
    return Number(row!["jobs"]);
  }

  async retry(id: string): Promise<Job> {
    return this.#move(
      id,
      "failed and cancelled",
      `state = 'waiting', attempts = 0, abandoned = 0, available_at = now(), ended_at = null, failure_code = null, failure_message = null
       where id = $1 and state in ('failed', 'cancelled')`,
    );
  }

  async cancel(id: string): Promise<Job> {
    return this.#move(
      id,
      "waiting and running",
      `${ended("cancelled")} where id = $1 and state in ('waiting', 'running')`,
    );
  }

  async clear(states: readonly EndedState[]): Promise<number> {
    const rows = await this.#query(
      `delete from ${this.#table} where state = any ($1::text[]) and state not in ('waiting', 'running') returning id`,
      [`{${states.join(",")}}`],
    );
    return rows.length;
  }

  async take(worker: string, kinds: readonly JobKind[]): Promise<ClaimedJob | undefined> {
    for (;;) {
      const [row] = await this.#query(
        `update ${this.#table} set state = 'running', attempts = attempts + 1, abandoned = abandoned + (was = 'running')::int,
           lease = lease + 1, worker = $1, started_at = now(), lease_until = now() + make_interval(secs => $2::float8)
         from (
           select number as picked, worker as before, state as was from ${this.#table}
           where state in ('waiting', 'running') and kind = any ($3::text[])
             and ((state = 'waiting' and available_at <= now()) or (state = 'running' and lease_until < now()))
           order by number limit 1 for update skip locked) next
         where number = picked returning ${columns}, before, was`,
        [worker, this.#leaseSeconds, `{${kinds.join(",")}}`],
      );
      if (row === undefined) return undefined;
      const job = jobOf(row);
      const lease = Number(row["lease"]);
      if ((job.abandoned ?? 0) < mostAbandonments(job))
        return this.#claim(job, lease, String(row["request"]), row["was"] === "running");
      // The last worker that might begin it has vanished.
      const before = row["before"] as string | null;
      const left = { ...job, attempts: job.attempts - 1, worker: before ?? "unknown" };
      const { code, message } = abandonedBy(left);
      await this.#change(
        job.id,
        lease,
        `${ended("failed")}, attempts = attempts - 1, worker = $3, failure_code = $4, failure_message = $5`,
        before,
        code,
        message,
      );
    }
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  #claim(job: Job, lease: number, request: string, takenOver: boolean): ClaimedJob {
    const change = (set: string, ...values: SqlValue[]) => this.#change(job.id, lease, set, ...values);
    const waitAgain = "state = 'waiting', lease_until = null";
    const complete = async (result: JobResult) => {
      const text = JSON.stringify(result);
      return (await change(done, text)) || (await this.#completeLate(job, text, request));
    };
    return {
      job,
      takenOver,
      extend: () => change("lease_until = now() + make_interval(secs => $3::float8)", this.#leaseSeconds),
      complete,
      fail: ({ code, message }: JobFailure) =>
        change(`${ended("failed")}, failure_code = $3, failure_message = $4`, code, message),
      retryLater: ({ code, message }: JobFailure, delaySeconds: number) =>
        change(
          `${waitAgain}, available_at = now() + make_interval(secs => $3::float8), failure_code = $4, failure_message = $5`,
          delaySeconds,
          code,
          message,
        ),
      release: () => change(`${waitAgain}, attempts = attempts - 1`),
    };
  }

  /** Changes a job as the owner of this lease. @returns false where it has another owner by now, or has ended */
  async #change(id: string, lease: number, set: string, ...values: SqlValue[]): Promise<boolean> {
    const rows = await this.#query(
      `update ${this.#table} set ${set} where id = $1 and lease = $2 and state = 'running' returning id`,
      [id, lease, ...values],
    );
    return rows.length === 1;
  }

  /** Another worker has the job by now, or had it last: it is done all the same, if it is still the same (`mayEndLate`). */
  async #completeLate({ id, worker }: Job, result: string, request: string): Promise<boolean> {
    const rows = await this.#query(
      `update ${this.#table} set ${done}, worker = $4 where id = $1 and request = $2 and (state in ('waiting', 'running')
         or (state = 'failed' and failure_code = '${abandonedCode}')) returning id`,
      [id, request, result, worker ?? null],
    );
    return rows.length === 1;
  }

  async #move(id: string, wanted: string, set: string): Promise<Job> {
    const [row] = await this.#query(`update ${this.#table} set ${set} returning ${columns}`, [id]);
    if (row !== undefined) return jobOf(row);
    const known = await this.get(id);
    throw known === undefined ? noSuchJob(id) : wrongState(known, wanted);
  }

  async #establish(schema: string): Promise<void> {
    const version = async () => {
      const [known] = await this.#query("select to_regclass($1)::text as name", [`"${schema}".jobs_version`]);
      if (known?.["name"] == null) return undefined;
      const [row] = await this.#query(`select version from "${schema}".jobs_version`);
      return row === undefined ? undefined : Number(row["version"]);
    };
    let found = await version();
    if (found === undefined || found < tableVersion) {
      try {
        await this.#client.transaction(async (inner) => {
          await inner.query(`select pg_advisory_xact_lock(${creationLock})`);
          for (const statement of statementsFor(schema)) await inner.query(statement);
        });
      } catch (cause) {
        throw queueFailure("PostgreSQL", cause);
      }
      found = await version();
    }
    if (found === tableVersion) return;
    throw new StationError(
      "station/jobs-version",
      "unsupported",
      `The tables of jobs have version ${found}; this program reads ${tableVersion}. Update it.`,
    );
  }

  async #query(text: string, parameters: readonly SqlValue[] = []): Promise<readonly SqlRow[]> {
    try {
      return await this.#client.query(text, parameters);
    } catch (cause) {
      throw queueFailure("PostgreSQL", cause);
    }
  }
}

const ended = (state: JobState) => `state = '${state}', ended_at = now(), lease_until = null`;
/** With the result as the third parameter. */
const done = `${ended("done")}, result = $3, failure_code = null, failure_message = null`;

function statementsFor(schema: string): readonly string[] {
  const table = `"${schema}".jobs`;
  return [
    `create schema if not exists "${schema}"`,
    `create table if not exists ${table} (number bigserial primary key, id text not null unique, kind text not null,
      request text not null, state text not null default 'waiting', attempts int not null default 0, max_attempts int not null,
      lease int not null default 0, lease_until timestamptz, worker text, added_at timestamptz not null default now(),
      available_at timestamptz not null default now(), started_at timestamptz, ended_at timestamptz, result text,
      failure_code text, failure_message text)`,
    // Since version 2.
    `alter table ${table} add column if not exists abandoned int not null default 0`,
    `create index if not exists jobs_open on ${table} (number) where state in ('waiting', 'running')`,
    `create table if not exists "${schema}".jobs_version (one boolean primary key default true check (one), version int not null)`,
    `insert into "${schema}".jobs_version (version) values (${tableVersion})
      on conflict (one) do update set version = ${tableVersion} where jobs_version.version < ${tableVersion}`,
  ];
}

function jobOf(row: SqlRow): Job {
  const request = parseJobRequest(JSON.parse(String(row["request"])));
  const state = String(row["state"]) as JobState;
  const code = row["failure_code"];
  return {
    ...request,
    state,
    attempts: Number(row["attempts"]),
    ...(Number(row["abandoned"]) > 0 && { abandoned: Number(row["abandoned"]) }),
    addedAtMs: Math.round(Number(row["added"])),
    ...(row["started"] != null && { startedAtMs: Math.round(Number(row["started"])) }),
    ...(row["ended"] != null && hasEnded(state) && { endedAtMs: Math.round(Number(row["ended"])) }),
    ...(row["worker"] != null && { worker: String(row["worker"]) }),
    ...(row["result"] != null && { result: JSON.parse(String(row["result"])) as JobResult }),
    ...(code != null && { failure: { code: String(code), message: String(row["failure_message"]) } }),
  };
}
