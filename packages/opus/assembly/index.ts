// The decoder's core: for those who only decode. Nothing but these exports is reachable from JavaScript.
export * from "./decoder-exports";
export * from "./shared-exports";
