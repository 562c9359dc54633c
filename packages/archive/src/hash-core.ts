import { crc32c as shortCrc32c } from "@longwave/base";
import { instantiateCore } from "@longwave/kernels";
import { coreWasmBase64 } from "./generated/core-wasm.ts";

/** What the WASM core exports (assembly/index.ts). */
interface HashCore {
  stageAddress(): number;
  stageBytes(): number;
  prepareTables(): void;
  crc32c(bytes: number, seed: number): number;
  xxHash64Begin(): void;
  xxHash64Stripes(bytes: number): void;
  xxHash64End(bytes: number, total: number): void;
}

interface Hasher {
  readonly core: HashCore;
  readonly stage: Uint8Array;
}

let shared: Hasher | undefined;

function hasher(): Hasher {
  if (shared !== undefined) return shared;
  const core = instantiateCore<HashCore>(coreWasmBase64);
  core.prepareTables();
  shared = { core, stage: new Uint8Array(core.memory.buffer, core.stageAddress(), core.stageBytes()) };
  return shared;
}

/** Fewer bytes than this are not worth the way into the core. */
const shortRun = 4096;

/**
 * CRC32C of `bytes[start, end)`; the same as that of `@longwave/base`, several times as fast for long runs.
 * @param seed the result so far, to continue over several pieces; default 0
 */
export function crc32c(bytes: Uint8Array, start = 0, end: number = bytes.length, seed = 0): number {
  if (end - start < shortRun) return shortCrc32c(bytes, start, end, seed);
  const { core, stage } = hasher();
  let crc = seed;
  for (let at = start; at < end; at += stage.length) {
    const count = Math.min(stage.length, end - at);
    stage.set(bytes.subarray(at, at + count));
    crc = core.crc32c(count, crc);
  }
  return crc >>> 0;
}

/**
 * XXH64 (xxHash, 64 bits, seed 0) of runs of bytes, one behind the other, below 4 GiB together.
 * @param into gets the hash as two u32, low half first
 */
export function xxHash64(into: Uint32Array, ...runs: readonly Uint8Array[]): void {
  const { core, stage } = hasher();
  core.xxHash64Begin();
  let filled = 0;
  let total = 0;
  for (const run of runs) {
    total += run.length;
    for (let at = 0; at < run.length; ) {
      const count = Math.min(stage.length - filled, run.length - at);
      stage.set(run.subarray(at, at + count), filled);
      filled += count;
      at += count;
      if (filled < stage.length) continue;
      core.xxHash64Stripes(filled);
      filled = 0;
    }
  }
  const whole = filled - (filled % 32);
  core.xxHash64Stripes(whole);
  stage.copyWithin(0, whole, filled);
  core.xxHash64End(filled - whole, total);
  const view = new DataView(stage.buffer, stage.byteOffset, 8);
  into[0] = view.getUint32(0, true);
  into[1] = view.getUint32(4, true);
}
