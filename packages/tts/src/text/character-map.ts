/**
 * SentencePiece's precompiled normalisation rules: u32 size of a double-array trie (Darts-clone), the trie's u32 units, then
 * NUL-separated replacement strings. The longest rule that matches a prefix wins.
 */
export class CharacterMap {
  readonly #units: Uint32Array;
  readonly #strings: Uint8Array;

  /** @throws RangeError where the blob is not such a map */
  constructor(blob: Uint8Array) {
    if (blob.length < 4) throw new RangeError("The character map is shorter than its header.");
    const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
    const trieBytes = view.getUint32(0, true);
    if (trieBytes % 4 !== 0 || trieBytes === 0 || 4 + trieBytes > blob.length) {
      throw new RangeError(`The character map claims a trie of ${trieBytes} bytes in ${blob.length - 4}.`);
    }
    this.#units = new Uint32Array(trieBytes / 4);
    for (let i = 0; i < this.#units.length; i++) this.#units[i] = view.getUint32(4 + i * 4, true);
    this.#strings = blob.slice(4 + trieBytes);
  }

  /**
   * Finds the longest rule for the bytes at `at`.
   * @returns the length of what it replaces and the range of its replacement in {@link replacements}, or undefined
   */
  match(text: Uint8Array, at: number): { length: number; start: number; end: number } | undefined {
    const units = this.#units;
    let node = offsetOf(units[0]!);
    let length = 0;
    let value = 0;
    for (let i = at; i < text.length; i++) {
      const byte = text[i]!;
      node = (node ^ byte) >>> 0;
      const unit = units[node];
      // A unit's label has its top bit set in leaves, so a leaf never equals a byte.
      if (unit === undefined || (unit & 0x800000ff) >>> 0 !== byte) break;
      node = (node ^ offsetOf(unit)) >>> 0;
      if (((unit >>> 8) & 1) === 1) {
        const leaf = units[node];
        if (leaf === undefined) break;
        length = i + 1 - at;
        value = leaf & 0x7fffffff;
      }
    }
    if (length === 0 || value >= this.#strings.length) return undefined;
    let end = value;
    while (end < this.#strings.length && this.#strings[end] !== 0) end++;
    return { length, start: value, end };
  }

  get replacements(): Uint8Array {
    return this.#strings;
  }
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}
