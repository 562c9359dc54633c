/** What a program left behind. */
export interface WasiResult {
  readonly exitCode: number;
  /** The file that it wrote. */
  readonly output: Uint8Array;
  /** What it wrote to standard output and error, the last 8 KB. */
  readonly messages: string;
  /** True if it wanted to write more than it may; the rest is lost. */
  readonly isCut: boolean;
}

/** Errors of WASI preview 1 (witx, `errno`). */
const errno = { ok: 0, badf: 8, inval: 28, noent: 44, nospc: 51 } as const;
/** Kinds of files (witx, `filetype`). */
const characterDevice = 2;
const directory = 3;
const regularFile = 4;

const rootDescriptor = 3;
const outputDescriptor = 4;
const keptMessageBytes = 8192;

class Exit extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

/**
 * Runs a WASI command whose only effects are one file and its messages: the file lies in memory under any absolute path that it creates, there is
 * no other file, no input, no network, and the clock stands still. Works wherever WebAssembly does; blocks until the program is done.
 *
 * @param args the program's name and its arguments
 * @param maxOutputBytes largest file
 * @throws whatever a trap of the program throws
 */
export function runWasiProgram(
  module: WebAssembly.Module,
  args: readonly string[],
  maxOutputBytes: number,
): WasiResult {
  const encoded = args.map((arg) => new TextEncoder().encode(`${arg}\0`));
  let memory: DataView;
  let bytes: Uint8Array;
  // The program's memory may grow, which detaches every view of it.
  const look = () => {
    const { buffer } = instance.exports["memory"] as WebAssembly.Memory;
    if (memory?.buffer !== buffer) {
      memory = new DataView(buffer);
      bytes = new Uint8Array(buffer);
    }
  };
  const file = new OutputFile(maxOutputBytes);
  let messages: Uint8Array = new Uint8Array(0);

  const calls = {
    args_sizes_get(countAt: number, bytesAt: number): number {
      memory.setUint32(countAt, encoded.length, true);
      memory.setUint32(
        bytesAt,
        encoded.reduce((sum, { length }) => sum + length, 0),
        true,
      );
      return errno.ok;
    },
    args_get(listAt: number, textAt: number): number {
      let at = textAt;
      for (const [index, arg] of encoded.entries()) {
        memory.setUint32(listAt + index * 4, at, true);
        bytes.set(arg, at);
        at += arg.length;
      }
      return errno.ok;
    },
    clock_time_get(_clock: number, _precision: bigint, timeAt: number): number {
      memory.setBigUint64(timeAt, 0n, true);
      return errno.ok;
    },
    fd_prestat_get(descriptor: number, at: number): number {
      if (descriptor !== rootDescriptor) return errno.badf;
      memory.setUint32(at, 0, true);
      memory.setUint32(at + 4, 1, true);
      return errno.ok;
    },
    fd_prestat_dir_name(descriptor: number, at: number, length: number): number {
      if (descriptor !== rootDescriptor || length < 1) return errno.badf;
      bytes[at] = 0x2f;
      return errno.ok;
    },
    fd_fdstat_get(descriptor: number, at: number): number {
      if (descriptor > outputDescriptor) return errno.badf;
      const kind =
        descriptor < rootDescriptor
          ? characterDevice
          : descriptor === rootDescriptor
            ? directory
            : regularFile;
      memory.setUint16(at, kind, true);
      memory.setUint16(at + 2, 0, true);
      memory.setBigUint64(at + 8, 0xffff_ffff_ffff_ffffn, true);
      memory.setBigUint64(at + 16, 0xffff_ffff_ffff_ffffn, true);
      return errno.ok;
    },
    fd_fdstat_set_flags: (): number => errno.ok,
    path_open(
      descriptor: number,
      _lookup: number,
      _pathAt: number,
      _pathLength: number,
      flags: number,
      _rights: bigint,
      _inherited: bigint,
      _mode: number,
      descriptorAt: number,
    ): number {
      if (descriptor !== rootDescriptor) return errno.badf;
      const isCreated = (flags & 1) !== 0;
      if (!isCreated) return errno.noent;
      file.clear();
      memory.setUint32(descriptorAt, outputDescriptor, true);
      return errno.ok;
    },
    fd_read(_descriptor: number, _listAt: number, _count: number, doneAt: number): number {
      memory.setUint32(doneAt, 0, true);
      return errno.ok;
    },
    fd_write(descriptor: number, listAt: number, count: number, doneAt: number): number {
      let done = 0;
      for (let index = 0; index < count; index++) {
        const at = memory.getUint32(listAt + index * 8, true);
        const piece = bytes.subarray(at, at + memory.getUint32(listAt + index * 8 + 4, true));
        if (descriptor === outputDescriptor) {
          if (!file.write(piece)) return errno.nospc;
        } else if (descriptor === 1 || descriptor === 2) messages = tail(messages, piece);
        else return errno.badf;
        done += piece.length;
      }
      memory.setUint32(doneAt, done, true);
      return errno.ok;
    },
    fd_seek(descriptor: number, offset: bigint, whence: number, positionAt: number): number {
      if (descriptor !== outputDescriptor) return errno.badf;
      if (!file.seek(Number(offset), whence)) return errno.inval;
      memory.setBigUint64(positionAt, BigInt(file.position), true);
      return errno.ok;
    },
    fd_close: (): number => errno.ok,
    proc_exit(code: number): never {
      throw new Exit(code);
    },
  };
  const imports = Object.fromEntries(
    Object.entries(calls).map(([name, call]) => [
      name,
      (...values: never[]) => {
        look();
        return (call as (...values: never[]) => number)(...values);
      },
    ]),
  );
  const instance: WebAssembly.Instance = new WebAssembly.Instance(module, {
    wasi_snapshot_preview1: imports,
  });
  let exitCode = 0;
  try {
    (instance.exports["_start"] as () => void)();
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    exitCode = error.code;
  }
  const text = new TextDecoder().decode(messages).trim();
  return { exitCode, output: file.bytes, messages: text, isCut: file.isFull };
}

/** A file in memory, at most as large as it may be. */
class OutputFile {
  position = 0;
  isFull = false;
  readonly #max: number;
  #bytes = new Uint8Array(65_536);
  #length = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  clear(): void {
    this.position = 0;
    this.#length = 0;
  }

  write(piece: Uint8Array): boolean {
    const end = this.position + piece.length;
    if (end > this.#max) {
      this.isFull = true;
      return false;
    }
    if (end > this.#bytes.length) {
      const wider = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
      wider.set(this.#bytes);
      this.#bytes = wider;
    }
    this.#bytes.set(piece, this.position);
    this.position = end;
    this.#length = Math.max(this.#length, end);
    return true;
  }

  /** @param whence 0 from the start, 1 from here, 2 from the end */
  seek(offset: number, whence: number): boolean {
    const position = offset + (whence === 0 ? 0 : whence === 1 ? this.position : this.#length);
    if (position < 0 || position > this.#max) return false;
    this.position = position;
    return true;
  }
}

function tail(before: Uint8Array, piece: Uint8Array): Uint8Array {
  const all = new Uint8Array(before.length + piece.length);
  all.set(before);
  all.set(piece, before.length);
  return all.subarray(-keptMessageBytes).slice();
}
