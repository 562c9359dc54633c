// The parts that benches and fuzzers measure one by one; not for applications.
export { Arena } from "./model/arena.ts";
export { Core, type CoreExports } from "./model/core.ts";
