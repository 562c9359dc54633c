/** Room of one payload. */
export const receiveSlotBytes = 1536;
const initialSlots = 256;

/**
 * Packets between their arrival and their playout, and the numbers that are missing, both in slots found by sequence
 * number. Missing numbers form a list in ascending order. It doubles when the window of the stream needs it, up to its
 * limit.
 */
export class ReceiveBuffer {
  readonly #maxSlots: number;
  bytes: Uint8Array = new Uint8Array(0);
  mask = 0;
  /** Extended sequence number of the packet in the slot, or -1. */
  sequence: Float64Array = new Float64Array(0);
  length: Int32Array = new Int32Array(0);
  /** Media time in microseconds. */
  timeUs: Float64Array = new Float64Array(0);
  /** Sequence number that is missing in the slot, or -1. */
  missing: Float64Array = new Float64Array(0);
  missingPrevious: Int32Array = new Int32Array(0);
  missingNext: Int32Array = new Int32Array(0);
  /** When the gap was seen. */
  seenUs: Float64Array = new Float64Array(0);
  nextNackUs: Float64Array = new Float64Array(0);
  lastNackUs: Float64Array = new Float64Array(0);
  nackCount: Uint8Array = new Uint8Array(0);
  copiesLeft: Uint8Array = new Uint8Array(0);
  /** First slot of the list of missing numbers, or -1. */
  missingHead = -1;
  #missingTail = -1;
  missingCount = 0;

  /** @param maxBytes limit of the slots' memory */
  constructor(maxBytes: number) {
    let slots = initialSlots;
    while (slots * 2 * receiveSlotBytes <= maxBytes && slots < 65_536) slots *= 2;
    this.#maxSlots = slots;
    this.#allocate(Math.min(initialSlots, slots));
  }

  get slots(): number {
    return this.mask + 1;
  }

  /** Makes room for a window of `count` numbers; false where the limit forbids it. */
  ensure(count: number): boolean {
    if (count > this.#maxSlots) return false;
    while (count > this.slots) this.#allocate(this.slots * 2);
    return true;
  }

  has(sequence: number): boolean {
    return this.sequence[sequence & this.mask] === sequence;
  }

  isMissing(sequence: number): boolean {
    return this.missing[sequence & this.mask] === sequence;
  }

  /** Appends a missing number, larger than all in the list; `timeUs` is an upper bound of its media time. */
  addMissing(sequence: number, nowUs: number, timeUs: number): void {
    const slot = sequence & this.mask;
    this.missing[slot] = sequence;
    this.timeUs[slot] = timeUs;
    this.seenUs[slot] = nowUs;
    this.nextNackUs[slot] = 0;
    this.nackCount[slot] = 0;
    this.copiesLeft[slot] = 0;
    this.missingPrevious[slot] = this.#missingTail;
    this.missingNext[slot] = -1;
    if (this.#missingTail >= 0) this.missingNext[this.#missingTail] = slot;
    else this.missingHead = slot;
    this.#missingTail = slot;
    this.missingCount++;
  }

  removeMissing(slot: number): void {
    const previous = this.missingPrevious[slot]!;
    const next = this.missingNext[slot]!;
    if (previous >= 0) this.missingNext[previous] = next;
    else this.missingHead = next;
    if (next >= 0) this.missingPrevious[next] = previous;
    else this.#missingTail = previous;
    this.missing[slot] = -1;
    this.missingCount--;
  }

  clear(): void {
    this.sequence.fill(-1);
    this.missing.fill(-1);
    this.missingHead = -1;
    this.#missingTail = -1;
    this.missingCount = 0;
  }

  #allocate(slots: number): void {
    const old = { ...this };
    const oldSlots = this.sequence.length;
    this.bytes = new Uint8Array(slots * receiveSlotBytes);
    this.mask = slots - 1;
    this.sequence = new Float64Array(slots).fill(-1);
    this.length = new Int32Array(slots);
    this.timeUs = new Float64Array(slots);
    this.missing = new Float64Array(slots).fill(-1);
    this.missingPrevious = new Int32Array(slots);
    this.missingNext = new Int32Array(slots);
    this.seenUs = new Float64Array(slots);
    this.nextNackUs = new Float64Array(slots);
    this.lastNackUs = new Float64Array(slots);
    this.nackCount = new Uint8Array(slots);
    this.copiesLeft = new Uint8Array(slots);
    for (let from = 0; from < oldSlots; from++) {
      const sequence = old.sequence[from]!;
      if (sequence < 0) continue;
      const to = sequence & this.mask;
      const start = from * receiveSlotBytes;
      this.bytes.set(old.bytes.subarray(start, start + old.length[from]!), to * receiveSlotBytes);
      this.sequence[to] = sequence;
      this.length[to] = old.length[from]!;
      this.timeUs[to] = old.timeUs[from]!;
    }
    this.#missingTail = -1;
    this.missingHead = -1;
    this.missingCount = 0;
    for (let from = oldSlots > 0 ? old.missingHead : -1; from >= 0; from = old.missingNext[from]!) {
      const sequence = old.missing[from]!;
      this.addMissing(sequence, old.seenUs[from]!, old.timeUs[from]!);
      const to = sequence & this.mask;
      this.nextNackUs[to] = old.nextNackUs[from]!;
      this.lastNackUs[to] = old.lastNackUs[from]!;
      this.nackCount[to] = old.nackCount[from]!;
      this.copiesLeft[to] = old.copiesLeft[from]!;
    }
  }
}
