import { type JobKind, jobKinds, jobStates } from "@longwave/station/jobs";
import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import type { AddOptions } from "../jobs/add.ts";
import { clearJobs } from "../jobs/clear.ts";
import { cancelJobs, listJobs, retryJobs, showJob } from "../jobs/manage.ts";
import { work } from "../jobs/work.ts";

/** `longwave jobs`: imports and enrollments that many processes share, and that survive any of them. */
export function registerJobs(program: Command): void {
  const jobs = program
    .command("jobs")
    .description("share imports and enrollments between worker processes, by PostgreSQL or NATS JetStream");
  const command = (name: string, description: string) =>
    jobs
      .command(name)
      .description(description)
      .option("--queue <url>", "the queue: postgres://user@host/database or nats://host:4222")
      .option("--config <file>", "configuration file with a table [jobs] (default longwave.toml)");

  command("add", "add a job for each file; what was added before stays as it is")
    .addArgument(new Argument("<kind>", "what shall be done with the files").choices(jobKinds))
    .argument("<path...>", "audio files or directories, under paths that the workers can read")
    .option("--attempts <n>", "how often a job may fail before it is given up (default 5)")
    .option("--again", "do jobs anew that have ended")
    .option("--replace", "enroll: replace tracks that have other sound under the same id")
    .option("--lossy", "import: encode what is not Opus yet, which loses something")
    .option("--json", "one JSON object a file, then a summary")
    .action(async (kind: JobKind, paths: readonly string[], options: AddOptions) =>
      (await import("../jobs/add.ts")).addJobs(kind, paths, options),
    );

  command(
    "work",
    "do jobs until Ctrl-C; a job of a worker that dies goes to another (exit code 1 if a job failed)",
  )
    .option("--archive <place>", "where imports go: a directory or s3://bucket/prefix")
    .option("--catalog <place>", "where enrollments go: a directory or postgres://user@host/database")
    .option("--jobs <n>", "worker processes", count, 1)
    .option("--lease <time>", "a worker that is silent for so long loses its job (default 30s)")
    .option("--retry <time>", "pause before a job is tried again", "5s")
    .option("--until-empty", "end when no job waits or runs")
    .option("--json", "events as JSON lines")
    .action(work);

  command("ls", "list the newest jobs, and count all")
    .addOption(new Option("--state <name>", "only these").choices(jobStates))
    .option("--limit <n>", "most jobs shown", count, 100)
    .option("--json", "one JSON object")
    .action(listJobs);

  command("show", "show all that is known of a job")
    .argument("<id>", "job")
    .option("--json", "one JSON object")
    .action(showJob);

  command("retry", "let failed or cancelled jobs wait again")
    .argument("[id...]", "jobs")
    .option("--failed", "all that failed")
    .option("--json", "one JSON object a job")
    .action(retryJobs);

  command("cancel", "cancel jobs that wait or run")
    .argument("<id...>", "jobs")
    .option("--json", "one JSON object a job")
    .action(cancelJobs);

  command("clear", "forget jobs that are done or cancelled; added again, they are done again")
    .option("--failed", "those that failed as well, with their reasons")
    .option("--json", "one JSON object")
    .action(clearJobs);

  jobs.addHelpText(
    "after",
    `
Examples:
  longwave jobs add import ~/recordings --queue postgres://radio@db/radio
  longwave jobs work --archive s3://radio/archive --catalog postgres://radio@db/radio --jobs 4 --queue nats://broker:4222
  longwave jobs ls --state failed
  longwave jobs retry --failed

Settings: the table [jobs] of longwave.toml (backend, url, lease, attempts), or LONGWAVE_JOBS_URL and so on.`,
  );
}

function count(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number from 1 on.");
}
