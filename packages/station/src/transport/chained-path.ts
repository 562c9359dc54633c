import type { SoundPath } from "../stages.ts";

/** Two paths one after the other. */
export class ChainedPath implements SoundPath {
  readonly #first: SoundPath;
  readonly #second: SoundPath;

  constructor(first: SoundPath, second: SoundPath) {
    this.#first = first;
    this.#second = second;
    first.onReceive((block, startFrame) => second.send(block, startFrame));
  }

  send(block: Float32Array, startFrame: number): void {
    this.#first.send(block, startFrame);
  }

  onReceive(handler: (block: Float32Array, startFrame: number) => void): void {
    this.#second.onReceive(handler);
  }

  async close(): Promise<void> {
    await this.#first.close();
    await this.#second.close();
  }
}
