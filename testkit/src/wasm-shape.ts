/** What a WASM binary declares, as far as the rules for cores go. */
export interface WasmShape {
  readonly imports: number;
  readonly mutableGlobals: number;
  readonly memoryGrowInstructions: number;
  /** Pages of 64 KiB; `maximum` is undefined where the memory may grow without limit. */
  readonly memory: { readonly initial: number; readonly maximum: number | undefined };
  readonly exports: readonly string[];
}

/**
 * Reads a WASM binary's sections and walks its code. Opcodes are decoded one by one, so that a `memory.grow` (0x40) is
 * never confused with an immediate.
 * @throws Error on a binary that it does not understand: a core that uses an unknown instruction must not pass unseen
 */
export function parseWasmShape(bytes: Uint8Array): WasmShape {
  const reader = new Reader(bytes, 8);
  let imports = 0;
  let mutableGlobals = 0;
  let memoryGrowInstructions = 0;
  let memory: WasmShape["memory"] = { initial: 0, maximum: undefined };
  const exports: string[] = [];
  while (reader.at < bytes.length) {
    const id = reader.byte();
    const size = reader.u32();
    const end = reader.at + size;
    if (id === 2) imports = reader.u32();
    else if (id === 5) {
      reader.u32();
      const flags = reader.byte();
      const initial = reader.u32();
      memory = { initial, maximum: flags & 1 ? reader.u32() : undefined };
    } else if (id === 6) {
      const count = reader.u32();
      for (let i = 0; i < count; i++) {
        reader.byte();
        mutableGlobals += reader.byte();
        walkCode(reader, undefined);
      }
    } else if (id === 7) {
      const count = reader.u32();
      for (let i = 0; i < count; i++) {
        exports.push(reader.text());
        reader.byte();
        reader.u32();
      }
    } else if (id === 10) {
      const count = reader.u32();
      for (let i = 0; i < count; i++) {
        const bodySize = reader.u32();
        const bodyEnd = reader.at + bodySize;
        const localGroups = reader.u32();
        for (let k = 0; k < localGroups; k++) {
          reader.u32();
          reader.byte();
        }
        memoryGrowInstructions += walkCode(reader, bodyEnd);
      }
    }
    reader.at = end;
  }
  return { imports, mutableGlobals, memoryGrowInstructions, memory, exports };
}

/** Walks instructions up to `end`, or up to the `end` opcode of a constant expression; counts `memory.grow`. */
function walkCode(reader: Reader, end: number | undefined): number {
  let grows = 0;
  while (end === undefined || reader.at < end) {
    const op = reader.byte();
    if (op === 0x0b && end === undefined) return grows;
    if (op === 0x40) {
      grows++;
      reader.byte();
    } else if (op === 0x02 || op === 0x03 || op === 0x04) reader.leb();
    else if (op === 0x0c || op === 0x0d || op === 0x10 || (op >= 0x20 && op <= 0x26)) reader.u32();
    else if (op === 0x0e) {
      for (let n = reader.u32() + 1; n > 0; n--) reader.u32();
    } else if (op === 0x11) {
      reader.u32();
      reader.u32();
    } else if (op >= 0x28 && op <= 0x3e) {
      reader.u32();
      reader.u32();
    } else if (op === 0x3f) reader.byte();
    else if (op === 0x41 || op === 0x42) reader.leb();
    else if (op === 0x43) reader.at += 4;
    else if (op === 0x44) reader.at += 8;
    else if (op === 0xfc) walkMiscellaneous(reader);
    else if (op === 0xfd) walkVector(reader);
    else if (
      !(
        op <= 0x01 ||
        op === 0x05 ||
        op === 0x0b ||
        op === 0x0f ||
        op === 0x1a ||
        op === 0x1b ||
        (op >= 0x45 && op <= 0xc4)
      )
    ) {
      throw new Error(`Unknown WASM opcode 0x${op.toString(16)} at ${reader.at - 1}.`);
    }
  }
  return grows;
}

function walkMiscellaneous(reader: Reader): void {
  const op = reader.u32();
  if (op <= 7) return;
  if (op === 8 || op === 10 || op === 12 || op === 14) {
    reader.u32();
    reader.u32();
  } else if (op === 9 || op === 11 || op === 13 || (op >= 15 && op <= 17)) reader.u32();
  else throw new Error(`Unknown WASM opcode 0xfc ${op}.`);
}

function walkVector(reader: Reader): void {
  const op = reader.u32();
  if (op <= 11 || op === 92 || op === 93) {
    reader.u32();
    reader.u32();
  } else if (op === 12 || op === 13) reader.at += 16;
  else if (op >= 21 && op <= 34) reader.byte();
  else if (op >= 84 && op <= 91) {
    reader.u32();
    reader.u32();
    reader.byte();
  } else if (op >= 256)
    throw new Error(`Relaxed SIMD instruction 0xfd ${op}: results would differ between machines.`);
}

class Reader {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  byte(): number {
    const value = this.bytes[this.at++];
    if (value === undefined) throw new Error("The WASM binary ends early.");
    return value;
  }

  u32(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }

  /** Skips a signed LEB128 of any length. */
  leb(): void {
    while (this.byte() >= 0x80);
  }

  text(): string {
    const length = this.u32();
    this.at += length;
    return new TextDecoder().decode(this.bytes.subarray(this.at - length, this.at));
  }
}
