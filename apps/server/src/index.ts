export { type AppOptions, createApp } from "./app.ts";
export { ServerError } from "./errors.ts";
export { type GuardOptions, isLoopbackHost } from "./guard.ts";
export type { Host, HostedStation } from "./host.ts";
export { checkListen, type ListenOptions, type RunningServer, startServer } from "./listen.ts";
export { type Problem, problemOf } from "./problem.ts";
export { oggOpusOf } from "./speech/ogg-opus.ts";
