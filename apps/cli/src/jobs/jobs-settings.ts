import { type Definition, jobsTable, resolveTable, type Setting } from "../config.ts";
import { parseDurationUs } from "../duration.ts";
import { ConfigError } from "../errors.ts";

/** Services that can hold the job queue. */
export const jobBackends = ["postgres", "nats"] as const;
export type JobBackend = (typeof jobBackends)[number];

export type JobsSettingName = "backend" | "url" | "lease" | "attempts";

/** Settings of the job queue: `LONGWAVE_JOBS_KEY` in the environment, the table [jobs] of longwave.toml. */
export const jobsDefinitions: Readonly<Record<JobsSettingName, Definition>> = {
  backend: {
    kind: "text",
    fallback: undefined,
    choices: jobBackends,
    description: "service that holds the queue; as the address says without",
  },
  url: {
    kind: "secret",
    fallback: undefined,
    description: "postgres://user@host/database (?schema=name) or nats://host:4222",
  },
  lease: {
    kind: "duration",
    fallback: "30s",
    description: "a worker that is silent for so long loses its job to another",
  },
  attempts: { kind: "integer", fallback: 5, description: "how often a job may fail before it is given up" },
};

export type JobsSettings = Readonly<Record<JobsSettingName, Setting>>;

/** Resolves the settings of the job queue. @throws ConfigError */
export function resolveJobsSettings(
  flags: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>> = process.env,
  file?: string,
): JobsSettings {
  const settings = resolveTable(
    { table: jobsTable, definitions: jobsDefinitions, prefixes: ["LONGWAVE_JOBS_"] },
    flags,
    environment,
    file,
  );
  const attempts = settings.attempts.value as number;
  if (attempts < 1 || attempts > 1000) {
    throw new ConfigError(
      "config/bad-value",
      "usage",
      `attempts (${settings.attempts.from}) must be 1 to 1000, not ${attempts}.`,
    );
  }
  return settings;
}

/** The service of a queue's address. @throws ConfigError `config/bad-value` where there is none, or the two disagree */
export function jobBackendOf({ backend, url }: JobsSettings): { backend: JobBackend; url: string } {
  const address = url.value as string | undefined;
  if (address === undefined) {
    throw new ConfigError(
      "config/bad-value",
      "usage",
      "No job queue is configured: name one with --queue postgres://user@host/database or --queue nats://host:4222, or as url in the table [jobs] of longwave.toml.",
    );
  }
  const scheme = /^(postgres|nats|tls)(?:ql)?:\/\/./.exec(address)?.[1];
  const named = scheme === "postgres" ? "postgres" : "nats";
  if (scheme === undefined || !URL.canParse(address)) {
    throw new ConfigError(
      "config/bad-value",
      "usage",
      `The address of the job queue (${url.from === "--url" ? "--queue" : url.from}) must begin with postgres://, nats:// or tls:// and name a host.`,
    );
  }
  if (backend.value === undefined || backend.value === named) return { backend: named, url: address };
  throw new ConfigError(
    "config/bad-value",
    "usage",
    `backend (${backend.from}) is ${backend.value}, but the address (${url.from}) is one of ${named}.`,
  );
}

/** @throws ConfigError for a lease that no worker could keep */
export function leaseSecondsOf({ lease }: JobsSettings): number {
  const seconds = parseDurationUs(lease.value as string) / 1e6;
  if (seconds >= 1 && seconds <= 86_400) return seconds;
  throw new ConfigError(
    "config/bad-value",
    "usage",
    `lease (${lease.from}) must be 1s to 24h, not ${lease.value}.`,
  );
}
