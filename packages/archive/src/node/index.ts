export { newUlid } from "./new-ulid.ts";
export { type NodeReadPoolOptions, nodeReadPool } from "./node-read-pool.ts";
export { nodeSha256 } from "./node-sha256.ts";
export { type AudioInput, type AudioInputOptions, openAudioInput } from "./open-audio-input.ts";
export { type OpenedStore, type OpenStoreOptions, openStore } from "./open-store.ts";
