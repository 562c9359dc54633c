export { DirectoryStore } from "./directory-store.ts";
export { SystemClock } from "./system-clock.ts";
