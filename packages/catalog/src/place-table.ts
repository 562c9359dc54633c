/**
 * One line of time for all tracks of a segment: the place of a posting is its frame plus the spans of the tracks before its
 * own, so that a list of postings is a list of ascending numbers.
 */
export class PlaceTable {
  /** Place of frame 0 of each track, and the end of all. */
  readonly starts: Float64Array;
  /** Track at the first place of each page of 2^pageBits places. */
  readonly #pages: Uint32Array;
  readonly #pageSize: number;

  /** @param lastFrames the last frame of each track */
  constructor(lastFrames: Uint32Array) {
    const count = lastFrames.length;
    const starts = new Float64Array(count + 1);
    for (let track = 0; track < count; track++) starts[track + 1] = starts[track]! + lastFrames[track]! + 1;
    this.starts = starts;
    const wanted = Math.min(65_536, 4 * count + 1);
    this.#pageSize = 1;
    while (this.#pageSize * wanted < starts[count]!) this.#pageSize *= 2;
    this.#pages = new Uint32Array(Math.ceil(starts[count]! / this.#pageSize) + 1);
    let track = 0;
    for (let page = 0; page < this.#pages.length; page++) {
      while (track + 1 < count && starts[track + 1]! <= page * this.#pageSize) track++;
      this.#pages[page] = track;
    }
  }

  /** Number above all places. */
  get universe(): number {
    return this.starts[this.starts.length - 1]!;
  }

  /** The track of a place below `universe`. */
  trackAt(place: number): number {
    const starts = this.starts;
    let track = this.#pages[Math.floor(place / this.#pageSize)]!;
    while (starts[track + 1]! <= place) track++;
    return track;
  }
}
