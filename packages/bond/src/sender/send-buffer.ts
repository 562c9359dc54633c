import { tunnelHeadroom } from "../wire/gre-tunnel.ts";

/** Room of one packet: tunnel headers, RTP header and extension, payload. */
export const slotBytes = 1536;
/** Largest payload that `send` takes. */
export const maxPayloadBytes: number = slotBytes - tunnelHeadroom - 20;

const initialSlots = 256;

/**
 * The packets that may have to be sent again: fixed slots in one buffer, found by sequence number, with what is known
 * about each in parallel arrays. It doubles while packets younger than the buffer time would be overwritten, up to its
 * limit, and then overwrites the oldest.
 */
export class SendBuffer {
  readonly #maxSlots: number;
  bytes: Uint8Array = new Uint8Array(0);
  mask = 0;
  /** Extended sequence number in the slot, or -1. */
  sequence: Float64Array = new Float64Array(0);
  /** Offset behind the RTP packet, which starts `tunnelHeadroom` into the slot. */
  end: Int32Array = new Int32Array(0);
  /** When the application gave it. */
  acceptedUs: Float64Array = new Float64Array(0);
  /** Latest transmission: when, on which link (-1: not yet sent). */
  lastSentUs: Float64Array = new Float64Array(0);
  lastLink: Int8Array = new Int8Array(0);
  firstLink: Int8Array = new Int8Array(0);
  sends: Uint8Array = new Uint8Array(0);
  /** Retransmission rounds so far. */
  rounds: Uint8Array = new Uint8Array(0);
  /** 1 once the latest transmission was counted as lost. */
  isCounted: Uint8Array = new Uint8Array(0);
  /** Bytes that the first link had sent up to and including this packet. */
  linkBytes: Float64Array = new Float64Array(0);
  /** Which transmission of its link the latest one was: a run of lost ones tells that the link is dead. */
  linkNumber: Float64Array = new Float64Array(0);
  /** The same of the first transmission. */
  firstNumber: Float64Array = new Float64Array(0);

  /** @param maxBytes limit of the slots' memory */
  constructor(maxBytes: number) {
    let slots = initialSlots;
    // More than half the sequence space cannot be told apart by 16-bit feedback.
    while (slots * 2 * slotBytes <= maxBytes && slots < 32_768) slots *= 2;
    this.#maxSlots = slots;
    this.#allocate(Math.min(initialSlots, slots));
  }

  get slots(): number {
    return this.mask + 1;
  }

  get maxSlots(): number {
    return this.#maxSlots;
  }

  /** Slot of a sequence number, or -1 where it is no longer (or not yet) stored. */
  find(sequence: number): number {
    const slot = sequence & this.mask;
    return this.sequence[slot] === sequence ? slot : -1;
  }

  /** Claims the slot of a new number at `nowUs`; grows first where that would overwrite a packet younger than `keepUs`. */
  claim(sequence: number, nowUs: number, keepUs: number): number {
    let slot = sequence & this.mask;
    if (this.sequence[slot]! >= 0 && nowUs - this.acceptedUs[slot]! < keepUs && this.slots < this.#maxSlots) {
      this.#allocate(this.slots * 2);
      slot = sequence & this.mask;
    }
    this.sequence[slot] = sequence;
    this.acceptedUs[slot] = nowUs;
    this.lastSentUs[slot] = Number.NEGATIVE_INFINITY;
    this.lastLink[slot] = -1;
    this.firstLink[slot] = -1;
    this.sends[slot] = 0;
    this.rounds[slot] = 0;
    this.isCounted[slot] = 0;
    return slot;
  }

  #allocate(slots: number): void {
    const old = { ...this };
    const oldSlots = this.sequence.length;
    this.bytes = new Uint8Array(slots * slotBytes);
    this.mask = slots - 1;
    this.sequence = new Float64Array(slots).fill(-1);
    this.end = new Int32Array(slots);
    this.acceptedUs = new Float64Array(slots);
    this.lastSentUs = new Float64Array(slots);
    this.lastLink = new Int8Array(slots);
    this.firstLink = new Int8Array(slots);
    this.sends = new Uint8Array(slots);
    this.rounds = new Uint8Array(slots);
    this.isCounted = new Uint8Array(slots);
    this.linkBytes = new Float64Array(slots);
    this.linkNumber = new Float64Array(slots);
    this.firstNumber = new Float64Array(slots);
    for (let from = 0; from < oldSlots; from++) {
      const sequence = old.sequence[from]!;
      if (sequence < 0) continue;
      const to = sequence & this.mask;
      this.bytes.set(old.bytes.subarray(from * slotBytes, (from + 1) * slotBytes), to * slotBytes);
      this.sequence[to] = sequence;
      this.end[to] = old.end[from]! + (to - from) * slotBytes;
      this.acceptedUs[to] = old.acceptedUs[from]!;
      this.lastSentUs[to] = old.lastSentUs[from]!;
      this.lastLink[to] = old.lastLink[from]!;
      this.firstLink[to] = old.firstLink[from]!;
      this.sends[to] = old.sends[from]!;
      this.rounds[to] = old.rounds[from]!;
      this.isCounted[to] = old.isCounted[from]!;
      this.linkBytes[to] = old.linkBytes[from]!;
      this.linkNumber[to] = old.linkNumber[from]!;
      this.firstNumber[to] = old.firstNumber[from]!;
    }
  }
}
