import type { OpfsDirectory, OpfsFile, OpfsWritable, StoreLocks } from "../src/opfs-store.ts";

/** What all handles of one fake file system share. */
interface Device {
  quota: number;
  failingReads: number;
}

function domError(name: string): Error {
  return new DOMException(`fake ${name}`, name);
}

/** A directory that behaves as the File System Standard says: copies are written and take their place at close. */
export class FakeOpfsDirectory implements OpfsDirectory {
  readonly kind = "directory";
  readonly name: string;
  readonly #device: Device;
  readonly #entries = new Map<string, FakeOpfsDirectory | FakeOpfsFile>();

  constructor(name: string, device: Device = { quota: Number.POSITIVE_INFINITY, failingReads: 0 }) {
    this.name = name;
    this.#device = device;
  }

  /** Copies may hold so many bytes. */
  quota(bytes: number): void {
    this.#device.quota = bytes;
  }

  /** The next reads fail as those of a file that has been replaced. */
  failReads(count: number): void {
    this.#device.failingReads = count;
  }

  async getDirectoryHandle(name: string, options?: { create?: boolean }): Promise<FakeOpfsDirectory> {
    const found =
      this.#entries.get(name) ??
      (options?.create === true ? new FakeOpfsDirectory(name, this.#device) : undefined);
    if (found === undefined) throw domError("NotFoundError");
    if (found.kind !== "directory") throw domError("TypeMismatchError");
    this.#entries.set(name, found);
    return found;
  }

  async getFileHandle(name: string, options?: { create?: boolean }): Promise<FakeOpfsFile> {
    const found =
      this.#entries.get(name) ?? (options?.create === true ? new FakeOpfsFile(this.#device) : undefined);
    if (found === undefined) throw domError("NotFoundError");
    if (found.kind !== "file") throw domError("TypeMismatchError");
    this.#entries.set(name, found);
    return found;
  }

  async removeEntry(name: string): Promise<void> {
    if (!this.#entries.delete(name)) throw domError("NotFoundError");
  }

  async *entries(): AsyncIterable<[string, FakeOpfsDirectory | FakeOpfsFile]> {
    yield* [...this.#entries];
  }
}

class FakeOpfsFile implements OpfsFile {
  readonly kind = "file";
  readonly #device: Device;
  #bytes = new Uint8Array(0);

  constructor(device: Device) {
    this.#device = device;
  }

  async getFile(): Promise<Blob> {
    if (this.#device.failingReads > 0) {
      this.#device.failingReads--;
      throw domError("NotReadableError");
    }
    return new Blob([this.#bytes]);
  }

  async createWritable(): Promise<OpfsWritable> {
    let copy = new Uint8Array(0);
    let open = true;
    const requireOpen = () => {
      if (!open) throw new TypeError("the stream is closed");
    };
    return {
      write: async ({ position, data }) => {
        requireOpen();
        const length = Math.max(copy.length, position + data.length);
        if (length > this.#device.quota) throw domError("QuotaExceededError");
        const larger = new Uint8Array(length);
        larger.set(copy);
        larger.set(data, position);
        copy = larger;
      },
      close: async () => {
        requireOpen();
        open = false;
        this.#bytes = copy;
      },
      abort: async () => {
        open = false;
      },
    };
  }
}

/** Locks as `navigator.locks` gives them: one holder a name, the others in line. */
export function fakeLocks(): StoreLocks {
  const lines = new Map<string, Promise<unknown>>();
  return {
    request: (name, work) => {
      const result = (lines.get(name) ?? Promise.resolve()).then(work, work);
      lines.set(
        name,
        result.catch(() => undefined),
      );
      return result;
    },
  };
}
