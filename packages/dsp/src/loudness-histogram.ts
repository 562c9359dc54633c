/** Loudness below which nothing counts (absolute gate of EBU R 128), in LUFS. */
const lowest = -70;
const highest = 30;
const binsPerUnit = 100;

/**
 * Counts and energies of measured blocks by loudness, in bins of 0.01 LU from -70 to +30 LUFS: gating over any length of
 * time in fixed memory.
 */
export class LoudnessHistogram {
  readonly #counts: Float64Array = new Float64Array((highest - lowest) * binsPerUnit + 1);
  readonly #energies: Float64Array = new Float64Array(this.#counts.length);
  /** Number and energy of all blocks. */
  readonly #totals: Float64Array = new Float64Array(2);

  /**
   * Takes a block: its mean weighted energy and its loudness in LUFS (an array, because numbers as arguments cost heap).
   * Blocks at or under the absolute gate are dropped.
   */
  add(block: Float64Array): void {
    const energy = block[0]!;
    const loudness = block[1]!;
    if (!(loudness > lowest)) return;
    const bin = Math.min(this.#counts.length - 1, Math.floor((loudness - lowest) * binsPerUnit));
    this.#counts[bin] = this.#counts[bin]! + 1;
    this.#energies[bin] = this.#energies[bin]! + energy;
    this.#totals[0] = this.#totals[0]! + 1;
    this.#totals[1] = this.#totals[1]! + energy;
  }

  /** Mean energy of all blocks above the absolute gate; 0 if there is none. */
  meanEnergy(): number {
    return this.#totals[0] === 0 ? 0 : this.#totals[1]! / this.#totals[0]!;
  }

  /** Mean energy of the blocks above `gate` LUFS; 0 if there is none. */
  meanEnergyAbove(gate: number): number {
    let count = 0;
    let energy = 0;
    for (let bin = firstBinAbove(gate); bin < this.#counts.length; bin++) {
      count += this.#counts[bin]!;
      energy += this.#energies[bin]!;
    }
    return count === 0 ? 0 : energy / count;
  }

  /** The loudness that the part `share` (0 to 1) of the blocks above `gate` stays under; undefined if there is none. */
  percentile(gate: number, share: number): number | undefined {
    const first = firstBinAbove(gate);
    let count = 0;
    for (let bin = first; bin < this.#counts.length; bin++) count += this.#counts[bin]!;
    if (count === 0) return undefined;
    let left = Math.round((count - 1) * share);
    let bin = first;
    while (left >= this.#counts[bin]!) left -= this.#counts[bin++]!;
    return lowest + (bin + 0.5) / binsPerUnit;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#energies.fill(0);
    this.#totals.fill(0);
  }
}

function firstBinAbove(gate: number): number {
  return Math.max(0, Math.round((gate - lowest) * binsPerUnit));
}
