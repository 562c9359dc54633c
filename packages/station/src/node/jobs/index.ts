export { type EnrollTarget, enrollHandler, importHandler } from "./job-handlers.ts";
export { type JobRequestOptions, jobRequestOf } from "./job-requests.ts";
