import type { ProgrammeItem } from "../programme.ts";

/** A jingle after so many songs. */
const songsBetween = 3;

/**
 * Songs with a jingle after every third. The jingle is made while the second song plays; one that is not ready in time is left
 * out, one that fails is reported once.
 */
export class JingledOrder {
  readonly #nextSong: () => ProgrammeItem;
  readonly #make: () => Promise<() => ProgrammeItem>;
  readonly #onFailure: (reason: string) => void;
  #jingle: (() => ProgrammeItem) | undefined;
  #making: Promise<void> | undefined;
  #songs = 0;
  #sinceJingle = 0;

  constructor(
    nextSong: () => ProgrammeItem,
    make: () => Promise<() => ProgrammeItem>,
    onFailure: (reason: string) => void,
  ) {
    this.#nextSong = nextSong;
    this.#make = make;
    this.#onFailure = onFailure;
  }

  next(): ProgrammeItem {
    if (this.#sinceJingle >= songsBetween && this.#jingle !== undefined) {
      this.#sinceJingle = 0;
      return this.#jingle();
    }
    this.#songs++;
    this.#sinceJingle++;
    if (this.#songs === songsBetween) this.#making ??= this.#prepare();
    return this.#nextSong();
  }

  async settle(): Promise<void> {
    await this.#making;
  }

  async #prepare(): Promise<void> {
    try {
      this.#jingle = await this.#make();
    } catch (error) {
      this.#onFailure((error as Error).message);
    }
  }
}
