/** Reads LEB128 values of up to 32 bits one after the other; `failed` is set where one is cut off or too long. */
export class VarintReader {
  bytes: Uint8Array;
  at: number;
  end: number;
  failed = false;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  next(): number {
    const bytes = this.bytes;
    let value = 0;
    for (let shift = 0; shift < 35 && this.at < this.end; shift += 7) {
      const byte = bytes[this.at++]!;
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
    this.failed = true;
    this.at = this.end;
    return 0;
  }
}
