import { CoreArena, instantiateCore } from "@longwave/kernels";
import type { CoreExports } from "./core-exports.ts";
import { DspError } from "./errors.ts";
import { coreWasmBase64 } from "./generated/core-wasm.ts";

/** One instance of the dsp core with the blocks that are in use in it. */
interface Core {
  readonly exports: CoreExports & { memory: WebAssembly.Memory };
  readonly arena: CoreArena;
}

/** 64 MiB each; the first one suffices for hundreds of objects, the last ones end a leak with a clear error. */
const maxInstances = 16;
const cores: Core[] = [];
const forgotten = new FinalizationRegistry<() => void>((release) => release());

/**
 * Memory of one dsp object inside a core: reserve in the constructor, then views at fixed addresses, then `close`. The
 * blocks of an object that is dropped without being closed come back when it is collected.
 */
export class CoreBlock {
  readonly core: CoreExports;
  readonly address: number;
  readonly #buffer: ArrayBuffer;
  readonly #release: () => void;

  /**
   * @param owner the object that the block lives and dies with
   * @param bytes size, zeroed
   * @throws DspError `dsp/out-of-memory` where all cores are full
   */
  constructor(owner: object, bytes: number) {
    const [core, address] = allocate(bytes);
    this.core = core.exports;
    this.address = address;
    this.#buffer = core.exports.memory.buffer as ArrayBuffer;
    let released = false;
    this.#release = () => {
      if (!released) core.arena.release(address);
      released = true;
    };
    forgotten.register(owner, this.#release, this);
  }

  /** View of `length` f32 at `offset` bytes into the block. */
  floats(offset: number, length: number): Float32Array {
    return new Float32Array(this.#buffer, this.address + offset, length);
  }

  /** View of `length` f64 at `offset` bytes into the block. */
  doubles(offset: number, length: number): Float64Array {
    return new Float64Array(this.#buffer, this.address + offset, length);
  }

  /** View of `length` i32 at `offset` bytes into the block. */
  integers(offset: number, length: number): Int32Array {
    return new Int32Array(this.#buffer, this.address + offset, length);
  }

  close(): void {
    forgotten.unregister(this);
    this.#release();
  }
}

/** The exports of the first core, for functions that need no memory. */
export function sharedCore(): CoreExports {
  return (cores[0] ?? startCore()).exports;
}

function allocate(bytes: number): [Core, number] {
  for (const core of cores) {
    const address = core.arena.tryAllocate(bytes);
    if (address !== undefined) return [core, address];
  }
  const core = cores.length < maxInstances ? startCore() : undefined;
  const address = core?.arena.tryAllocate(bytes);
  if (core === undefined || address === undefined) {
    throw new DspError(
      "dsp/out-of-memory",
      "limit",
      `No dsp core has ${bytes} bytes left; close objects that are no longer used or choose smaller sizes.`,
    );
  }
  return [core, address];
}

function startCore(): Core {
  const exports = instantiateCore<CoreExports>(coreWasmBase64);
  const core = { exports, arena: new CoreArena(exports.memory, exports.heapBase()) };
  cores.push(core);
  return core;
}
