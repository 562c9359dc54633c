const stepUs = 1000;
const steps = 4096;
const rollUs = 10_000_000;

/** Percentiles of a latency over the last 10 to 20 s, in steps of a millisecond up to 4 s. */
export class LatencyMeter {
  #current = new Int32Array(steps);
  #previous = new Int32Array(steps);
  #rolledUs = Number.NEGATIVE_INFINITY;
  #currentMaxUs = 0;
  #previousMaxUs = 0;

  add(latencyUs: number, nowUs: number): void {
    if (nowUs - this.#rolledUs >= rollUs) this.#roll(nowUs);
    const step = Math.max(0, Math.min(steps - 1, Math.floor(latencyUs / stepUs)));
    this.#current[step]!++;
    if (latencyUs > this.#currentMaxUs) this.#currentMaxUs = latencyUs;
  }

  /** Milliseconds at 50, 95 and 99 % and the most; zeros without samples. */
  summary(): { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number } {
    let total = 0;
    for (let i = 0; i < steps; i++) total += this.#current[i]! + this.#previous[i]!;
    return {
      p50: this.#percentile(0.5 * total),
      p95: this.#percentile(0.95 * total),
      p99: this.#percentile(0.99 * total),
      max: Math.max(this.#currentMaxUs, this.#previousMaxUs) / 1000,
    };
  }

  /** Forgets everything. */
  reset(): void {
    this.#current.fill(0);
    this.#previous.fill(0);
    this.#currentMaxUs = 0;
    this.#previousMaxUs = 0;
    this.#rolledUs = Number.NEGATIVE_INFINITY;
  }

  #percentile(rank: number): number {
    let sum = 0;
    for (let i = 0; i < steps && rank > 0; i++) {
      sum += this.#current[i]! + this.#previous[i]!;
      if (sum >= rank) return ((i + 1) * stepUs) / 1000;
    }
    return 0;
  }

  #roll(nowUs: number): void {
    const oldest = this.#previous;
    this.#previous = this.#current;
    this.#current = oldest.fill(0);
    this.#previousMaxUs = this.#currentMaxUs;
    this.#currentMaxUs = 0;
    this.#rolledUs = nowUs;
  }
}
