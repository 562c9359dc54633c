import { CoreArena, decodeCore } from "@longwave/kernels";
import { OpusError } from "./errors.ts";

/** What every core exports; see assembly/shared-exports.ts and decoder-exports.ts. Addresses are byte offsets in `memory`. */
export interface CoreExports {
  readonly memory: WebAssembly.Memory;
  initialize(): void;
  packetAddress(): number;
  packetCapacity(): number;
  pcmFloatAddress(): number;
  pcmIntegerAddress(): number;
  firstSlotAddress(): number;
  decoderSlotBytes(): number;
  decoderInit(slot: number, sampleRate: number, channels: number): void;
  decoderReset(slot: number): void;
  copySlot(to: number, from: number): void;
  parse(offset: number, length: number, selfDelimited: number): number;
  decode(
    slot: number,
    offset: number,
    length: number,
    frames: number,
    fec: number,
    selfDelimited: number,
    format: number,
    clip: number,
  ): number;
  follow(slot: number, length: number, frames: number): number;
  trace(on: number): void;
  traceAddress(): number;
  conceal(slot: number, frames: number, format: number): number;
  lastPacketBytes(): number;
  finalRange(slot: number): number;
  lastPacketFrames(slot: number): number;
  bandwidth(slot: number): number;
  pitch(slot: number): number;
  gain(slot: number): number;
  setGain(slot: number, gainQ8: number): number;
  phaseInversionDisabled(slot: number): number;
  setPhaseInversionDisabled(slot: number, disabled: number): void;
  ignoreExtensions(slot: number): number;
  setIgnoreExtensions(slot: number, ignore: number): void;
  maxSnapshotBytes(): number;
  snapshot(slot: number, withConceal: number, version: number): number;
  restore(slot: number, length: number): number;
  lastingState(slot: number, withExcitation: number): number;
  takeLastingState(slot: number, length: number): number;
  historyReach(): number;
  forgetReplaced(slot: number, reach: number): void;
  stateDigest(slot: number, withConceal: number): void;
  softClipChannel(channel: number, frames: number, channels: number, carried: number): number;
}

/** One instance of a WASM core with its memory views; internal to the package. */
export class CoreInstance<Exports extends CoreExports = CoreExports> {
  readonly exports: Exports;
  readonly bytes: Uint8Array;
  readonly floats: Float32Array;
  readonly shorts: Int16Array;
  readonly integers: Int32Array;
  readonly packetAt: number;
  readonly packetCapacity: number;
  readonly pcmFloatAt: number;
  readonly pcmIntegerAt: number;
  readonly arena: CoreArena;
  readonly #floatViews = new Map<number, Float32Array>();
  readonly #shortViews = new Map<number, Int16Array>();
  readonly #integerViews = new Map<number, Int32Array>();
  readonly #byteViews = new Map<number, Uint8Array>();

  /** @param text of the generated module */
  constructor(text: string, memoryPages: number) {
    const instance = new WebAssembly.Instance(moduleWithMemory(text, memoryPages));
    this.exports = instance.exports as unknown as Exports;
    this.exports.initialize();
    const { buffer } = this.exports.memory;
    this.bytes = new Uint8Array(buffer);
    this.floats = new Float32Array(buffer);
    this.shorts = new Int16Array(buffer);
    this.integers = new Int32Array(buffer);
    this.packetAt = this.exports.packetAddress();
    this.packetCapacity = this.exports.packetCapacity();
    this.pcmFloatAt = this.exports.pcmFloatAddress();
    this.pcmIntegerAt = this.exports.pcmIntegerAddress();
    this.arena = new CoreArena(this.exports.memory, this.exports.firstSlotAddress());
  }

  /** The first `samples` values of the float output. Kept per length: packets come in few lengths. */
  floatOutput(samples: number): Float32Array {
    let view = this.#floatViews.get(samples);
    if (view === undefined) {
      const start = this.pcmFloatAt >> 2;
      view = this.floats.subarray(start, start + samples);
      this.#floatViews.set(samples, view);
    }
    return view;
  }

  int16Output(samples: number): Int16Array {
    let view = this.#shortViews.get(samples);
    if (view === undefined) {
      const start = this.pcmIntegerAt >> 1;
      view = this.shorts.subarray(start, start + samples);
      this.#shortViews.set(samples, view);
    }
    return view;
  }

  int24Output(samples: number): Int32Array {
    let view = this.#integerViews.get(samples);
    if (view === undefined) {
      const start = this.pcmIntegerAt >> 2;
      view = this.integers.subarray(start, start + samples);
      this.#integerViews.set(samples, view);
    }
    return view;
  }

  /** Copies the first bytes of the packet region out. */
  copyOut(into: Uint8Array, length: number): void {
    let view = this.#byteViews.get(length);
    if (view === undefined) {
      view = this.bytes.subarray(this.packetAt, this.packetAt + length);
      this.#byteViews.set(length, view);
    }
    into.set(view);
  }

  /** Copies a packet in; of one longer than the region (padding has no limit) the start is enough. */
  putPacket(packet: Uint8Array): void {
    if (packet.length <= this.packetCapacity) this.bytes.set(packet, this.packetAt);
    else this.bytes.set(packet.subarray(0, this.packetCapacity), this.packetAt);
  }

  /** The same for a range of a buffer, without a view. */
  putPacketRange(buffer: Uint8Array, at: number, length: number): void {
    const { bytes, packetAt } = this;
    const end = Math.min(length, this.packetCapacity);
    for (let i = 0; i < end; i++) bytes[packetAt + i] = buffer[at + i]!;
  }
}

/** Compiled modules by memory size, per core. */
const modules = new Map<string, Map<number, WebAssembly.Module>>();

/** The compiled core with another size of memory: two numbers of its memory section are rewritten. */
function moduleWithMemory(text: string, pages: number): WebAssembly.Module {
  let bySize = modules.get(text);
  if (bySize === undefined) {
    bySize = new Map();
    modules.set(text, bySize);
  }
  let module = bySize.get(pages);
  if (module !== undefined) return module;
  const bytes = decodeCore(text);
  if (pages !== defaultPages) setMemoryPages(bytes, pages);
  module = new WebAssembly.Module(bytes);
  bySize.set(pages, module);
  return module;
}

function setMemoryPages(bytes: Uint8Array, pages: number): void {
  let at = 8;
  while (at < bytes.length) {
    const id = bytes[at++];
    let size = 0;
    let shift = 0;
    let byte: number;
    do {
      byte = bytes[at++]!;
      size |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte >= 0x80);
    if (id === 5) {
      // count 1, flags 1 (has a maximum), then both sizes as two-byte LEB128.
      for (const place of [at + 2, at + 4]) {
        bytes[place] = (pages & 0x7f) | 0x80;
        bytes[place + 1] = pages >> 7;
      }
      return;
    }
    at += size;
  }
}

const pagesPerMiB = 16;
const defaultMemoryMiB = 64;
const defaultPages = defaultMemoryMiB * pagesPerMiB;

/** The inlined core that new instances are made of: that of the package's entry point. */
interface CoreSource {
  readonly text: string;
  readonly encodes: boolean;
}

let source: CoreSource | undefined;

/** Names the core of an entry point. Where both are loaded, that of the whole codec serves both. */
export function provideCore(text: string, encodes: boolean): void {
  if (source === undefined || encodes) source = { text, encodes };
}

/**
 * Holds codec objects of one thread: WASM memory with tables, scratch and slots. Memory is fixed, 2 MiB are taken by tables
 * and buffers, a decoder takes 27 KiB, an encoder 50 KiB.
 */
export class OpusCore {
  readonly #instance: CoreInstance;
  readonly #source: CoreSource;

  private constructor(memoryPages: number) {
    if (source === undefined) {
      throw new OpusError(
        "opus/internal",
        "Import from @longwave/opus or @longwave/opus/decoder; no core was loaded.",
      );
    }
    this.#source = source;
    this.#instance = new CoreInstance(source.text, memoryPages);
  }

  /**
   * An instance of its own.
   * @param options `memoryMiB`: 4 to 1023, default 64
   * @throws OpusError `opus/bad-argument`
   */
  static create(options: { readonly memoryMiB?: number } = {}): OpusCore {
    const memoryMiB = options.memoryMiB ?? defaultMemoryMiB;
    if (!Number.isInteger(memoryMiB) || memoryMiB < 4 || memoryMiB > 1023) {
      throw new OpusError(
        "opus/bad-argument",
        `memoryMiB is ${memoryMiB}; give a whole number from 4 to 1023.`,
      );
    }
    return new OpusCore(memoryMiB * pagesPerMiB);
  }

  /** Decoders that still fit. */
  get freeSlots(): number {
    return Math.floor(this.#instance.arena.freeBytes / this.#instance.exports.decoderSlotBytes());
  }

  /** @internal */
  static instanceOf(core: OpusCore): CoreInstance {
    return core.#instance;
  }

  /** @internal The text of the core, which names its build; undefined where it cannot encode. */
  static encodingTextOf(core: OpusCore): string | undefined {
    return core.#source.encodes ? core.#source.text : undefined;
  }
}

let shared: OpusCore | undefined;

/** The core that objects of this thread use when none is given. */
export function sharedCore(): OpusCore {
  if (shared === undefined || (source?.encodes && OpusCore.encodingTextOf(shared) === undefined)) {
    shared = OpusCore.create();
  }
  return shared;
}

/** Slots whose objects were forgotten without `close`. */
const forgotten = new FinalizationRegistry<{ arena: CoreArena; address: number }>(({ arena, address }) =>
  arena.release(address),
);

/** `bytes` of the core's memory that belong to `owner`. */
export function allocateSlot(instance: CoreInstance, bytes: number, owner: object, token: object): number {
  const address = instance.arena.tryAllocate(bytes);
  if (address === undefined) {
    throw new OpusError(
      "opus/out-of-slots",
      "The core has no room for another object; close those that are no longer used, or make a core with more memory.",
    );
  }
  forgotten.register(owner, { arena: instance.arena, address }, token);
  return address;
}

export function releaseSlot(instance: CoreInstance, address: number, token: object): void {
  forgotten.unregister(token);
  instance.arena.release(address);
}
