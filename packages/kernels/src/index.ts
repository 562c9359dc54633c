export { decodeBase64 } from "./base64.ts";
export { CoreArena } from "./core-arena.ts";
export { inflate } from "./inflate.ts";
export { decodeCore, instantiateCore } from "./instantiate.ts";
export { KernelError } from "./kernel-error.ts";
export { describeTrap, locateTrap, type TrapLocation } from "./trap-location.ts";
