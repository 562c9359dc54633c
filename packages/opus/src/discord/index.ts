// Opus behind the classes that Discord bots use: OpusEncoder of @discordjs/opus, and that of opusscript.
import "../codec-core.ts";

export { OpusEncoder } from "./discordjs-opus.ts";
export { OpusScript, OpusScript as default } from "./opusscript.ts";
export type { Bytes } from "./sample-bytes.ts";
