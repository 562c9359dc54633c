export { StationError } from "../errors.ts";
export {
  type EndedState,
  hasEnded,
  type Job,
  type JobCounts,
  type JobFailure,
  type JobKind,
  type JobRequest,
  type JobResult,
  type JobState,
  jobKinds,
  jobStates,
  noJobs,
} from "./job.ts";
export type { AddedJob, ClaimedJob, JobListOptions, JobQueue, JobQueueOptions } from "./job-queue.ts";
export { type JobHandler, type WorkEvent, type WorkOptions, workJobs } from "./work-jobs.ts";
