export { DirectoryStore } from "./directory-store.ts";
export { nodeTaskWorker, serveNodeTasks } from "./node-task-worker.ts";
export { SystemClock } from "./system-clock.ts";
export { isSystemError, systemErrorKind, systemReason } from "./system-error.ts";
