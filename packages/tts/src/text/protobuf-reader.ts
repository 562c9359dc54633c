/**
 * Walks the fields of one protobuf message. Total: any byte sequence either yields fields or throws `RangeError`, and never
 * reads outside `bytes`.
 */
export class ProtobufReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  /** Field number and wire type of the field that `next` stopped at. */
  field = 0;
  wireType = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Moves to the next field; false at the end. The caller then reads it with one of the methods below or `skip`. */
  next(): boolean {
    if (this.#at >= this.#bytes.length) return false;
    const key = this.varint();
    this.field = Math.floor(key / 8);
    this.wireType = key % 8;
    if (this.field === 0) throw new RangeError("Protobuf field number 0.");
    return true;
  }

  /** A varint up to 2^53 (larger ones lose low bits; none of ours is that large). */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new RangeError("Protobuf varint is cut off or longer than 10 bytes.");
  }

  float(): number {
    if (this.wireType !== 5) throw new RangeError(`Protobuf field ${this.field} is not a float.`);
    const value = this.#view.getFloat32(this.#advance(4), true);
    return value;
  }

  /** The bytes of a length-delimited field, a view into the message. */
  bytes(): Uint8Array {
    if (this.wireType !== 2) throw new RangeError(`Protobuf field ${this.field} is not length-delimited.`);
    const length = this.varint();
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  skip(): void {
    if (this.wireType === 0) this.varint();
    else if (this.wireType === 1) this.#advance(8);
    else if (this.wireType === 2) this.bytes();
    else if (this.wireType === 5) this.#advance(4);
    else throw new RangeError(`Protobuf wire type ${this.wireType} of field ${this.field} is unknown.`);
  }

  #advance(count: number): number {
    const start = this.#at;
    if (start + count > this.#bytes.length) throw new RangeError("Protobuf message is cut off.");
    this.#at = start + count;
    return start;
  }
}
