import { geometry } from "./geometry.ts";
import { hmacSha256 } from "./hmac.ts";

/** Of the 32 cells of a band, those that carry the known sign of the synchronisation. */
const syncCellsPerBand = 8;

/**
 * Where a key puts what: for every cell (slot-major, `slot * bands + band`) the sign of its chip and the bit of the
 * code word that it carries. All of it follows from HMAC-SHA256(key, counter), so that without the key neither the
 * mark nor its start can be told from noise.
 */
export interface Pattern {
  /** 1 or -1 for every cell. */
  readonly signs: Int8Array;
  /** Bit of the code word for every cell; -1 for a cell of the synchronisation, which carries its sign alone. */
  readonly bits: Int16Array;
}

export function patternOf(key: Uint8Array, codeBits: number): Pattern {
  const random = keyedWords(key);
  const cells = geometry.slots * geometry.bands;
  const signs = new Int8Array(cells);
  const bits = new Int16Array(cells);
  const order = shuffled(codeBits, random);
  let next = 0;
  for (let band = 0; band < geometry.bands; band++) {
    const slots = shuffled(geometry.slots, random);
    slots.forEach((slot, rank) => {
      const cell = slot * geometry.bands + band;
      signs[cell] = random() & 1 ? 1 : -1;
      bits[cell] = rank < syncCellsPerBand ? -1 : order[next++ % codeBits]!;
    });
  }
  return { signs, bits };
}

/** Unsigned 32-bit words of HMAC-SHA256(key, "keymark-v1 pattern" and a counter). */
function keyedWords(key: Uint8Array): () => number {
  const label = new TextEncoder().encode("keymark-v1 pattern\0\0\0\0");
  const counter = new DataView(label.buffer, label.length - 4);
  let block = 0;
  let words: DataView | undefined;
  let at = 0;
  return () => {
    if (words === undefined || at === words.byteLength) {
      counter.setUint32(0, block++);
      words = new DataView(hmacSha256(key, label).buffer);
      at = 0;
    }
    const word = words.getUint32(at);
    at += 4;
    return word;
  };
}

/** 0 to count - 1 in a random order (Fisher and Yates); the bias of the modulus, under 2^-23, does not matter here. */
function shuffled(count: number, random: () => number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random() % (i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
