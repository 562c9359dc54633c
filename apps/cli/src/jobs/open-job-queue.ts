import { SystemClock } from "@longwave/base/node";
import { type JobQueue, StationError } from "@longwave/station/jobs";
import { type JobsSettings, jobBackendOf, leaseSecondsOf } from "./jobs-settings.ts";

/** Longest wait for a service that does not answer. */
const connectSeconds = 10;

/**
 * Opens the queue that the settings name; the drivers are loaded for those who ask for them.
 * @throws ConfigError, StationError `station/jobs-unavailable`
 */
export async function openJobQueue(settings: JobsSettings): Promise<JobQueue> {
  const { backend, url } = jobBackendOf(settings);
  const leaseSeconds = leaseSecondsOf(settings);
  return backend === "postgres" ? openPostgres(url, leaseSeconds) : openNats(url, leaseSeconds);
}

async function openPostgres(address: string, leaseSeconds: number): Promise<JobQueue> {
  const url = new URL(address);
  const take = (name: string) => {
    const value = url.searchParams.get(name) ?? undefined;
    url.searchParams.delete(name);
    return value;
  };
  const [schema, host] = [take("schema"), take("host")];
  const [{ default: postgres }, { postgresClient }, { PostgresJobQueue }] = await Promise.all([
    import("postgres"),
    import("@longwave/catalog/postgres"),
    import("@longwave/station/jobs/postgres"),
  ]);
  const sql = postgres(url.href, {
    max: 4,
    connect_timeout: connectSeconds,
    onnotice: () => {},
    ...(host !== undefined && { host }),
  });
  try {
    return await PostgresJobQueue.open(postgresClient(sql), {
      leaseSeconds,
      ...(schema !== undefined && { schema }),
    });
  } catch (error) {
    await sql.end({ timeout: 1 });
    throw error;
  }
}

async function openNats(address: string, leaseSeconds: number): Promise<JobQueue> {
  const [{ connect }, { NatsJobQueue }] = await Promise.all([
    import("@nats-io/transport-node"),
    import("@longwave/station/jobs/nats"),
  ]);
  const { username, password, protocol, host } = new URL(address);
  const [name, secret] = [decodeURIComponent(username), decodeURIComponent(password)];
  const connection = await connect({
    servers: host,
    timeout: 1000 * connectSeconds,
    // Comes back by itself, however long the server is away.
    maxReconnectAttempts: -1,
    ...(protocol === "tls:" && { tls: {} }),
    // As for a catalog: a name alone is a token.
    ...(name !== "" && (secret === "" ? { token: name } : { user: name, pass: secret })),
  }).catch((cause: Error) => {
    throw new StationError(
      "station/jobs-unavailable",
      "unavailable",
      `The job queue at ${host} cannot be reached: ${cause.message.replace(/\.$/, "")}.`,
      { cause },
    );
  });
  try {
    return await NatsJobQueue.open(connection, { leaseSeconds, clock: new SystemClock() });
  } catch (error) {
    await connection.close();
    throw error;
  }
}
