import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { ByteSource } from "../model/byte-source.ts";

/** A file as a source of bytes; reads go straight into the target. Close it when loading is done. */
export class FileByteSource implements ByteSource {
  readonly byteLength: number;
  readonly #descriptor: number;

  /** @throws the system's error if the file cannot be opened */
  constructor(path: string) {
    this.#descriptor = openSync(path, "r");
    this.byteLength = fstatSync(this.#descriptor).size;
  }

  readInto(target: Uint8Array, offset: number): void {
    let done = 0;
    while (done < target.length) {
      // One read call takes at most 2 GiB.
      const count = readSync(
        this.#descriptor,
        target,
        done,
        Math.min(target.length - done, 1 << 30),
        offset + done,
      );
      if (count === 0) throw new RangeError(`The file ended at byte ${offset + done}.`);
      done += count;
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
