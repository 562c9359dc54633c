// The core of the whole codec: encoder and decoder share transforms, tables and allocation. Nothing but these exports is
// reachable from JavaScript.
export * from "./decoder-exports";
export * from "./encoder-exports";
export * from "./shared-exports";
