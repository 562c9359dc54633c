export { newUlid } from "./new-ulid.ts";
export { openStore } from "./open-store.ts";
