export { DirectoryStore } from "./directory-store.ts";
export { FileLock } from "./file-lock.ts";
export { nodeTaskWorker, serveNodeTasks } from "./node-task-worker.ts";
export { askProcess, markedProcess, ownProcessMark } from "./process-mark.ts";
export { SystemClock } from "./system-clock.ts";
export { isSystemError, systemErrorKind, systemReason } from "./system-error.ts";
