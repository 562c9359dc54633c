export { newUlid } from "./new-ulid.ts";
export { nodeSha256 } from "./node-sha256.ts";
export { openStore } from "./open-store.ts";
