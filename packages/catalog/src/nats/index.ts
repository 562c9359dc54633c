export {
  type EnrollJob,
  EnrollQueue,
  type EnrollQueueOptions,
  type EnrollReport,
  type EnrollWorkerOptions,
} from "./enroll-queue.ts";
export { followEvents, publishEvents } from "./event-stream.ts";
export {
  type JobKind,
  JobQueue,
  type JobQueueOptions,
  type JobWorkerOptions,
  type QueueState,
} from "./job-queue.ts";
export { type Matchable, type Matcher, type MatcherOptions, serveMatcher } from "./matcher-service.ts";
export { ScatteredCatalog, type ScatteredCatalogOptions } from "./scattered-catalog.ts";
export { type ShardInfo, shardName, shardOfTrack } from "./shard-info.ts";
